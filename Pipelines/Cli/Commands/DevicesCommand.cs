using System.CommandLine;
using System.Text.Json;
using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Cli;

/// <summary><c>ilgd devices</c>: what pictures can be drawn on here.</summary>
internal static class DevicesCommand
{
    public static Command Create()
    {
        var json = Options.Json("the list");
        var command = new Command("devices", "Lists the devices of this machine") { json };
        command.SetAction(parsed =>
        {
            using var cpu = (CpuDevice)DeviceCatalog.Open("cpu");
            if (parsed.GetValue(json))
                Console.WriteLine(JsonSerializer.Serialize(new[] { new { id = cpu.Id, name = cpu.Name, architecture = cpu.Architecture, threads = cpu.Threads, memory_bytes = cpu.MemoryBytes } }, JsonForm.Indented));
            else
                Console.WriteLine($"{cpu.Id}  {cpu.Name}, {cpu.Architecture}, {cpu.Threads} thread(s), {Quantity.Bytes(cpu.MemoryBytes)} of memory");
            return ExitCodes.Done;
        });
        return command;
    }
}
