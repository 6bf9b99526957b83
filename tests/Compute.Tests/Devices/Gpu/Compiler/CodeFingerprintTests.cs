using System.Collections.Concurrent;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>A kernel's identity is its code, not the build that the code is in.</summary>
public sealed class CodeFingerprintTests
{
    private static readonly EmittedKernel Plain = new();

    [Fact]
    public void Fingerprint_OfAnotherBuild_IsEqual()
    {
        var (first, second) = (Plain.Load(), (Plain with { Strangers = 3 }).Load());
        Assert.NotEqual(first.BuildIdentity, second.BuildIdentity);
        Assert.Equal((first.Name, first.Fingerprint), (second.Name, second.Fingerprint));
    }

    [Fact]
    public void Fingerprint_OfChangedCode_Differs()
    {
        EmittedKernel[] changed = [Plain, Plain with { Constant = 4 }, Plain with { Argument = 6 },
            Plain with { Fields = ["second", "first"] }];
        Assert.Distinct(changed.Select(kernel => kernel.Load().Fingerprint));
    }

    [Fact]
    public void Code_OfAnIntrinsic_IsItsDeviceCode() =>
        Assert.EndsWith("= fma.rn.f32 $0, $1, $2, $3; |  | fma($1, $2, $3)",
            MethodCode.Of(typeof(DeviceMath).GetMethod(nameof(DeviceMath.Fma))!).Text, StringComparison.Ordinal);

    /// <summary>A second build finds what the first one compiled; one with other code does not.</summary>
    [Fact]
    public void Get_OfAnotherBuild_ReadsInsteadOfCompiling()
    {
        using var folder = new TemporaryFolder();
        int compiled = 0;
        KernelArtifact Get(EmittedKernel kernel) => new ArtifactCache(Path.Combine(folder.Path, "cache"), compile: (source, target) =>
            new(target.Language, "Kernel", $"text {++compiled}", null, [], 0, source.GroupSize)).Get(kernel.Load(), GpuTarget.Cuda(9, 0));
        Assert.Equal("text 1", Get(Plain).Text);
        Assert.Equal("text 1", Get(Plain with { Strangers = 1 }).Text);
        Assert.Equal("text 2", Get(Plain with { Constant = 4 }).Text);
        Assert.Equal("text 1", Get(Plain).Text);
    }

    /// <summary>Every kernel that the cases of ops can choose can be read, twice with the same result.</summary>
    [Theory, InlineData("sm_90"), InlineData("rdna3")]
    public void Fingerprint_OfEveryKernel_CanBeComputed(string name)
    {
        var target = KernelTargets.All[name];
        var sources = new ConcurrentDictionary<KernelSource, bool>();
        foreach (var cases in OpCatalog.Cases)
        {
            var device = new TranslatingDevice(target, new Untranslated(sources));
            foreach (var (_, signature, choice, gap) in KernelCalls.Of(cases, device).Where(call => call.Gap == 8))
                device.Bind(signature, choice, gap);
        }

        Assert.InRange(sources.Count, 100, int.MaxValue);
        Assert.All(sources.Keys, source => Assert.Equal(32, source.Fingerprint.Length));
    }

    private sealed class Untranslated(ConcurrentDictionary<KernelSource, bool> sources) : IArtifactSource
    {
        public KernelArtifact Get(KernelSource source, GpuTarget target)
        {
            sources[source] = true;
            return new(target.Language, "kernel", "", null, IlgpuTranslator.Parameters(source.Method), 0, source.GroupSize);
        }

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }
    }
}
