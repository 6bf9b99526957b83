using System.Globalization;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Reads and writes latents as safetensors files, NCHW float32 as in diffusers.</summary>
internal static class LatentsFile
{
    private const string Tensor = "latents";

    public static Latents? Read(string? path)
    {
        if (path is null) return null;
        using var file = SafetensorsFile.Open(path, MessageLoggers.Logger);
        if (!file.Entries.TryGetValue(Tensor, out var entry)) throw new ModelFileException(path, $"has no tensor '{Tensor}'.");
        if (entry.Shape.Rank != 4)
            throw new ModelFileException(path, $"tensor '{Tensor}' is {entry.Shape}; it must be [images, channels, height, width].");
        return new Latents(entry.Shape[0], entry.Shape[1], entry.Shape[2], entry.Shape[3], file.ReadFloats(Tensor));
    }

    public static void Write(string? path, Latents? latents)
    {
        if (path is not null && latents is not null) Save(path, [(Tensor, latents)]);
    }

    public static void WriteSteps(string? path, IReadOnlyList<Latents> steps)
    {
        if (path is not null) Save(path, steps.Select((l, i) => (string.Create(CultureInfo.InvariantCulture, $"step_{i:D3}"), l)));
    }

    private static void Save(string path, IEnumerable<(string Name, Latents Latents)> tensors)
    {
        var writer = new SafetensorsWriter();
        foreach (var (name, latents) in tensors) writer.Add(name, DType.Float32,
            [latents.Batch, latents.Channels, latents.Height, latents.Width], latents.Values);
        writer.Save(path);
    }
}
