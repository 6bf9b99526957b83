using System.Text;
using System.Text.Json.Nodes;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Checkpoints;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Old settings that diffusers' StableDiffusionPipeline repairs on loading: an old folder gives the same image as a repaired one, with a
/// warning for each change.
/// </summary>
public sealed class OldConfigsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("PNDMScheduler", "steps_offset", null, "1", null)] // null stands for an absent key
    [InlineData("PNDMScheduler", "steps_offset", "0", "1", null)]
    [InlineData("PNDMScheduler", "steps_offset", "null", "1", null)]
    [InlineData("PNDMScheduler", "steps_offset", "0", "1", "ddim")] // a value of the file is also repaired for another class
    [InlineData("DDIMScheduler", "clip_sample", null, "false", null)]
    [InlineData("DDIMScheduler", "clip_sample", "true", "false", null)]
    [InlineData("DDIMScheduler", "clip_sample", "true", "false", "lcm")]
    public void Scheduler_OldFile_DrawsAsItsRepairedTwin(string className, string key, string? old, string repaired, string? chosen)
    {
        TinySd.WriteTo(folder.Path);
        TinySd.Edit(folder.Path, "model_index.json", json => json["scheduler"] = new JsonArray("diffusers", className));
        TinySd.Edit(folder.Path, "scheduler/scheduler_config.json", json =>
        {
            json["_class_name"] = className;
            json[key] = JsonNode.Parse(repaired);
        });
        using var log = new CollectingLoggerFactory();
        var options = new PipelineOptions { LoggerFactory = log };
        float[] Draw() => TinySd.Draw(folder.Path, p => TinySd.Request with { Scheduler = p.CreateScheduler(chosen) }, options);
        float[] expected = Draw();
        Assert.Empty(log.Warnings);
        TinySd.Edit(folder.Path, "scheduler/scheduler_config.json", json =>
        {
            if (old is null) json.Remove(key);
            else json[key] = JsonNode.Parse(old);
        });
        Assert.Equal(expected, Draw());
        string warning = Assert.Single(log.Warnings);
        string[] expectedTexts = [key, "scheduler_config.json", "as diffusers takes old files"];
        Assert.All(expectedTexts, text => Assert.Contains(text, warning, StringComparison.Ordinal));
    }

    [Fact]
    public void CreateScheduler_OtherClassOrSettings_DoesNotTakeTheRepairedValue()
    {
        TinySd.WriteTo(folder.Path);
        TinySd.Edit(folder.Path, "scheduler/scheduler_config.json", json => json.Remove("steps_offset"));
        using var device = new CpuDevice(threads: 1);
        using var pipeline = DiffusionPipeline.FromPretrained(folder.Path, new PipelineOptions { Device = device });
        Assert.Equal(901, pipeline.Scheduler.CreateSchedule(10).Timesteps[0]);
        Assert.Equal(901, pipeline.CreateScheduler("plms").CreateSchedule(10).Timesteps[0]);
        // diffusers: a default of PNDMScheduler does not apply to other classes
        Assert.Equal(900, pipeline.CreateScheduler("ddim").CreateSchedule(10).Timesteps[0]);
        using var zero = System.Text.Json.JsonDocument.Parse("0");
        Assert.Equal(900, pipeline.CreateScheduler(null, [KeyValuePair.Create("steps_offset", zero.RootElement)])
            .CreateSchedule(10).Timesteps[0]);
    }

    [Fact]
    public void FromPretrained_OldConfigOfXl_RepairsNothing()
    {
        TinySdxl.CopyTo(folder.Path);
        TinySd.Edit(folder.Path, "scheduler/scheduler_config.json", json => json["steps_offset"] = 0);
        using var log = new CollectingLoggerFactory();
        using var device = new CpuDevice(threads: 1);
        using var pipeline = DiffusionPipeline.FromPretrained(folder.Path, new PipelineOptions { Device = device, LoggerFactory = log });
        Assert.Equal(900, pipeline.Scheduler.CreateSchedule(10).Timesteps[0]);
        Assert.Empty(log.Warnings);
    }

    [Theory]
    [InlineData("0.8.0", "32", 64)]
    [InlineData("0.8.1.dev0", "32", 64)]
    [InlineData("0.2", "8", 64)]
    [InlineData("0.8.0", "64", 64)]
    [InlineData("0.8.0", "96", 96)]
    [InlineData("0.9.0.dev0", "32", 32)]
    [InlineData("0.32.2", "32", 32)]
    [InlineData("x", "32", 32)]
    public void UNet_SampleSizeOfOldVersions_Is64(string version, string size, int expected)
    {
        var config = ModelConfig.Parse(Encoding.UTF8.GetBytes($$"""{"_diffusers_version": "{{version}}", "sample_size": {{size}}}"""),
            $"{folder.Path}/config.json");
        using var log = new CollectingLoggerFactory();
        Assert.Equal(expected, OldConfigs.UNet(config, log).Int("sample_size"));
        Assert.Equal(expected.ToString(System.Globalization.CultureInfo.InvariantCulture) == size ? 0 : 1, log.Warnings.Count);
    }

    [Fact]
    public void UNet_SampleSizeOfOldVersions_GivesTheDefaultSize()
    {
        TinySd.WriteTo(folder.Path);
        TinySd.Edit(folder.Path, "unet/config.json", json => json["_diffusers_version"] = "0.6.0");
        using var device = new CpuDevice(threads: 1);
        using var pipeline = DiffusionPipeline.FromPretrained(folder.Path, new PipelineOptions { Device = device });
        Assert.Equal(new PixelSize(512, 512), pipeline.Defaults.Size);
    }

    [Fact]
    public void UNet_SampleSizeOfTwoNumbers_IsHeightAndWidth()
    {
        TinySd.WriteTo(folder.Path);
        TinySd.Edit(folder.Path, "unet/config.json", json => json["sample_size"] = new JsonArray(8, 12));
        using var device = new CpuDevice(threads: 1);
        using var pipeline = DiffusionPipeline.FromPretrained(folder.Path, new PipelineOptions { Device = device });
        Assert.Equal(new PixelSize(96, 64), pipeline.Defaults.Size);
    }
}
