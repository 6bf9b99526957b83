using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>Every op is complete: a folder with its contract and CPU kernel, a float64 reference, and cases.</summary>
public sealed class OpTests
{
    public static TheoryData<Type> Ops => [.. OpCatalog.Ops];

    [Theory, MemberData(nameof(Ops))]
    public void Op_OfTheCatalog_IsASealedRecordInAFileOfItsOwn(Type op)
    {
        Assert.True(op.IsSealed && op.GetMethod("<Clone>$") is not null, $"{op.Name} must be a sealed record.");
        Assert.Single(Repository.Sources("Compute/Ops"), f => Path.GetFileName(f) == $"{op.Name}.cs");
    }

    [Theory, MemberData(nameof(Ops))]
    public void Op_OfTheCatalog_HasCasesAndReference(Type op)
    {
        var cases = Assert.Single(OpCatalog.Cases, c => c.Op == op);
        Assert.True(cases.Cases.Count() >= 3, $"{op.Name} has {cases.Cases.Count()} case(s).");
        Assert.All(cases.Cases, c => Assert.IsType(op, c.Op));
    }

    [Theory, MemberData(nameof(Ops))]
    public void Op_EveryCase_HasACpuKernel(Type op)
    {
        using var device = new CpuDevice(threads: 1);
        foreach (var @case in OpCatalog.Cases.Single(c => c.Op == op).Cases)
        {
            TensorType[] types = [.. @case.Inputs.Select(i => new TensorType(i.DType, i.Shape))];
            Assert.NotNull(@case.Op.Kernels.Choose(device, new OpSignature(@case.Op, types, @case.Op.Infer(types))));
        }
    }

    [Fact]
    public void Catalog_Ops_ContainMatMul() => Assert.Contains(typeof(MatMul), OpCatalog.Ops);
}
