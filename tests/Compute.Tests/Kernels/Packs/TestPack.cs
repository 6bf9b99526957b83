using System.IO.Compression;
using System.Security.Cryptography;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Packs for tests.</summary>
internal static class TestPack
{
    /// <summary>An op whose text is written by hand, so that nothing is translated.</summary>
    public static OpCase Affine { get; } = new("", new HandWrittenOp(2, -1), [new CaseTensor([5, 67], n => n, Padding: 3)], 0);

    /// <summary>The first cases of some ops, whose kernels are translated.</summary>
    public static OpCase[] Translated { get; } = [.. new[] { typeof(Softmax), typeof(MatMul) }
        .Select(op => OpCatalog.Cases.Single(cases => cases.Op == op).Cases.First())];

    /// <summary>A pack of the kernels that cases need on some targets.</summary>
    public static byte[] Of(IArtifactSource artifacts, OpCase[] cases, params string[] targets)
    {
        KernelRecorder[] recorders = [.. targets.Select(target => KernelRecorder.Open(target, artifacts))];
        foreach (var recorder in recorders)
        {
            foreach (var @case in cases)
            {
                using var bound = new BoundCase(recorder.Device, @case, outputPadding: 2);
                bound.Run();
            }
        }

        byte[] file = KernelPackWriter.ToBytes(recorders,
            [new PackedModel("a model", "StableDiffusionXLPipeline", "Float32", "", "0123456789abcdef", ["unet: height = 16"])]);
        foreach (var recorder in recorders) recorder.Dispose();
        return file;
    }

    /// <summary>A pack with its content changed and a right checksum.</summary>
    public static byte[] Changed(byte[] file, Func<byte[], byte[]> change)
    {
        byte[] content = new byte[BitConverter.ToInt64(file, PackFile.HashedFrom)];
        Assert.True(BrotliDecoder.TryDecompress(file.AsSpan(PackFile.HeadBytes), content, out _));
        content = change(content);
        byte[] made = new byte[PackFile.HeadBytes + BrotliEncoder.GetMaxCompressedLength(content.Length)];
        file.AsSpan(0, PackFile.HashedFrom).CopyTo(made);
        BitConverter.TryWriteBytes(made.AsSpan(PackFile.HashedFrom), (long)content.Length);
        Assert.True(BrotliEncoder.TryCompress(content, made.AsSpan(PackFile.HeadBytes), out int written, 1, 22));
        return Signed(made[..(PackFile.HeadBytes + written)]);
    }

    /// <summary>A file with the checksum of what it holds.</summary>
    public static byte[] Signed(byte[] file)
    {
        SHA256.HashData(file.AsSpan(PackFile.HashedFrom)).CopyTo(file, PackFile.HashedFrom - SHA256.HashSizeInBytes);
        return file;
    }

    /// <summary>Translates each kernel once for all CUDA architectures: only the target differs (<see cref="KernelTextTests"/>).</summary>
    internal sealed class Translator : IArtifactSource
    {
        private readonly SharedTranslator shared = new();

        public KernelArtifact Get(KernelSource source, GpuTarget target) => Retargeted(shared.Get(source, target), target);

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }

        private static KernelArtifact Retargeted(KernelArtifact artifact, GpuTarget target) => artifact with
        {
            Text = artifact.Text.Replace(".target sm_90", $".target {target.Architecture}", StringComparison.Ordinal),
        };
    }

    /// <summary>Fails when a kernel is to be compiled.</summary>
    internal sealed class NoCompiler : IArtifactSource
    {
        public KernelArtifact Get(KernelSource source, GpuTarget target) =>
            throw new InvalidOperationException($"{source} is compiled for {target.Architecture}.");

        public bool Has(KernelSource source, GpuTarget target) => false;

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) { }
    }
}
