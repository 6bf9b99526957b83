using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Each pipeline logs with its own factory, or else with that of its device.</summary>
public sealed class PipelineLoggingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CollectingLoggerFactory one = new(), other = new(), ofDevice = new();

    public void Dispose()
    {
        folder.Dispose();
        one.Dispose();
        other.Dispose();
        ofDevice.Dispose();
    }

    [Fact]
    public void FromPretrained_TwoPipelinesOnOneDevice_EachLogsItsOwn()
    {
        using var device = new CpuDevice(threads: 1, ofDevice);
        string repaired = Folder("repaired", "scheduler/scheduler_config.json", "steps_offset");
        string old = Folder("old", "unet/config.json", "_diffusers_version");
        using var first = DiffusionPipeline.FromPretrained(repaired, new PipelineOptions { Device = device, LoggerFactory = one });
        using var second = DiffusionPipeline.FromPretrained(old, new PipelineOptions { Device = device, LoggerFactory = other });
        _ = (first.Scheduler, second.Scheduler);
        foreach (var log in new[] { one, other })
            Assert.Equal("Precisions", Assert.Single(log.Lines, line => line.Level == LogLevel.Debug).Id.Name);
        var warning = Assert.Single(one.Lines, line => line.Level != LogLevel.Debug);
        Assert.Equal((3001, "OldDefaultRepaired"), (warning.Id.Id, warning.Id.Name));
        Assert.Equal($"{Path.Combine(repaired, "scheduler", "scheduler_config.json")}: has no steps_offset; taken as steps_offset 1, "
            + "as diffusers takes old files.", warning.Text);
        warning = Assert.Single(other.Lines, line => line.Level != LogLevel.Debug);
        Assert.Equal((3000, "OldValueRepaired"), (warning.Id.Id, warning.Id.Name));
        Assert.Contains("'sample_size' is 8; taken as 64, as diffusers takes old files", warning.Text, StringComparison.Ordinal);
        Assert.Empty(ofDevice.Lines);
    }

    [Fact]
    public void FromPretrained_WithoutAFactory_LogsWithTheDevices()
    {
        using var device = new CpuDevice(threads: 1, ofDevice);
        string old = Folder("old", "unet/config.json", "_diffusers_version");
        using var pipeline = DiffusionPipeline.FromPretrained(old, new PipelineOptions { Device = device });
        Assert.Contains("'sample_size' is 8", Assert.Single(ofDevice.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void FromPretrained_WithoutADevice_OpensOneWithTheFactory()
    {
        string plain = Folder("plain", "model_index.json", "requires_safety_checker");
        using var pipeline = DiffusionPipeline.FromPretrained(plain, new PipelineOptions { LoggerFactory = one });
        Assert.Same(one, pipeline.Device.LoggerFactory);
        Assert.Empty(ofDevice.Lines);
    }

    /// <summary>A tiny model with a key of a file made old: another version, or absent.</summary>
    private string Folder(string name, string file, string key)
    {
        string path = Path.Combine(folder.Path, name);
        TinySd.WriteTo(path);
        TinySd.Edit(path, file, json =>
        {
            json.Remove(key);
            if (key == "_diffusers_version") json[key] = "0.6.0";
        });
        return path;
    }
}
