using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>
/// Runs a model on request, so that another process can interleave several builds. Writes a hash of its output when it is ready; then reads
/// lines with a number of runs, and for each writes the seconds and processor seconds of one run.
/// </summary>
internal static class ModelOnRequest
{
    public static void Run(string model, int pixels, int batch, string where, DType dtype, int? threads, bool int8)
    {
        using var device = DeviceCatalog.Open(where, threads);
        using var run = new ModelRun(ModelFiles.Folder(model), pixels, batch, device, int8, dtype: dtype);
        run.Plan.Run();
        Console.WriteLine(Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(run.Output().AsSpan())))[..16]);
        while (Console.ReadLine() is { } line)
        {
            int repeats = int.Parse(line, CultureInfo.InvariantCulture);
            var processor = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < repeats; i++) run.Plan.Run();
            device.Synchronize();
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{seconds / repeats:R} {(Environment.CpuUsage.TotalTime - processor).TotalSeconds / repeats:R}"));
        }
    }
}
