using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Token tables in every storage type.</summary>
public sealed class EmbeddingCases : IOpCases
{
    private const double Exact = 0; // widening loses nothing

    public Type Op => typeof(EmbeddingLookup);

    public IEnumerable<OpCase> Cases =>
    [
        Case("one entry", [1, 1], [1], DType.Float32, DType.Int32),
        Case("CLIP prompt", [300, 77], [2, 77], DType.Float32, DType.Int32),
        Case("float16 table", [300, 37], [2, 9], DType.Float16, DType.Int32),
        Case("bfloat16 table", [300, 37], [2, 9], DType.BFloat16, DType.Int64),
        Case("last entry", [300, 20], [1], DType.Float32, DType.Int64),
    ];

    public double[] Reference(Op op, ReferenceTensor[] inputs, Shape output) =>
        [.. inputs[1].Values.SelectMany(id => inputs[0].Row((int)id).ToArray())];

    private static OpCase Case(string name, Shape table, Shape ids, DType storage, DType integers) =>
        new(name, new EmbeddingLookup(),
            [CaseTensor.Normal(table, 1, dtype: storage), new(ids, i => (table[0] - 1 + i * 7) % table[0], integers)], Exact);
}
