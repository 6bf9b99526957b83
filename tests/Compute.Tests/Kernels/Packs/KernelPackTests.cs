using System.Text;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>A pack starts devices without compilation, and is refused wherever it is damaged or does not belong.</summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class KernelPackTests
{
    private const string File = "f.ilgpack";
    private static readonly Lazy<byte[]> Plain =
        new(() => TestPack.Of(new HandWrittenOp.Artifacts { Code = "// affine\n.target sm_80" }, [TestPack.Affine], "cuda:sm_80"));

    private static KernelPack Opened => KernelPack.Read(File, Plain.Value);

    [Fact]
    public void Use_OnAnOpenClDevice_CompilesNothing()
    {
        var (api, spy) = DriverSpy.Watch(TestOpenCl.Api);
        byte[] file = TestPack.Of(new HandWrittenOp.Artifacts(), [TestPack.Affine], "opencl:cpu");
        using var other = TestOpenCl.Open(api, new TestPack.NoCompiler());
        var pack = KernelPack.Read(File, file);
        Assert.Null(pack.ProblemOn(other));
        other.Kernels.Use(pack);
        Run(other, TestPack.Affine);
        Assert.Single(spy.Calls, call => call == "CreateProgramWithSource"); // the text, by the driver
    }

    /// <summary>Packs for four architectures: the text of the newest at or below the device's is taken, and no other GPU's.</summary>
    [Fact]
    public void Use_OnCuda_TakesTheNewestArchitecture()
    {
        var once = new TestPack.Translator();
        foreach (string[] targets in new string[][] { ["cuda:sm_80"], ["cuda:sm_86", "cuda:sm_80"],
            ["cuda:sm_80", "cuda:sm_86", "cuda:sm_89", "cuda:sm_90"] })
        {
            var pack = KernelPack.Read(File, TestPack.Of(once, TestPack.Translated, targets));
            using var fresh = Cuda(0);
            fresh.Kernels.Use(pack);
            string newest = targets.Max()!.Split(':')[1];
            var recorded = Sources(once, targets.Max()!);
            Assert.NotEmpty(recorded);
            foreach (var source in recorded)
                Assert.Contains($".target {newest}\n", fresh.Function(source).Artifact.Text.ReplaceLineEndings("\n"),
                    StringComparison.Ordinal);
            Assert.Equal(targets.Length, pack.Targets.Count);
            using var older = Cuda(1); // sm_75
            Assert.Contains("nothing for cuda:1 (cuda, sm_75), only for 'cuda sm_8", pack.ProblemOn(older), StringComparison.Ordinal);
            Assert.Throws<KernelPackException>(() => older.Kernels.Use(pack));
        }
    }

    [Fact]
    public void Texts_OfFourArchitectures_AreAssembled()
    {
        _ = PtxAssembler.Path; // skips before translating anything
        foreach (string architecture in new[] { "sm_80", "sm_86", "sm_89", "sm_90" })
        {
            var pack = KernelPack.Read(File, TestPack.Of(new TestPack.Translator(), TestPack.Translated, $"cuda:{architecture}"));
            using var device = new TranslatingDevice(GpuTarget.Cuda(architecture[3] - '0', architecture[4] - '0') with
            { LocalMemoryBytes = CudaArchitectures.Find(architecture)!.Value.Target.LocalMemoryBytes }, new TestPack.NoCompiler());
            device.Kernels.Use(pack);
            var sources = Sources(new TestPack.Translator(), $"cuda:{architecture}");
            var reports = PtxAssembler.Assemble(architecture, [.. sources.Select(s => (s.ToString(), device.Function(s).Artifact))]);
            Assert.Equal(sources.Count, reports.Count);
        }
    }

    [Fact]
    public void Find_ArchitectureWithASuffix_IsForThatAloneAndOldOnesForAllLater()
    {
        string id = IdOfAffine;
        Assert.NotNull(((IPackedKernels)Opened).Find(id, GpuTarget.Cuda(12, 0)));
        Assert.Null(((IPackedKernels)Opened).Find(id, GpuTarget.Cuda(7, 5)));
        var special = Read(content => content.Replace("sm_80", "sm_9a", StringComparison.Ordinal));
        Assert.Null(((IPackedKernels)special).Find(id, GpuTarget.Cuda(12, 0)));
        Assert.NotNull(((IPackedKernels)special).Find(id, GpuTarget.Cuda(9, 0) with { Architecture = "sm_9a" }));
    }

    [Fact]
    public void Use_PackOfAnotherLibrary_IsRefused()
    {
        using var device = Cuda(0);
        var other = Read(content => content.Replace($"\"library\":\"{KernelPack.ThisLibrary}\"", "\"library\":\"9.9.9\"",
            StringComparison.Ordinal));
        var refused = Assert.Throws<KernelPackException>(() => device.Kernels.Use(other));
        Assert.Equal($"{File}: it was made by version '9.9.9' of the library, and this is {KernelPack.ThisLibrary}. "
            + "Make it again with ilgd pack.", refused.Message);
        using var processor = new CpuDevice(threads: 1);
        Assert.Contains("it has nothing for cpu", Assert.Throws<KernelPackException>(() => processor.Kernels.Use(Opened)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Read_DamagedFile_IsRefused()
    {
        byte[] file = Plain.Value;
        for (int bit = 0; bit < 8 * file.Length; bit += 7)
        {
            byte[] flipped = [.. file];
            flipped[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.Throws<KernelPackException>(() => KernelPack.Read(File, flipped));
        }

        for (int length = 0; length < file.Length; length += 5)
            Assert.Throws<KernelPackException>(() => KernelPack.Read(File, file[..length]));
        Assert.Throws<KernelPackException>(() => KernelPack.Read(File, [.. file, 0]));
        byte[] newer = [.. file];
        newer[8] = 2;
        Assert.Contains("version 2; this program reads version 1",
            Assert.Throws<KernelPackException>(() => KernelPack.Read(File, newer)).Message, StringComparison.Ordinal);
    }

    /// <summary>Whatever a file with a right checksum holds: it is refused, or all that it names is there.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Read_HostileContent_IsRefusedOrWhole(int seed)
    {
        var mutator = new Mutator(seed, "\"text\":", "\"binary\":", "-1", "2147483647", "v4", "null", "\"blobs\":[", "cuda", "{", "]");
        for (int i = 0; i < 150; i++)
        {
            byte[] file = TestPack.Changed(Plain.Value, content => mutator.Mutate(content));
            if (i % 10 == 0) // a size that is not the content's, or a content that is no Brotli
                file = TestPack.Signed([.. file[..PackFile.HashedFrom], .. mutator.Mutate(file.AsSpan(PackFile.HashedFrom))]);
            try
            {
                var pack = KernelPack.Read(File, file);
                _ = ((IPackedKernels)pack).Find(IdOfAffine, GpuTarget.Cuda(9, 0));
                Assert.All(pack.Targets, target => Assert.InRange(target.TextBytes, 0, file.Length * 2000L));
            }
            catch (KernelPackException)
            {
            }
        }
    }

    [Theory, InlineData(long.MaxValue), InlineData(-1L), InlineData(0L)]
    public void Read_ImpossibleSize_IsRefused(long size)
    {
        byte[] file = [.. Plain.Value];
        BitConverter.TryWriteBytes(file.AsSpan(PackFile.HashedFrom), size);
        Assert.Throws<KernelPackException>(() => KernelPack.Read(File, TestPack.Signed(file)));
    }

    [Fact]
    public void ToBytes_Twice_GivesTheSameFile() => Assert.Equal(Plain.Value,
        TestPack.Of(new HandWrittenOp.Artifacts { Code = "// affine\n.target sm_80" }, [TestPack.Affine], "cuda:sm_80"));

    [Fact]
    public void Open_MissingFile_SaysSo() => Assert.EndsWith("none.ilgpack: there is no such file.",
        Assert.Throws<KernelPackException>(() => KernelPack.Open("none.ilgpack")).Message, StringComparison.Ordinal);

    [Theory, InlineData("cuda:sm_91"), InlineData("cuda:sm_90a"), InlineData("opencl:x"), InlineData("metal:0"), InlineData("cuda:0:1")]
    public void Recorder_UnknownTarget_NamesTheForms(string target) =>
        Assert.Contains("cuda:sm_NN (sm_50 to sm_90)", Assert.Throws<ArgumentException>(() => KernelRecorder.Open(target)).Message,
            StringComparison.Ordinal);

    /// <summary>What a device chose when it was recorded, another device with other numbers of units chooses too.</summary>
    [Fact]
    public void Choose_WithAPack_RepeatsTheRecordedTiles()
    {
        var once = new SharedTranslator();
        var pack = KernelPack.Read(File, TestPack.Of(once, [Gemm], "cuda:sm_80"));
        var signature = TranslatingDevice.Signature(Gemm.Op, Gemm.Inputs.Select(i => new Tensors.TensorType(i.DType, i.Shape)));
        using var recorder = KernelRecorder.Open("cuda:sm_80", once);
        using var few = new RecordingDevice("cuda:9", "few units", ((RecordingDevice)recorder.Device).Target, units: 1, once);
        var (recorded, alone) = (recorder.Device.Kernels.Choose(signature), few.Kernels.Choose(signature));
        Assert.NotEqual(recorded, alone);
        few.Kernels.Use(pack);
        Assert.Equal(recorded, few.Kernels.Choose(signature));
    }

    // large enough that the tile depends on the number of units
    private static OpCase Gemm { get; } = OpCatalog.Cases.Single(cases => cases.Op == typeof(Ops.MatMul)).Cases
        .Single(c => c.Name == "SDXL attention out, part");

    private static string IdOfAffine => CodeFingerprint.OfText(
        ((IArtifactSource)new HandWrittenOp.Artifacts()).IdentityOf(HandWrittenOp.Source, GpuLanguage.Ptx));

    private static KernelPack Read(Func<string, string> change) => KernelPack.Read(File,
        TestPack.Changed(Plain.Value, content => Encoding.Latin1.GetBytes(change(Encoding.Latin1.GetString(content)))));

    private static CudaDevice Cuda(int ordinal) =>
        new(StubCuda.Api, CudaInfo.All(StubCuda.Api)[ordinal], new TestPack.NoCompiler(), GpuScenario.StagingBytes);

    private static List<KernelSource> Sources(IArtifactSource artifacts, string target)
    {
        using var recorder = KernelRecorder.Open(target, artifacts);
        foreach (var @case in TestPack.Translated)
        {
            using var bound = new BoundCase(recorder.Device, @case, outputPadding: 2);
        }

        return [.. ((RecordingDevice)recorder.Device).Recorded.Keys];
    }

    private static void Run(Device device, OpCase @case)
    {
        using var bound = new BoundCase(device, @case, outputPadding: 2);
        bound.Run();
        Assert.Equal(Enumerable.Range(0, 5 * 67).Select(n => 2.0 * n - 1), bound.Read());
    }
}
