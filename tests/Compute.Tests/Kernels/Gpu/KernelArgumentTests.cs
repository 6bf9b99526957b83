using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Binding checks the types of arguments, which does not distinguish two pitches. These tests compare their names with those of the
/// kernels' C# parameters, in all launches that the op cases can choose on any device. Nothing is translated or run.
/// </summary>
public sealed class KernelArgumentTests
{
    public static TheoryData<string> Targets => [.. KernelTargets.All.Keys];

    [Theory, MemberData(nameof(Targets))]
    public void Arguments_OfAllLaunches_HaveTheNamesOfParameters(string target)
    {
        var mismatches = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var cases in OpCatalog.Cases)
        {
            var device = new TranslatingDevice(KernelTargets.All[target], new Declarations());
            foreach (var (_, signature, choice, gap) in KernelCalls.Of(cases, device)) device.Bind(signature, choice, gap);
            Assert.True(device.Launches.Count > 0 || NotYetOnGpus.Ops.Contains(cases.Op), $"{cases.Op.Name} launches nothing.");
            mismatches.UnionWith(device.Launches.Select(Mismatch).OfType<string>().Select(m => $"{cases.Op.Name}: {m}"));
        }

        Assert.Empty(mismatches);
    }

    [Fact]
    public void Arguments_Exchanged_AreFound()
    {
        var source = KernelSource.Of(Copy, 64);
        var views = new GpuArguments().View("x", null).View("y", null);
        Assert.Null(Mismatch(new(source, new(1), new GpuArguments().View("x", null).View("y", null).Int("xPitch", 1).Int("yPitch", 2))));
        Assert.Equal(
            "KernelArgumentTests.Copy has parameters (x, y, xPitch, yPitch); it was given (x, y, yPitch, xPitch).",
            Mismatch(new(source, new(1), views.Int("yPitch", 2).Int("xPitch", 1))));
    }

    private static string? Mismatch(BoundKernel launch)
    {
        string[] parameters = [.. launch.Source.Method.GetParameters().Select(p => p.Name!)],
            arguments = [.. launch.Arguments.List.Select(a => a.Name)];
        return parameters.SequenceEqual(arguments) ? null
            : $"{launch.Source} has parameters ({string.Join(", ", parameters)}); it was given ({string.Join(", ", arguments)}).";
    }

    private static void Copy(ILGPU.ArrayView<float> x, ILGPU.ArrayView<float> y, int xPitch, int yPitch) =>
        y[ILGPU.Grid.IdxX * yPitch] = x[ILGPU.Grid.IdxX * xPitch];

    /// <summary>Kernels as declared in C#, without a text.</summary>
    private sealed class Declarations : IArtifactSource
    {
        public KernelArtifact Get(KernelSource source, GpuTarget target) =>
            new(target.Language, source.Method.Name, "", null, IlgpuTranslator.Parameters(source.Method), SharedBytes: 0, source.GroupSize);

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }
    }
}
