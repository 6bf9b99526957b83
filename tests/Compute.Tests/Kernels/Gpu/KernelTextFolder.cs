using System.Globalization;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// The kernels of one target as files: for each op, a file per text, and one that lists the launches of every call with text, groups and
/// arguments. Names are made of what the op and its cases are called for people and of numbers, so that calls of two builds can be found in
/// each other whatever their types are called.
/// </summary>
/// <param name="target">What is translated to.</param>
/// <param name="folder">Where the files go.</param>
internal sealed class KernelTextFolder(GpuTarget target, string folder)
{
    private readonly SharedTranslator translator = new();

    /// <summary>
    /// Writes all that the cases of an op can choose: each in every type, each variant, rows that lie close and far, and every setting with
    /// the first case that takes it.
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
