using System.Diagnostics;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Times of kernels from the driver's profiling.</summary>
[Collection(nameof(OneDriverTestAtATime))]
public sealed class OpenClTimingTests
{
    [Fact]
    public void Timing_OfThreePortions_CountsTheKernelsOfEach()
    {
        var (api, spy) = DriverSpy.Watch(TestOpenCl.Api);
        using (var device = TestOpenCl.Open(api))
        using (var small = Bound(device, rows: 1))
        using (var large = Bound(device, rows: 4000))
        {
            large.Run();
            device.Synchronize();
            const int Rounds = 5; // the machine may be busy, so the least time of each portion counts
            double[] least = [double.MaxValue, double.MaxValue, double.MaxValue];
            for (int round = 0; round < Rounds; round++)
            {
                long start = Stopwatch.GetTimestamp();
                using var timing = device.StartTiming();
                small.Run();
                timing.Mark();
                timing.Mark(); // nothing in between
                for (int i = 0; i < 4; i++) large.Run();
                timing.Mark();
                double[] seconds = timing.Read();
                double wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
                Assert.True(seconds.Sum() <= wall, $"{seconds.Sum()} s of {wall} s");
                Assert.Equal(3, seconds.Length);
                Assert.True(seconds[0] > 0 && seconds[1] == 0, string.Join(", ", seconds));
                least = [.. least.Zip(seconds, Math.Min)];
            }

            Assert.True(least[2] > least[0], string.Join(", ", least));
            Assert.Equal(Rounds * 5, spy.Calls.Count(call => call == "EnqueueTimedKernel"));

            spy.Calls.Clear();
            large.Run(); // back on the device's own queue, with the result in place
            Assert.DoesNotContain("EnqueueTimedKernel", spy.Calls);
            Assert.Equal(2.0 * 3999 * 64 - 1, large.Read()[3999 * 64]);
        }

        Assert.Empty(spy.Live);
    }

    [Fact]
    public void Plan_Measured_ShowsEachStepsTimeOnTheDevice()
    {
        var (api, spy) = DriverSpy.Watch(TestOpenCl.Api);
        using var device = TestOpenCl.Open(api);
        using var arenas = new ArenaPool(device);
        var graph = new CompiledGraph(Graph.Trace("chain", g =>
            g.Output("y", g.Add(new HandWrittenOp(3, 0),
                g.Add(new HandWrittenOp(2, -1), g.Input("x", DType.Float32, Dim.Symbol("rows"), 64))))), arenas);
        using var plan = graph.Rent(new Sizes(("rows", 100)));
        var report = plan.Measure(runs: 3, TestContext.Current.CancellationToken);
        Assert.Equal(2, report.Steps.Count);
        Assert.All(report.Steps, step => Assert.InRange(step.MeasuredSeconds ?? 0, 1e-9, 1));
        Assert.Equal(2 * 3, spy.Calls.Count(call => call == "EnqueueTimedKernel"));
    }

    [Theory, InlineData("CreateCommandQueue"), InlineData("EnqueueTimedKernel"), InlineData("GetEventProfilingInfo"), InlineData("Finish")]
    public void Timing_ThatFails_LeavesNothingBehind(string function)
    {
        var (api, spy) = DriverSpy.Watch(TestOpenCl.Api);
        using (var device = TestOpenCl.Open(api))
        using (var bound = Bound(device, rows: 1))
        {
            spy.FailIn = function;
            Assert.Contains("opencl:0", Assert.Throws<DeviceException>(() =>
            {
                using var timing = device.StartTiming();
                bound.Run();
                timing.Mark();
                timing.Read();
            }).Message, StringComparison.Ordinal);
            spy.FailIn = null;
            bound.Run(); // on the device's own queue again
            Assert.Equal(-1.0, bound.Read()[0]);
        }

        Assert.Empty(spy.Live);
    }

    private static BoundCase Bound(GpuDevice device, int rows) =>
        new(device, new OpCase("", new HandWrittenOp(2, -1), [new CaseTensor([rows, 64], n => n)], 0), outputPadding: 0);
}
