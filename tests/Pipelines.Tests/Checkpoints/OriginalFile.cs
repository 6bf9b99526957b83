using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Families;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Single files with original names, made out of diffusers' folders by the name maps run backwards. That the names are those of the real
/// files is held by the recorded file, see SingleFileModelTests.
/// </summary>
internal static class OriginalFile
{
    /// <summary>A stored tensor, and the model's tensors that it holds.</summary>
    public sealed record Stored(Shape Shape, List<(string Name, TensorForm Form)> Parts);

    /// <summary>The layout of a kind.</summary>
    public static SingleFileLayout Layout(string kind) => FamilyCatalog.Files.Single(layout => layout.Kind == kind);

    /// <summary>The map of a UNet under diffusers' names.</summary>
    public static NameMap UNet(TensorTable diffusers) => UNetNames.Of(diffusers.Count("down_blocks.0.resnets"),
        [.. Enumerable.Range(0, diffusers.Count("up_blocks")).Select(level => diffusers.HasGroup($"up_blocks.{level}.attentions"))]);

    /// <summary>The map of an autoencoder under diffusers' names.</summary>
    public static NameMap Autoencoder(TensorTable diffusers) =>
        AutoencoderNames.Of(diffusers.Count("encoder.down_blocks"), diffusers.Count("encoder.down_blocks.0.resnets"));

    /// <summary>The stored tensors, without the component's prefix, that a component's tensors are in.</summary>
    public static Dictionary<string, Stored> Of(SingleFileComponent part, TensorTable diffusers)
    {
        var map = part.Name switch
        {
            "unet" => UNet(diffusers),
            "vae" => Autoencoder(diffusers),
            _ when part.Prefix.EndsWith("transformer.", StringComparison.Ordinal) => NameMap.Same,
            _ => diffusers.Count("text_model.encoder.layers") is var layers
                ? TextEncoderNames.OpenClip(layers, diffusers.Has("text_projection.weight"), layers) : NameMap.Same,
        };
        var stored = new Dictionary<string, Stored>();
        foreach (var (name, tensor) in diffusers.Tensors)
        {
            var original = map.ToOriginal(name);
            Assert.True(original is not null, $"{part.Name}: no original name for {name}");
            if (!stored.TryGetValue(original.Value.Name, out var entry))
                stored.Add(original.Value.Name, entry = new Stored(Inverse(original.Value.Form, tensor.Shape), []));
            entry.Parts.Add((name, original.Value.Form));
        }

        return stored;
    }

    /// <summary>The tensors of a published model, recorded without values.</summary>
    public static TensorTable Published(string model, string component)
    {
        string path = Golden.Folder($"real-configs/{model}/{component}/state_dict_shapes.json");
        var tensors = JsonDocument.Parse(File.ReadAllBytes(path)).RootElement.GetProperty("tensors");
        return Table(path, tensors.EnumerateObject().Select(t =>
            (t.Name, Shape.Create([.. t.Value.EnumerateArray().Select(size => size.GetInt32())]))));
    }

    /// <summary>A table of tensors without values.</summary>
    public static TensorTable Table(string file, IEnumerable<(string Name, Shape Shape)> tensors) =>
        new(file, tensors.Select(t => KeyValuePair.Create(t.Name, new StoredTensor(t.Shape, "F16", 2 * t.Shape.Count))));

    /// <summary>Writes a folder's model as one file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="folder">The model in diffusers' layout.</param>
    /// <param name="layout">What the file is to hold.</param>
    /// <param name="dtype">Its type.</param>
    /// <param name="change">Changes the set of tensors by name; a shape with no values is filled with zeros.</param>
    public static string Write(string path, string folder, SingleFileLayout layout, DType dtype = DType.Float16,
        Action<Dictionary<string, (Shape Shape, float[] Values)>>? change = null)
    {
        var all = new Dictionary<string, (Shape Shape, float[] Values)>();
        foreach (var part in layout.Components)
        {
            using var weights = Checkpoint.OpenFolder(Path.Combine(folder, part.Name));
            var table = Table(folder, weights.Names.Select(name => (name, weights.Find(name)!.Shape)));
            foreach (var (name, stored) in Of(part, table))
                all.Add(part.Prefix + name, (stored.Shape, Join(stored, weights)));
        }

        change?.Invoke(all);
        return Write(path, all, dtype);
    }

    /// <summary>Writes tensors as one file.</summary>
    public static string Write(string path, Dictionary<string, (Shape Shape, float[] Values)> tensors, DType dtype = DType.Float16)
    {
        var writer = new SafetensorsWriter();
        foreach (var (name, tensor) in tensors) writer.Add(name, dtype, tensor.Shape, tensor.Values);
        writer.Save(path);
        return path;
    }

    private static Shape Inverse(TensorForm form, Shape shape) => form switch
    {
        TensorForm.FirstThird or TensorForm.SecondThird or TensorForm.LastThird =>
            Shape.Create([3 * shape[0], .. shape.Sizes.ToArray().Skip(1)]),
        TensorForm.Transposed => Shape.Create([shape[1], shape[0]]),
        TensorForm.OnePixel when shape.Rank == 2 => Shape.Create([shape[0], shape[1], 1, 1]),
        _ => shape,
    };

    private static float[] Join(Stored stored, Checkpoint weights)
    {
        var values = new float[stored.Shape.Count];
        foreach (var (name, form) in stored.Parts)
        {
            float[] part = weights.Find(name)!.ReadFloats();
            if (form == TensorForm.Transposed)
                for (int i = 0; i < part.Length; i++)
                    values[i % stored.Shape[0] * stored.Shape[1] + i / stored.Shape[0]] = part[i];
            else part.CopyTo(values, form is TensorForm.Whole or TensorForm.OnePixel ? 0 : form.Third() * part.Length);
        }

        return values;
    }
}
