using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Output of <c>ilgd pack</c>, and of <c>ilgd inspect</c> for a kernel pack: what is in it.</summary>
internal static class InspectPack
{
    /// <summary>Whether a path is a pack: by its first bytes, or by its name if it has none of a pack's.</summary>
    public static bool IsPack(string? path) => path is not null && File.Exists(path)
        && (path.EndsWith(KernelPack.Extension, StringComparison.OrdinalIgnoreCase) || KernelPack.IsPack(path));

    /// <summary>Prints a pack's models and devices.</summary>
    public static void Print(KernelPack pack, bool json)
    {
        if (json)
        {
            JsonOutput.Print(new
            {
                path = pack.Path,
                bytes = pack.Bytes,
                library = pack.Library,
                models = pack.Models,
                targets = pack.Targets,
            });
            return;
        }

        string library = OutsideText.Line(pack.Library, 40);
        Terminals.Say($"kernel pack of version {library}, {Quantity.Bytes(pack.Bytes)}  {OutsideText.Line(pack.Path)}");
        var models = new Listing("", "", "", "");
        foreach (var model in pack.Models)
            models.Add(model.Name, model.PipelineClass, model.Options.Length > 0 ? $"{model.DType}, {model.Options}" : model.DType,
                string.Join("; ", model.Plans));
        models.Print();
        var targets = new Listing("device", ">kernels", ">binaries", ">choices", ">text", "");
        foreach (var target in pack.Targets)
            targets.Add($"{target.Kind} {target.Architecture}", $"{target.Kernels}", $"{target.Binaries}", $"{target.Choices}",
                Quantity.Bytes(target.TextBytes), target.Device);
        targets.Print();
    }
}
