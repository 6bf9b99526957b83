using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Variants that a device would not choose: an OpenCL CPU device does not benefit from tiles in local memory, but can test that they are
/// correct.
/// </summary>
public sealed class GpuVariantTests
{
    public static TheoryData<string, string, string> Others
    {
        get
        {
            // Matrix instructions need SoftLanes; see SubGroupMatricesTests.
            static bool Runs(KernelVariant variant) =>
                variant.Backends.HasFlag(Backends.OpenCL) && variant.Name != MatrixUnitVariant.SubGroups.Name;
            var rows = new TheoryData<string, string, string>();
            foreach (string device in TestDevices.Gpus)
                foreach (var op in OpCatalog.Cases.Where(c => c.Cases.First().Op.Kernels.Variants.Count(Runs) > 1))
                    foreach (string variant in op.Cases.First().Op.Kernels.Variants.Where(Runs).Select(v => v.Name))
                        rows.Add(device, variant, op.Op.Name);
            return rows;
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Others))]
    public void Variant_AskedForByName_MatchesReference(string id, string variant, string op)
    {
        var device = TestDevices.Open(id);
        var all = OpCatalog.Cases.Single(c => c.Op.Name == op).Cases.ToArray();
        var kernel = all[0].Op.Kernels.Variants.Single(v => v.Name == variant);
        if (kernel.SupportsDevice(device)) return; // other tests run the variant that a device chooses
        foreach (var @case in Cases(all))
        {
            TensorType[] types = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
            var signature = new OpSignature(@case.Op, types, @case.Op.Infer(types));
            if (!kernel.SupportsTypes(signature) || !kernel.SupportsShape(signature)) continue;
            using var bound = new BoundCase(device, @case, outputPadding: 3, variant: variant);
            bound.Run();
            OpReference.Verify(@case, bound.Read());
        }
    }

    // A CPU's driver takes seconds for each kernel, so one activation is tested, and for 16-bit types the last case of each op.
    private static IEnumerable<OpCase> Cases(OpCase[] all) =>
        [.. all.Where(c => c.Op.ToString()!.Contains("Activation = ,", StringComparison.Ordinal) || c.Name == "all"
            || !c.Op.ToString()!.Contains("Activation", StringComparison.Ordinal)), all[0].With(DType.BFloat16)!];
}
