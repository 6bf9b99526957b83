namespace ILGpuDiffusion.Equivalence;

/// <summary>One run of the tool.</summary>
/// <param name="Name">Describes the run.</param>
/// <param name="Arguments">Arguments other than prompt, seed and files.</param>
internal sealed record Drawing(string Name, string[] Arguments);

/// <summary>
/// The runs: the model that ships with the tool and small ones of the reference data, in each type, with each scope of compilation, and
/// with each family of schedulers.
/// </summary>
internal static class Drawings
{
    private static readonly string[] Schedulers = ["ddim", "dpmpp_2m_karras", "dpmpp_2m_sde", "euler_a", "lcm", "pndm"];

    /// <summary>All runs.</summary>
    /// <param name="build">The checkout whose reference data is used.</param>
    /// <param name="work">A folder for derived models.</param>
    public static IEnumerable<Drawing> All(string build, string work)
    {
        const string Cpu = "cpu", OpenCl = "opencl:0";
        foreach (var (device, steps) in new[] { (Cpu, "4"), (OpenCl, "1") }) // OpenCL mostly compiles
        {
            string[] on = ["--device", device, "--steps", steps];
            yield return new($"small, {device}, int8", [.. on, "--quantize", "int8"]);
            yield return new($"small, {device}, none", [.. on, "--compile", "none"]);
            yield return new($"small, {device}, none with QKV", [.. on, "--compile", "none", "--fuse-qkv"]);
            foreach (string scope in new[] { "full", "blocks", "regions" })
                yield return new($"small, {device}, {scope}", [.. on, "--compile-scope", scope]);
            yield return new($"small, {device}, two images", [.. on, "--count", "2"]);
        }

        yield return new($"small, {Cpu}, as it comes", ["--device", Cpu]);
        foreach (string dtype in new[] { "fp16", "bf16" })
            yield return new($"small, {OpenCl}, {dtype}", ["--device", OpenCl, "--dtype", dtype, "--steps", "1"]);
        foreach (string scheduler in Schedulers)
            yield return new($"small, {Cpu}, {scheduler}", ["--device", Cpu, "--scheduler", scheduler, "--steps", "4"]);
        yield return new($"small, {Cpu}, FreeU", ["--device", Cpu, "--freeu", "0.9,0.2,1.2,1.4", "--steps", "2"]);
        yield return new($"small, {Cpu}, one thread", ["--device", Cpu, "--threads", "1", "--steps", "2"]);
        yield return new($"small, {Cpu}, odd size", ["--device", Cpu, "--width", "136", "--height", "104", "--steps", "2"]);

        foreach (var (name, folder, more) in Models(build, work))
        {
            yield return new($"{name}, {Cpu}",
                ["--model", folder, "--device", Cpu, "--steps", "4", "--width", "64", "--height", "64", .. more]);
            yield return new($"{name}, {Cpu}, tiled VAE, two images",
                ["--model", folder, "--device", Cpu, "--steps", "2", "--width", "192", "--height", "128", "--count", "2", "--vae-tiling",
                    .. more]);
            yield return new($"{name}, {OpenCl}",
                ["--model", folder, "--device", OpenCl, "--steps", "1", "--width", "64", "--height", "64", .. more]);
        }
    }

    private static IEnumerable<(string Name, string Folder, string[] More)> Models(string build, string work)
    {
        string complete = Environment.GetEnvironmentVariable("ILGPUDIFFUSION_GOLDENS") is { Length: > 0 } named ? named
            : Path.Combine(build, "../shared/goldens");
        foreach (var (name, more) in new[] { ("tiny-sdxl", Array.Empty<string>()), ("tiny-sd15", []), ("tiny-sd15", ["--variant", "fp16"]),
            ("tiny-sd21-v", []) })
        {
            string folder = Path.Combine(complete, name), shown = string.Join(' ', [name, .. more]);
            if (Directory.Exists(folder)) yield return (shown, folder, more);
            else Console.WriteLine($"{shown} is left out: {complete} has none; ILGPUDIFFUSION_GOLDENS names the complete reference data.");
            if (name != "tiny-sdxl" || !Directory.Exists(folder)) continue;
            string narrow = Path.Combine(work, "tiny-sdxl-bf16");
            NarrowWeights.Copy(folder, narrow);
            yield return ("tiny-sdxl in bfloat16", narrow, []);
        }
    }
}
