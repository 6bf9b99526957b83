using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Peers;

/// <summary>Checks that both engines do the same work: with the same weights and inputs, outputs agree.</summary>
internal static class SameResults
{
    private const double MostError = 2e-5;
    private static readonly string[] Parts = ["unet", "vae", "text_encoder", "text_encoder_2"];

    /// <summary>Compares the small models with recorded weights and prints the differences.</summary>
    /// <exception cref="InvalidOperationException">One is too large.</exception>
    public static void Check(CpuDevice device)
    {
        string golden = Path.Combine(Machine.Repository, "tests/Golden/tiny-sdxl"),
            embedded = Path.Combine(Machine.Repository, "Pipelines/Embedded/Model");
        foreach (string folder in new[] { golden, embedded }.SelectMany(f => Parts.Select(part => Path.Combine(f, part))))
        {
            var result = ModelComparison.Measure(folder, pixels: 96, rounds: 1, device)[0];
            Console.WriteLine($"{Path.GetRelativePath(Machine.Repository, folder)}: {result.Error:E1}");
            if (!(result.Error < MostError))
                throw new InvalidOperationException(
                    $"{folder}: libtorch's output differs by {result.Error:E1} of its rms; at most {MostError:E0} is rounding.");
        }
    }
}
