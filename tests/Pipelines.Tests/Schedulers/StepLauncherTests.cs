using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Step programs on a device against their interpreter, for settings whose programs differ.</summary>
public sealed class StepLauncherTests
{
    private const int Size = 24, Steps = 6;

    // sums of up to six products in float32, whose order differs between the two
    private const double Tolerance = 2e-6;

    private static readonly string[] Clippings =
        ["\"clip_sample\": false", "\"clip_sample\": true", "\"clip_sample\": false, \"thresholding\": true"];

    public static TheoryData<string, string> Settings
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string name in Scheduler.Names.Append("plms"))
                foreach (string prediction in new[] { "epsilon", "v_prediction" })
                    foreach (string clipping in Clippings)
                        data.Add(name, $$"""{"beta_schedule": "scaled_linear", "prediction_type": "{{prediction}}", {{clipping}}}""");
            return data;
        }
    }

    [Theory, MemberData(nameof(Settings))]
    public void Run_AnyProgram_EqualsTheInterpreter(string name, string settings)
    {
        var schedule = SchedulerGoldens.FromJson(settings, name).CreateSchedule(Steps);
        var expected = new StepRunner(schedule, Size, single: true);
        using var device = new CpuDevice(threads: 1);
        using var scope = new DeviceScope(device);
        Tensor sample = scope.Allocate(DType.Float32, [1, 2, 3, 4]), output = scope.Allocate(DType.Float32, [1, 2, 3, 4]);
        using var states = new SchedulerStates(device);
        foreach (var state in states.Rent(8, sample.Shape)) state.Span<float>().Fill(float.NaN); // as a run that failed leaves them
        using var actual = new StepLauncher(states, schedule, sample, output);
        var random = new Random(7);
        double largest = 0;
        expected[Slot.Sample] = Fill(sample, schedule.InitNoiseSigma);
        for (int i = 0; i < schedule.Timesteps.Count; i++)
        {
            expected[Slot.ModelOutput] = Fill(output, 1);
            expected[Slot.Noise] = Fill(actual.Noise, 1);
            expected.Step(i);
            actual.Run(i);
            largest = Math.Max(largest, expected[Slot.Sample].Max(Math.Abs));
            float[] found = new float[Size];
            device.Download(sample, MemoryMarshal.AsBytes(found.AsSpan()));
            double error = expected[Slot.Sample].Zip(found, (e, a) => Math.Abs(e - a)).Max();
            Assert.True(error <= Tolerance * largest, $"evaluation {i} is off by {error:g3} of {largest:g3}");
        }

        double[] Fill(Tensor tensor, double scale)
        {
            float[] values = [.. Enumerable.Range(0, Size).Select(_ => (float)((random.NextDouble() * 4 - 2) * scale))];
            device.Upload(MemoryMarshal.AsBytes(values.AsSpan()), tensor);
            return [.. values.Select(v => (double)v)];
        }
    }
}
