using System.Diagnostics;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The stub driver, built from cuda.c with the machine's C compiler once per test process.</summary>
internal static class StubCuda
{
    private static readonly Lazy<(ICuda? Api, string Problem)> Built = new(() => BuildWithout());

    /// <summary>The stub through the library's function table; skips the test if there is no C compiler.</summary>
    public static ICuda Api => Built.Value.Api ?? throw Required.Absent("gcc", Built.Value.Problem);

    /// <summary>The stub as an older driver, which lacks some functions; or the reason why it cannot be used.</summary>
    public static (ICuda? Api, string Problem) BuildWithout(params string[] functions) =>
        Build<ICuda>((string path, out string? problem) => CudaLibrary.TryLoad(out problem, path), functions);

    /// <summary>The stub loaded as an OpenCL driver.</summary>
    public static IOpenCl? AsOpenCl(out string? problem)
    {
        (var api, problem) = Build<IOpenCl>((string path, out string? why) => OpenClLibrary.TryLoad(out why, path), []);
        return api;
    }

    private delegate T? Load<T>(string path, out string? problem);

    private static (T? Api, string Problem) Build<T>(Load<T> load, string[] without) where T : class
    {
        string source = Path.Combine(AppContext.BaseDirectory, "Devices", "Gpu", "Stub", "cuda.c"),
            library = Path.Combine(Path.GetTempPath(), $"ilgd-stub-cuda-{Guid.NewGuid():n}.so");
        try
        {
            string[] renamed = [.. without.Select(function => $"-D{function}=no_{function}")];
            using var compiler = Process.Start(
                new ProcessStartInfo("gcc",
                    ["-shared", "-fPIC", "-pthread", "-O1", "-Wall", "-fvisibility=hidden", .. renamed, "-o", library,
                        source])
                { RedirectStandardError = true })!;
            string errors = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            if (compiler.ExitCode != 0) throw new InvalidOperationException($"gcc does not build {source}: {errors}");
            var api = load(library, out string? problem);
            return (api, problem ?? "");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (null, $"No gcc is present to build the stub driver with ({e.Message}).");
        }
        finally
        {
            File.Delete(library); // a loaded library does not need its file
        }
    }
}
