using System.Globalization;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// The kernels of one target as files: for each op, a file per text, and one that lists the launches of every call with text, groups and
/// arguments. Names consist of display names of ops and cases, and of numbers, so that calls of two builds can be matched whatever their
/// types are named.
/// </summary>
/// <param name="target">The target.</param>
/// <param name="folder">The folder of the files.</param>
internal sealed class KernelTextFolder(GpuTarget target, string folder)
{
    private readonly SharedTranslator translator = new();

    /// <summary>
    /// Writes every kernel that the cases of an op can choose: each in every type, each variant, contiguous and padded rows, and every
    /// setting with the first case that has it.
    /// </summary>
    public void Write(IOpCases cases)
    {
        string op = cases.Cases.First().Op.Kernels.Op;
        var files = new Dictionary<KernelSource, string>();
        using var launches = new StreamWriter(Path.Combine(Directory.CreateDirectory(folder).FullName, $"{op}.launches"));
        foreach (var (name, signature, choice, gap) in KernelCalls.Of(cases, new TranslatingDevice(target, translator)))
        {
            var device = new TranslatingDevice(target, translator);
            device.Bind(signature, choice, gap);
            foreach (var launch in device.Launches)
            {
                var (source, artifact) = (launch.Source, device.Artifacts[launch.Source]);
                if (files.TryAdd(source, $"{op}-{files.Count:D4}.{(target.Language == GpuLanguage.Ptx ? "ptx" : "cl")}"))
                    File.WriteAllText(Path.Combine(folder, files[source]), $"// {Sizes(source, artifact)}\n{artifact.Text}");
                launches.Write($"{op}: {name}\t{files[source]}\t{launch.Grid.X} {launch.Grid.Y} "
                    + $"{launch.Grid.Z}\t{string.Join(' ', launch.Arguments.List.Select(Argument))}\n");
            }
        }
    }

    private static string Sizes(KernelSource source, KernelArtifact artifact) => string.Create(CultureInfo.InvariantCulture,
        $"group {source.GroupSize}, groups {source.GroupsPerProcessor}, shared {artifact.SharedBytes} + {source.DynamicSharedBytes}, "
            + $"parameters {string.Join(' ', artifact.Parameters.Select(p => $"{(int)p.Kind}:{p.ElementBytes}"))}");

    private static string Argument(GpuArguments.Argument argument) => argument.Tensor is not { } tensor
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)argument.Kind}:{argument.Bits}")
        : string.Create(CultureInfo.InvariantCulture,
            $"{((GpuBuffer)tensor.Buffer).Handle}+{tensor.Offset}:{tensor.DType}{tensor.Shape}/{tensor.RowPitch}");
}
