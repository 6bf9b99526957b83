using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Where a run begins whose steps evaluate the model twice.</summary>
public sealed class DenoisingRangeTests
{
    private static readonly Image Grey = new(32, 32, [.. Enumerable.Repeat((byte)128, 32 * 32 * 3)]);

    [Theory]
    [InlineData("heun"), InlineData("euler")]
    public void Generate_StrengthOfHalf_MakesHalfOfTheSteps(string scheduler)
    {
        int order = scheduler == "heun" ? 2 : 1;
        Assert.Equal(order * 5 - (order - 1), Evaluations(scheduler, start: null, strength: 0.5, out _));
    }

    [Theory]
    [InlineData("heun"), InlineData("euler")]
    public void Generate_DenoisingStart_BeginsWithAWholeStep(string scheduler)
    {
        int evaluations = Evaluations(scheduler, start: 0.35, strength: null, out var timesteps);
        // Heun's last evaluation of the step before begins the first one here, as in diffusers.
        Assert.Equal(timesteps.Count(t => t < 650) + (scheduler == "heun" ? 1 : 0), evaluations);
    }

    /// <summary>The evaluations of a run of 10 steps.</summary>
    private static int Evaluations(string scheduler, double? start, double? strength, out IReadOnlyList<double> timesteps)
    {
        using var device = new CpuDevice(threads: 1);
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder, new PipelineOptions { Device = device });
        var chosen = pipeline.CreateScheduler(scheduler);
        timesteps = chosen.CreateSchedule(10).Timesteps;
        var request = TinySdxl.Request with
        {
            Steps = 10,
            Scheduler = chosen,
            InitImage = Grey,
            DenoisingStart = start,
            Strength = strength,
            KeepIntermediates = true,
            Decode = false,
        };
        return pipeline.Generate(request, null, default).Intermediates.Count;
    }
}
