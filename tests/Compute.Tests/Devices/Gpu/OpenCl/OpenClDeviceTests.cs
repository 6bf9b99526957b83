using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The OpenCL device with the machine's driver.</summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class OpenClDeviceTests
{
    private static readonly float[] Values = [.. Enumerable.Range(0, 5 * 67).Select(i => i * 0.25f - 7)];

    [Fact]
    public void UploadAndDownload_OfSeveralChunks_KeepEveryByte()
    {
        using var device = Open();
        byte[] bytes = new byte[(40 << 20) + 13], back = new byte[bytes.Length];
        new Random(1).NextBytes(bytes);
        using var buffer = device.Allocate(bytes.Length + 64);
        var tensor = new Tensor(buffer, 64, DType.Int8, [bytes.Length]);
        device.Upload(bytes, tensor);
        Assert.Equal(0, device.HostSynchronisations);
        device.Download(tensor, back);
        Assert.Equal(1, device.HostSynchronisations);
        Assert.True(bytes.AsSpan().SequenceEqual(back));
    }

    [Fact]
    public void Allocate_NewBuffer_IsZeroedAndCounted()
    {
        using var device = Open();
        using (var buffer = device.Allocate(1001))
        {
            byte[] back = new byte[1001];
            Array.Fill(back, (byte)7);
            device.Download(new Tensor(buffer, 0, DType.Int8, [1001]), back);
            Assert.All(back, b => Assert.Equal(0, b));
            Assert.Equal(1001, device.AllocatedBytes);
        }

        Assert.Equal(0, device.AllocatedBytes);
        Assert.Equal(1001, device.PeakBytes);
    }

    [Fact]
    public void Op_WithHandWrittenText_RunsThroughTheNormalPath()
    {
        var artifacts = new HandWrittenOp.Artifacts();
        using var device = Open(artifacts);
        for (int i = 0; i < 2; i++)
        {
            var @case = new OpCase("", new HandWrittenOp(2, -1), [new CaseTensor([5, 67], n => Values[n], Padding: 3)], 0);
            using var bound = new BoundCase(device, @case, outputPadding: 2);
            bound.Run();
            Assert.Equal(Values.Select(v => 2.0 * v - 1), bound.Read());
        }

        Assert.Equal(1, artifacts.Requests);
        Assert.NotNull(artifacts.Binary);
    }

    [Fact]
    public void Plan_OnOpenCl_RunsInOneArena()
    {
        using var device = Open(new HandWrittenOp.Artifacts());
        using var arenas = new ArenaPool(device);
        var graph = new CompiledGraph(Graph.Trace("chain", g =>
        {
            var x = g.Input("x", DType.Float32, Dim.Symbol("rows"), 67);
            g.Output("y", g.Add(new HandWrittenOp(3, 0), g.Add(new HandWrittenOp(2, -1), x)));
        }), arenas);
        using var plan = graph.Rent(new Sizes(("rows", 5)));
        device.Upload(System.Runtime.InteropServices.MemoryMarshal.AsBytes(Values.AsSpan()), plan.Input("x"));
        long synchronisations = device.HostSynchronisations;
        plan.Run(TestContext.Current.CancellationToken);
        Assert.Equal(synchronisations, device.HostSynchronisations);
        float[] result = new float[Values.Length];
        device.Download(plan.Output("y"), System.Runtime.InteropServices.MemoryMarshal.AsBytes(result.AsSpan()));
        Assert.Equal(Values.Select(v => 3 * (2 * v - 1)), result);
    }

    [Fact]
    public void Function_CachedBinary_IsUsedByTheNextDevice()
    {
        var artifacts = new HandWrittenOp.Artifacts();
        using (var first = Open(artifacts)) first.Function(HandWrittenOp.Source);
        var broken = new HandWrittenOp.Artifacts { Code = "this is no OpenCL" };
        broken.StoreBinary(HandWrittenOp.Source, null!, artifacts.Binary!);
        using var second = Open(broken);
        Assert.Equal("affine", second.Function(HandWrittenOp.Source).Artifact.Entry); // the invalid text was not compiled
    }

    [Fact]
    public void Function_DamagedBinary_FallsBackToTheText()
    {
        var artifacts = new HandWrittenOp.Artifacts();
        artifacts.StoreBinary(HandWrittenOp.Source, null!, [1, 2, 3]);
        using var device = Open(artifacts);
        device.Function(HandWrittenOp.Source);
        Assert.True(artifacts.Binary!.Length > 3);
    }

    [Fact]
    public void Build_WrongText_ReportsTheDriversMessage()
    {
        using var device = Open(new HandWrittenOp.Artifacts { Code = "kernel void affine(int x) { undeclared = x; }" });
        var e = Assert.Throws<DeviceException>(() => device.Function(HandWrittenOp.Source));
        Assert.Contains("HandWrittenOp.Kernel", e.Message, StringComparison.Ordinal);
        Assert.Contains("undeclared", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Arguments_OfWrongKinds_AreRefused()
    {
        using var device = Open(new HandWrittenOp.Artifacts());
        var function = device.Function(HandWrittenOp.Source);
        var e = Assert.Throws<DeviceException>(() => function.Bind(new GpuGrid(1), new GpuArguments().Int("n", 1)));
        Assert.Contains("it was given (Int32 n)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tensor_OfTheHost_IsRefused()
    {
        using var cpu = new CpuDevice(threads: 1);
        using var device = Open();
        using var buffer = cpu.Allocate(4);
        var e = Assert.Throws<DeviceException>(() => device.Upload([0, 0, 0, 0], new Tensor(buffer, 0, DType.Float32, [1])));
        Assert.Contains("upload it first", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Allocate_TooMuchMemory_SaysHowMuchAndWhatHelps()
    {
        using var device = Open();
        var e = Assert.Throws<DeviceException>(() => device.Allocate(1L << 45));
        Assert.Contains("could not allocate 33554432 MiB of memory", e.Message, StringComparison.Ordinal);
        Assert.Contains("tiled decoding", e.Message, StringComparison.Ordinal);
        Assert.Equal(("opencl:0", 1L << 45), (e.Device, e.NeededBytes));
        Assert.NotNull(e.FreeBytes);
    }

    private static OpenClDevice Open(IArtifactSource? artifacts = null)
    {
        if (OpenClLibrary.TryLoad(out string? problem) is { } api && OpenClInfo.All(api) is [var info, ..])
            return new OpenClDevice(api, info, 0, artifacts ?? new HandWrittenOp.Artifacts());
        throw Required.Absent("opencl", problem ?? "OpenCL: the driver has no device.");
    }
}
