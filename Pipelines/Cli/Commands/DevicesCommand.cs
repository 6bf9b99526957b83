using System.CommandLine;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Cli.Commands;

/// <summary><c>ilgd devices</c>: lists the devices that can generate images, best first, and why others cannot be used.</summary>
internal static class DevicesCommand
{
    public static Command Create()
    {
        var json = Options.Json("the list");
        var command = new Command("devices", "Lists the devices of this machine") { json };
        command.SetAction(parsed =>
        {
            var devices = DeviceCatalog.List(MessageLoggers.Instance);
            string best = devices.First(d => d.Problem is null && d.IsChosenByItself).Id;
            if (parsed.GetValue(json)) JsonOutput.Print(devices.Select(d => Form(d, d.Id == best, Attention(d))));
            else
            {
                var table = new Listing("", "");
                foreach (var device in devices)
                {
                    table.Add(device.Id, Line(device, device.Id == best));
                    if (Attention(device) is { } choice) table.Add("", AttentionReport.Line(choice));
                }

                table.Print();
            }

            foreach (string absence in DeviceCatalog.Absences()) Messages.Note(absence);
            return ExitCodes.Done;
        });
        return command;
    }

    private static object Form(DeviceInfo device, bool best, AttentionChoice? attention) => new
    {
        id = device.Id,
        name = device.Name,
        backend = device.Backend.ToString().ToLowerInvariant(),
        architecture = device.Architecture,
        threads = device.Backend == Backends.Cpu ? Environment.ProcessorCount : (int?)null,
        memory_bytes = device.MemoryBytes,
        driver = device.Driver,
        capabilities = device.Capabilities,
        attention = attention is null ? null : AttentionReport.Of(attention),
        usable = device.Problem is null,
        problem = device.Problem,
        auto = best,
    };

    /// <summary>What a usable device takes for a head of 64 in its own type.</summary>
    private static AttentionChoice? Attention(DeviceInfo device)
    {
        if (device.Problem is not null) return null;
        try
        {
            using var opened = DeviceCatalog.Open(device.Id, loggerFactory: MessageLoggers.Instance);
            return AttentionChoice.For(opened, opened.PreferredDType);
        }
        catch (DeviceException e)
        {
            Messages.Warning(e.Message);
            return null;
        }
    }

    private static string Line(DeviceInfo device, bool best)
    {
        string[] facts = [device.Name, device.Architecture, $"{Quantity.Bytes(device.MemoryBytes)} of memory", .. device.Capabilities,
            device.Driver];
        return string.Join(", ", facts.Where(f => f.Length > 0)) + (best ? "  ← auto" : "")
            + (device.Problem is { } problem ? $"  cannot be used: {problem}" : "");
    }
}
