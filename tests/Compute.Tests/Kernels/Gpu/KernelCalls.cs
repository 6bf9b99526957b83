using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Every kernel that the cases of an op can choose on a device: each case in every type, each variant, contiguous and padded rows, and
/// every setting with the first case that has it.
/// </summary>
internal static class KernelCalls
{
    public static IEnumerable<(string Name, OpSignature Signature, KernelChoice Choice, int Gap)> Of(IOpCases cases, Device device)
    {
        OpCase[] plain = [.. cases.Cases];
        var tuned = new HashSet<(string, DType)>();
        DType?[] types = [null, DType.BFloat16, DType.Float16];
        foreach (var @case in types.SelectMany(type => plain.Select(c => type is { } other ? c.With(other) : c)).OfType<OpCase>())
        {
            var signature = TranslatingDevice.Signature(@case.Op, @case.Inputs.Select(i => new TensorType(i.DType, i.Shape)));
            foreach (var (number, variant) in @case.Op.Kernels.Candidates(device, signature).Index())
            {
                string name = $"{@case.Name}, way {number}";
                foreach (int gap in new[] { 3, 8 }) yield return ($"{name}, gap {gap}", signature, variant.Untuned(device, signature), gap);
                if (@case.Op is Conv2D) // as in plans on GPUs
                {
                    var ordered = signature with { KernelPositionsFirst = true };
                    yield return ($"{name}, ordered filter", ordered, variant.Untuned(device, ordered), 8);
                }

                if (!tuned.Add((variant.Name, signature.Inputs[0].DType))) continue;
                var all = Settings(variant.Tuning).Index().Where(s => variant.Tuning.Accepts(device, signature, s.Item));
                foreach (var (setting, settings) in all)
                    yield return ($"{name}, setting {setting}", signature, new KernelChoice(variant, settings), 8);
            }
        }
    }

    // All combinations of values.
    private static IEnumerable<KernelSettings> Settings(TuningSpace space) => space.Parameters.IsEmpty ? [] :
        space.Parameters.Aggregate(
            (IEnumerable<KernelSettings>)[KernelSettings.Default],
            (all, parameter) => all.SelectMany(s => parameter.Values.Select(value => s.With(parameter, value))));
}
