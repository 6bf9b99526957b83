using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Plans of loaded pipelines, and of pipelines without weights.</summary>
public sealed class InspectionTests
{
    private static readonly PixelSize Size = new(64, 32);

    public static TheoryData<string> Models =>
        ["tiny-sdxl", "tiny-sd15", "tiny-sd21-v", "tiny-sdxl-refiner", "tiny-sdxl-single-file/tiny-sdxl.safetensors"];

    [Theory, MemberData(nameof(Models))]
    public async Task InspectAsync_EveryModel_ShowsItsPlans(string model)
    {
        using var device = new CpuDevice(threads: 1);
        string path = TinySdxl.FolderOf(model);
        using var pipeline = Load(path, device);
        using var declared = Load(path, device, weights: false);
        var plans = await pipeline.InspectAsync(Size, cancellation: TestContext.Current.CancellationToken);
        var same = await declared.InspectAsync(Size, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal([("denoiser", true), ("decoder", false)], plans.Select(plan => (plan.Name, plan.Guided)));
        foreach (var (plan, other) in plans.Zip(same))
        {
            Assert.Equal(Size, plan.Size);
            Assert.True(plan.Report.Steps.Count < plan.Plain.Steps.Count + plan.Plain.LoopInvariantSteps.Count && plan.Report.Flops > 0);
            Assert.Null(plan.Report.MeasuredSeconds);
            Assert.True(plan.Compilation.Kernels > 0);
            Assert.Equal((plan.Report.Flops, plan.Report.ArenaBytes), (other.Report.Flops, other.Report.ArenaBytes));
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task InspectAsync_Measured_TimesEveryStep(bool inpaints)
    {
        using var folder = new TemporaryFolder();
        string model = TinySd.WriteTo(Path.Combine(folder.Path, "sd"));
        if (inpaints)
        {
            TinySd.Edit(model, "unet/config.json", config => config["in_channels"] = 9);
            TinySd.WriteUNet(model);
        }

        using var device = new CpuDevice(threads: 1);
        using var pipeline = Load(model, device);
        Assert.Equal(inpaints, pipeline.Limits.InpaintingOnly);
        var plans = await pipeline.InspectAsync(Size, measure: true, TestContext.Current.CancellationToken);
        Assert.All(plans.SelectMany(plan => plan.Report.Steps), step => Assert.True(step.MeasuredSeconds > 0));
    }

    [Fact]
    public async Task LoadWeights_False_GeneratesNothing()
    {
        using var device = new CpuDevice(threads: 1);
        using var pipeline = Load(TinySdxl.Folder, device, weights: false);
        var cancellation = TestContext.Current.CancellationToken;
        foreach (var call in (Func<Task>[])[() => pipeline.GenerateAsync(TinySdxl.Request, null, cancellation),
            () => pipeline.EncodePromptsAsync(TinySdxl.Request, cancellation),
            () => pipeline.InspectAsync(Size, measure: true, cancellation)])
            Assert.Contains("was loaded without weights (PipelineOptions.LoadWeights is false)",
                (await Assert.ThrowsAsync<InvalidOperationException>(call)).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(63, 64), InlineData(64, 0), InlineData(-8, 8)]
    public async Task InspectAsync_SizeThatTheModelDoesNotDraw_IsRefused(int width, int height)
    {
        using var device = new CpuDevice(threads: 1);
        using var pipeline = Load(TinySdxl.Folder, device, weights: false);
        var cancellation = TestContext.Current.CancellationToken;
        var e = await Assert.ThrowsAsync<ArgumentException>(() => pipeline.InspectAsync(new(width, height), false, cancellation));
        Assert.Equal("size", e.ParamName);
        await Assert.ThrowsAsync<ArgumentException>(() => pipeline.TuneAsync([new(width, height)], cancellation: cancellation));
    }

    [Fact]
    public async Task TuneAsync_SecondTime_FindsNothingToMeasure()
    {
        using var device = new CpuDevice(threads: 1);
        using var pipeline = Load(TinySdxl.Folder, device);
        var options = new TunerOptions { Budget = TimeSpan.FromMilliseconds(5) };
        var cancellation = TestContext.Current.CancellationToken;
        await pipeline.TuneAsync([Size], options, cancellation: cancellation);
        Assert.Empty((await pipeline.TuneAsync([Size], options, cancellation: cancellation)).Results);
    }

    private static DiffusionPipeline Load(string model, Device device, bool weights = true) => DiffusionPipeline.FromPretrained(model,
        new PipelineOptions
        {
            Device = device,
            LoadWeights = weights,
            Source = File.Exists(model) ? new ModelSourceOptions { ConfigFolder = Golden.Folder("tiny-sdxl") } : null,
        });
}
