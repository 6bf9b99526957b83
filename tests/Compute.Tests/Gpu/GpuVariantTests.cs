using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// The variants that a device would not choose by itself run too: a processor behind OpenCL has no use for tiles in local memory, but shows whether they are right.
/// </summary>
public sealed class GpuVariantTests
{
    public static TheoryData<string, string, string> Others
    {
        get
        {
            var rows = new TheoryData<string, string, string>();
            foreach (string device in TestDevices.Gpus)
                foreach (var op in OpCatalog.Cases.Where(c => c.Cases.First().Op.Kernels.Variants.Count(v => v.Runs.HasFlag(Backends.OpenCL)) > 1))
                    foreach (string variant in op.Cases.First().Op.Kernels.Variants.Where(v => v.Runs.HasFlag(Backends.OpenCL)).Select(v => v.Name))
                        rows.Add(device, variant, op.Op.Name);
            return rows;
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Others))]
    public void Variant_AskedForByName_MatchesReference(string id, string variant, string op)
    {
        var device = TestDevices.Open(id);
        foreach (var @case in OpCatalog.Cases.Single(c => c.Op.Name == op).Cases)
        {
            TensorType[] types = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
            var signature = new OpSignature(@case.Op, types, @case.Op.Infer(types));
            var kernel = @case.Op.Kernels.Variants.Single(v => v.Name == variant);
            if (kernel.Suits(device) || !kernel.Serves(signature) || !kernel.Fits(signature)) continue; // chosen by itself, or not meant for it
            foreach (var form in new[] { @case, @case.With(DType.BFloat16) }.OfType<OpCase>())
            {
                using var bound = new BoundCase(device, form, outputPadding: 3, variant: variant);
                bound.Run();
                OpReference.Verify(form, bound.Read());
            }
        }
    }
}
