using System.Runtime.InteropServices;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

/// <summary>Weights of types that kernels do not read, and files that cannot be mapped.</summary>
public sealed class StoredTypeTests : IDisposable
{
    private const int In = 16, Out = 8;
    private readonly string folder = Directory.CreateTempSubdirectory("ilgd-types-").FullName;

    private string Path => System.IO.Path.Combine(folder, "model.safetensors");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> Devices => ["cpu", .. TestDevices.Gpus];

    [Theory, InlineData("F8_E4M3", 4, 7), InlineData("F8_E5M2", 5, 15)]
    public void EightBits_EveryCode_HasTheValueOfItsBits(string type, int exponentBits, int bias)
    {
        RawSafetensors.Write(Path, ("codes", type, [256], [.. Enumerable.Range(0, 256).Select(i => (byte)i)]));
        using var checkpoint = Checkpoint.Open(Path);
        var tensor = checkpoint.Find("codes")!;
        Assert.Equal((DType.Float16, type, 256L), (tensor.DType, tensor.StoredType, tensor.Bytes));
        float[] expected = [.. Enumerable.Range(0, 256).Select(code => (float)Value(code, exponentBits, bias))];
        Assert.Equal(expected, tensor.ReadFloats());
        Assert.Equal(expected, tensor.ToTensor().Span<Half>().ToArray().Select(h => (float)h));
    }

    [Fact]
    public void EightBits_EveryCode_IsAsTorchHasIt()
    {
        using var goldens = SafetensorsFile.Open(GoldenFolders.Need("tiny-flux-dev-single-file-goldens/single_file.safetensors"));
        foreach (var (name, value) in ((string, Func<byte, float>)[])[("e4m3fn", EightBitFloats.E4M3), ("e5m2", EightBitFloats.E5M2)])
        {
            float[] values = [.. Enumerable.Range(0, 256).Select(code => value((byte)code))];
            Assert.Equal(goldens.ReadLongs($"codes/out/kind_{name}"),
                values.Select(v => float.IsNaN(v) ? 2L : float.IsInfinity(v) ? 1L : 0L));
            Assert.Equal(goldens.ReadFloats($"codes/out/{name}").Select(BitConverter.SingleToUInt32Bits),
                values.Select(v => BitConverter.SingleToUInt32Bits(float.IsFinite(v) ? v : 0)));
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Devices))]
    public void Linear_OfWidenedWeights_GivesTheBitsOfTheSameNumbersInFloat32(string id)
    {
        using var cpu = new CpuDevice(threads: 2);
        var device = id == "cpu" ? cpu : TestDevices.Open(id);
        // both signs, no NaN or infinity
        byte[] codes = [.. Enumerable.Range(0, In * Out).Select(i => (byte)(i * 37 % 0x70 + (i % 2 << 7)))];
        foreach (string type in (string[])["F8_E4M3", "F8_E5M2"])
        {
            float[] numbers = [.. codes.Select(c => type == "F8_E4M3" ? EightBitFloats.E4M3(c) : EightBitFloats.E5M2(c))];
            float[] exact = Run(device, ("weight", "F32", [Out, In], RawSafetensors.F32(numbers)),
                ("bias", "F32", [Out], RawSafetensors.F32([.. numbers.Take(Out)])));
            Assert.Equal(exact, Run(device, ("weight", type, [Out, In], codes), ("bias", type, [Out], codes[..Out])));
            Assert.Equal(exact, Run(device, ("weight", "F64", [Out, In], RawSafetensors.F64([.. numbers.Select(n => (double)n)])),
                ("bias", "F64", [Out], RawSafetensors.F64([.. numbers.Take(Out).Select(n => (double)n)]))));
        }
    }

    [Fact]
    public void ToTensor_OfF64_RoundsToTheNearestFloat()
    {
        RawSafetensors.Write(Path, ("w", "F64", [3], RawSafetensors.F64(0.1, 1 + 1e-12, -1e-50)));
        using var checkpoint = Checkpoint.Open(Path);
        Assert.Equal([0.1f, 1f, -0f], checkpoint.Find("w")!.ToTensor().Span<float>().ToArray());
    }

    [Fact]
    public void Open_FileSystemThatCannotMap_ReadsTheFileAndSaysSo()
    {
        RawSafetensors.Write(Path, ("a", "F32", [3], RawSafetensors.F32(1, 2, 3)), ("b", "F8_E4M3", [2], [0x38, 0xB8]));
        using var log = new CollectingLoggerFactory();
        using var file = SafetensorsFile.Open(Path, _ => throw new IOException("No such device"), log);
        Assert.Equal([1f, 2f, 3f], file.ReadFloats("a"));
        Assert.Equal([1f, -1f], file.ReadFloats("b"));
        string expected = $"{Path} cannot be mapped into memory here (No such device), so its 0 MiB were read";
        Assert.StartsWith(expected, Assert.Single(log.Warnings), StringComparison.Ordinal);
        file.Release(file.ToTensor(file.Entry("a"))); // only pages of a mapping: this memory could not be restored
        Assert.Equal([1f, 2f, 3f], file.ReadFloats("a"));
        File.WriteAllBytes(Path, []);
        file.RequireIntact(); // values read before do not change
    }

    [Fact]
    public void Release_WidenedCopies_StayAsTheyAre()
    {
        int count = 2 * Environment.SystemPageSize;
        RawSafetensors.Write(Path, ("w", "F8_E4M3", [count], [.. Enumerable.Repeat((byte)0x38, count)]));
        using var file = SafetensorsFile.Open(Path);
        var tensor = file.ToTensor(file.Entry("w"));
        file.Release(tensor);
        Assert.All(tensor.Span<Half>().ToArray(), value => Assert.Equal((Half)1, value));
    }

    private float[] Run(Device device, params (string, string, int[], byte[])[] tensors)
    {
        RawSafetensors.Write(Path, tensors);
        using var checkpoint = Checkpoint.Open(Path);
        var layer = new Linear(In, Out);
        layer.Load(checkpoint);
        using var arenas = new ArenaPool(device);
        using var plan = new CompiledGraph(
            Graph.Trace("test", g => g.Output("y", layer.Forward(g.Input("x", DType.Float32, Dim.Symbol("n"), In)))),
                arenas).Rent(new Sizes(("n", 5)));
        device.Upload(MemoryMarshal.AsBytes<float>([.. Enumerable.Range(0, 5 * In).Select(i => MathF.Sin(i))]), plan.Input("x"));
        plan.Run();
        float[] y = new float[5 * Out];
        device.Download(plan.Output("y"), MemoryMarshal.AsBytes(y.AsSpan()));
        return y;
    }

    /// <summary>The number that a code encodes, by definition: sign, exponent, mantissa.</summary>
    private static double Value(int code, int exponentBits, int bias)
    {
        int mantissaBits = 7 - exponentBits, exponent = (code & 0x7F) >> mantissaBits, mantissa = code & ((1 << mantissaBits) - 1),
            highest = (1 << exponentBits) - 1;
        double sign = code < 128 ? 1 : -1, fraction = mantissa / (double)(1 << mantissaBits);
        if (exponentBits == 5 && exponent == highest) return mantissa == 0 ? sign * double.PositiveInfinity : double.NaN;
        if (exponentBits == 4 && exponent == highest && mantissa == 7) return double.NaN;
        return sign * (exponent == 0 ? fraction * Math.Pow(2, 1 - bias) : (1 + fraction) * Math.Pow(2, exponent - bias));
    }
}
