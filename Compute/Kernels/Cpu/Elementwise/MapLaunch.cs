using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>y = f(x) for each element; y may be x.</summary>
internal sealed unsafe class MapLaunch<V, TMap> : RowLaunch where V : struct, ISimd<V> where TMap : struct, IMap
{
    private readonly Tensor x, y;
    private readonly TMap map;
    private readonly Runs runs;

    public MapLaunch(OpCall call, TMap map) : this(call, map, new Runs(call.Inputs[0], call.Output)) { }

    private MapLaunch(OpCall call, TMap map, Runs runs) : base(call, runs.Count, runs.Length) =>
        (x, y, this.map, this.runs) = (call.Inputs[0], call.Output, map, runs);

    protected override void Row(int row) => MapRow<V>.Apply(map, runs.Of<float>(x, row), runs.Of<float>(y, row), runs.LengthOf(row));
}
