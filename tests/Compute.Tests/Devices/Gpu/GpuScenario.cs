using System.Runtime.InteropServices;
using ILGpuDiffusion.Layers;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>What a device does in a life: memory, uploads through several chunks, kernels, plans with recorded runs, weights, read-backs, and its end.</summary>
internal static class GpuScenario
{
    /// <summary>Chunks of staging memory: small, so that short uploads take turns in them.</summary>
    public const int StagingBytes = 1024;

    private const int Rows = 5, Width = 67;

    /// <summary>Runs it; fails if numbers are wrong.</summary>
    public static void Run(GpuDevice device)
    {
        using (device)
        using (var arenas = new ArenaPool(device))
        {
            var model = new Model();
            model.Load(new Weights());
            var graph = new CompiledGraph(Graph.Trace("chain", g => g.Output("y", model.Forward(g.Input("x", DType.Float32, Dim.Symbol("rows"), Width)))), arenas,
                new CompileOptions { Mode = CompileMode.ReduceOverhead });
            using var pace = device.Pace(ahead: 1);
            for (int i = 0; i < 2; i++)
            {
                using var plan = graph.Rent(new Sizes(("rows", Rows)));
                float[] x = [.. Enumerable.Range(0, Rows * Width).Select(n => n * 0.25f - i)], y = new float[x.Length], w = new float[Width];
                device.Upload(MemoryMarshal.AsBytes(x.AsSpan()), plan.Input("x"));
                for (int run = 0; run < 2; run++)
                {
                    plan.Run();
                    pace.Step();
                }

                device.Download(plan.Output("y"), MemoryMarshal.AsBytes(y.AsSpan()));
                Assert.Equal(x.Select(v => 3 * (2 * v - 1)), y);
            }

            device.Synchronize();
        }
    }

    /// <summary>As <see cref="Run"/>, with each call of the driver failing in turn. A failure is reported as one or does no harm, and nothing is left behind.</summary>
    /// <param name="driver">The driver.</param>
    /// <param name="open">Opens the device over a watched driver.</param>
    /// <param name="family">How messages name it.</param>
    public static void FailEachCall<T>(T driver, Func<T, GpuDevice> open, string family) where T : class
    {
        var harmless = new SortedSet<string>(StringComparer.Ordinal);
        for (int call = 1; ; call++)
        {
            var (api, spy) = DriverSpy.Watch(driver);
            spy.FailAt = call;
            GpuDevice? device = null;
            try
            {
                Run(device = open(api));
                if (spy.Failed is null) break; // the scenario has no more calls
                harmless.Add(spy.Failed);
            }
            catch (DeviceException e)
            {
                Assert.NotNull(spy.Failed);
                Assert.Contains(family, e.Message, StringComparison.Ordinal);
            }

            Assert.True(spy.Live.Count == 0, $"Call {call}, {spy.Failed}, failed; this was not freed: {string.Join(", ", spy.Live)}.");
            Assert.Equal(0, device?.AllocatedBytes ?? 0);
        }

        // Only what frees, flushes or keeps binaries may fail unheard.
        Assert.All(harmless, name => Assert.True(
            name.Contains("Release", StringComparison.Ordinal) || name.Contains("Destroy", StringComparison.Ordinal) || name.Contains("Free", StringComparison.Ordinal) || name.Contains("Unload", StringComparison.Ordinal)
            || name is "Flush" or "Finish" or "StreamSynchronize" or "CtxSetCurrent" or "MemPoolTrimTo" or "GetProgramInfo" or "GraphExecUpdate" or "DeviceGetDefaultMemPool" or "DeviceGetAttribute", $"{name} failed, and nobody was told."));
    }

    private sealed class Model : Layer
    {
        private readonly Parameter weight;

        public Model() => weight = Weight("weight", Width);

        public Value Forward(Value x)
        {
            x.Graph.Output("w", x.Graph.Add(new HandWrittenOp(10, 1), x.Graph.Use(weight))); // a weight on its way to the device
            return x.Graph.Add(new HandWrittenOp(3, 0), x.Graph.Add(new HandWrittenOp(2, -1), x));
        }
    }

    private sealed class Weights : IWeightSource
    {
        private readonly float[] values = GC.AllocateArray<float>(Width, pinned: true);

        public string Location => "test";

        public IEnumerable<string> Names => ["weight"];

        public unsafe Tensor? Find(string name)
        {
            fixed (float* at = values) return new Tensor(HostBuffer.Borrow((nint)at, Width * sizeof(float), this), 0, DType.Float32, [Width]);
        }
    }
}
