using System.Diagnostics;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The stub driver, built from cuda.c with the machine's C compiler once per test process.</summary>
internal static class StubCuda
{
    private static readonly Lazy<(ICuda? Api, string Problem)> Built = new(Build);

    /// <summary>The stub through the product's own function table; skips the test where no C compiler is.</summary>
    public static ICuda Api => Built.Value.Api ?? throw Required.Absent("gcc", Built.Value.Problem);

    private static (ICuda? Api, string Problem) Build()
    {
        string source = Path.Combine(AppContext.BaseDirectory, "Devices", "Gpu", "Stub", "cuda.c"), library = Path.Combine(Path.GetTempPath(), $"ilgd-stub-cuda-{Environment.ProcessId}.so");
        try
        {
            using var compiler = Process.Start(new ProcessStartInfo("gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-fvisibility=hidden", "-o", library, source]) { RedirectStandardError = true })!;
            string errors = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            if (compiler.ExitCode != 0) throw new InvalidOperationException($"gcc does not build {source}: {errors}");
            var api = CudaLibrary.TryLoad(out string? problem, library);
            return (api ?? throw new InvalidOperationException(problem), "");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (null, $"No gcc is present to build the stub driver with ({e.Message}).");
        }
        finally
        {
            File.Delete(library); // a loaded library needs its file no longer
        }
    }
}
