using System.CommandLine;
using ILGpuDiffusion.Compute;

namespace ILGpuDiffusion.Cli;

/// <summary><c>ilgd cache</c>: compiled GPU kernels on disk.</summary>
internal static class CacheCommand
{
    public static Command Create()
    {
        var json = Options.Json("the facts");
        var info = new Command("info", "Says where compiled kernels lie and how much space they take") { json };
        info.SetAction(parsed =>
        {
            var cache = CompiledKernels.Info();
            Console.WriteLine(parsed.GetValue(json)
                ? JsonForm.Text(new { folder = cache.Folder, kernels = cache.Kernels, binaries = cache.Binaries, bytes = cache.Bytes, limit_bytes = cache.LimitBytes })
                : cache.Folder is null ? "off (ILGPUDIFFUSION_CACHE)"
                : $"{cache.Folder}  {cache.Kernels} kernel(s), {cache.Binaries} driver binaries, {Quantity.Bytes(cache.Bytes)} of at most {Quantity.Bytes(cache.LimitBytes)}");
            return ExitCodes.Done;
        });
        var clear = new Command("clear", "Removes compiled kernels; they are compiled again when needed");
        clear.SetAction(_ =>
        {
            Console.WriteLine($"{CompiledKernels.Clear()} file(s) removed");
            return ExitCodes.Done;
        });
        return new Command("cache", "Compiled GPU kernels on disk") { info, clear };
    }
}
