using System.CommandLine;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary>The options that select the device.</summary>
internal sealed class DeviceArguments
{
    private readonly Option<string?> device = Options.Device();
    private readonly Option<int?> threads = Options.Positive("--threads", "Worker threads of the CPU");

    /// <summary>Device and threads.</summary>
    public IReadOnlyList<Option> All => [device, threads];

    /// <summary>Opens the device.</summary>
    /// <exception cref="ArgumentException">Threads are given for a device other than the CPU.</exception>
    /// <exception cref="DeviceException">The device does not exist or cannot be used.</exception>
    public Device Open(ParseResult parsed)
    {
        var (id, count) = (parsed.GetValue(device) ?? "auto", parsed.GetValue(threads));
        if (count is not null && id is not ("auto" or "cpu"))
            throw new ArgumentException($"--threads is {count}, but --device is '{id}': only the CPU has worker threads. Leave one of " +
                "them out.");
        var opened = DeviceCatalog.Open(id, count, MessageLoggers.Instance);
        Interrupts.Renew();
        if (count is not null && opened.Backend != Backends.Cpu) Messages.Warning($"--threads has no effect on {opened.Id}.");
        return opened;
    }
}
