using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Everything that a device does: memory, uploads through several chunks, kernels, plans with recorded runs, weights, read-backs, and its
/// end.
/// </summary>
internal static class GpuScenario
{
    /// <summary>Chunks of staging memory, small enough that short uploads need several.</summary>
    public const int StagingBytes = 1024;

    private const int Rows = 5, Width = 67;

    /// <summary>Frees, waits and queries, whose failures need not be reported, because results stay correct.</summary>
    private static readonly string[] Unheard =
    [
        "Flush", "Finish", "StreamSynchronize", "CtxSetCurrent", "MemPoolTrimTo", "MemGetInfo", "GetProgramInfo", "GraphExecUpdate",
            "DeviceGetDefaultMemPool", "DeviceGetAttribute", "GetErrorName",
    ];

    /// <summary>Runs it; fails if numbers are wrong.</summary>
    public static void Run(GpuDevice device)
    {
        using (device)
        using (var arenas = new ArenaPool(device))
        {
            var model = new Model();
            model.Load(new Weights());
            var options = new CompileOptions { Mode = CompileMode.ReduceOverhead };
            var graph = new CompiledGraph(
                Graph.Trace("chain", g => g.Output("y", model.Forward(g.Input("x", DType.Float32, Dim.Symbol("rows"), Width)))), arenas,
                    options);
            var larger = new CompiledGraph(
                Graph.Trace("larger", g =>
                    g.Output("y", g.Add(new HandWrittenOp(1, 0), g.Input("x", DType.Float32, Dim.Symbol("rows"), Width)))), arenas);
            using var pace = device.LimitInFlight(ahead: 1);
            for (int i = 0; i < 2; i++)
            {
                using (var plan = graph.Rent(new Sizes(("rows", Rows))))
                {
                    float[] x = [.. Enumerable.Range(0, Rows * Width).Select(n => n * 0.25f - i)], y = new float[x.Length];
                    device.Upload(MemoryMarshal.AsBytes(x.AsSpan()), plan.Input("x"));
                    for (int run = 0; run < 2; run++)
                    {
                        plan.Run();
                        pace.Step();
                    }

                    device.Download(plan.Output("y"), MemoryMarshal.AsBytes(y.AsSpan()));
                    Assert.Equal(x.Select(v => 3 * (2 * v - 1)), y);
                }

                // takes the arena and enlarges it: the recording has to be updated
                if (i == 0) larger.Rent(new Sizes(("rows", 40 * Rows))).Dispose();
            }

            if (device.Backend == Backends.Cuda) device.Function(HandWrittenOp.Source with { DynamicSharedBytes = 100 << 10 });
            TimeOne(device, larger);
            RunShort(device);
            device.Synchronize();
        }
    }

    private static void TimeOne(GpuDevice device, CompiledGraph graph)
    {
        using var plan = graph.Rent(new Sizes(("rows", Rows)));
        using var timing = device.StartTiming();
        plan.Run();
        timing.Mark();
        Assert.Single(timing.Read());
    }

    // There is not that much memory.
    private static void RunShort(GpuDevice device)
    {
        var e = Assert.Throws<DeviceException>(() => device.Allocate(1L << 45));
        if (!e.Message.Contains("could not allocate 33554432 MiB of memory", StringComparison.Ordinal)) throw e; // something else failed
    }

    /// <summary>
    /// As <see cref="Run"/>, once for each call of the driver, which fails alone or with all later ones. A failure is reported with the
    /// function's name, or does no harm; nothing is leaked or freed twice.
    /// </summary>
    /// <param name="driver">The driver.</param>
    /// <param name="open">Opens the device over a watched driver.</param>
    /// <param name="family">Its name in messages.</param>
    /// <param name="functions">The spy's name of each function, and its name in messages: all that the scenario must call.</param>
    public static void FailEachCall<T>(T driver, Func<T, GpuDevice> open, string family, IReadOnlyDictionary<string, string> functions)
        where T : class
    {
        var (watched, whole) = DriverSpy.Watch(driver);
        Run(open(watched));
        Assert.Empty(whole.Live);
        Assert.Empty(whole.Misuses);
        var calls = whole.Calls.GroupBy(name => name).OrderBy(c => c.Key, StringComparer.Ordinal).ToList();
        Assert.Equal(functions.Keys.Order(StringComparer.Ordinal), calls.Select(c => c.Key));
        foreach (var call in calls)
        {
            for (int occurrence = 1; occurrence <= call.Count(); occurrence++)
            {
                Fail(alone: true, call.Key, occurrence);
                Fail(alone: false, call.Key, occurrence);
            }
        }

        void Fail(bool alone, string function, int occurrence)
        {
            var (api, spy) = DriverSpy.Watch(driver);
            (spy.FailAtOccurrence, spy.FailsOn) = ((function, occurrence), !alone);
            GpuDevice? device = null;
            DeviceException? error = null;
            try
            {
                Run(device = open(api));
            }
            catch (DeviceException e)
            {
                error = e;
            }

            string what = $"Call {occurrence} of {function}{(alone ? "" : " and all that follow")} failed";
            // the number of some calls depends on when the loading threads run
            if (spy.Failed is null) Assert.True(occurrence > 1, $"{function} was not called.");
            else if (error is not null) CheckMessage(error.Message, what, alone ? function : null);
            else Assert.True(IsUnheard(spy, function, occurrence), $"{what}, and nobody was told.");
            Assert.True(spy.Live.Count == 0, $"{what}; this was not freed: {string.Join(", ", spy.Live)}.");
            Assert.True(spy.Misuses.Count == 0, $"{what}; {string.Join(", ", spy.Misuses)}.");
            Assert.True((device?.AllocatedBytes ?? 0) == 0, $"{what}; {device?.AllocatedBytes} bytes still count as allocated.");
        }

        void CheckMessage(string message, string what, string? function)
        {
            Assert.Contains(family, message, StringComparison.Ordinal);
            if (function is null) return;
            Assert.True(message.Contains(functions[function], StringComparison.Ordinal),
                $"{what}; the message does not name {functions[function]}: {message}");
            if (function is "LaunchKernel" or "GraphLaunch" or "GraphInstantiate" or "EnqueueNDRangeKernel" or "EnqueueTimedKernel"
                or "SetKernelArg")
                Assert.True(message.Contains("hand_written", StringComparison.Ordinal)
                    || message.Contains("launches", StringComparison.Ordinal), $"{what}; the message names no op: {message}");
            if (function.StartsWith("Link", StringComparison.Ordinal)
                || function is "ModuleLoadDataEx" or "FuncSetAttribute" or "CreateProgramWithSource" or "BuildProgram")
                Assert.True(message.Contains($"{HandWrittenOp.Source}", StringComparison.Ordinal),
                    $"{what}; the message names no kernel: {message}");
        }
    }

    private static bool IsUnheard(DriverSpy spy, string function, int occurrence) => Unheard.Contains(function)
        // the cached binary was refused, so the text was compiled
        || (function == "ModuleLoadDataEx" && spy.Calls.Count(c => c == function) > occurrence)
        || function.Contains("Release", StringComparison.Ordinal) || function.Contains("Destroy", StringComparison.Ordinal)
            || function.Contains("Free", StringComparison.Ordinal) || function.Contains("Unload", StringComparison.Ordinal);

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
            fixed (float* at = values)
                return new Tensor(HostBuffer.Borrow((nint)at, Width * sizeof(float), this), 0, DType.Float32, [Width]);
        }
    }
}
