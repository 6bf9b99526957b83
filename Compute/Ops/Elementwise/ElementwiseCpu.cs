using System.Runtime.CompilerServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>One loop per chain, compiled by the JIT from the chain's type.</summary>
internal sealed class ElementwiseCpu : ISimdBinder
{
    public static Launch Bind<V>(OpCall call) where V : struct, ISimd<V>
    {
        var x = call.Inputs[0];
        Tensor[] operands = call.Inputs[1..];
        // Long runs over x's rows, if all operands have the same layout.
        Runs? runs = operands.All(b => b.Shape.Count == 1 || b.Shape == x.Shape)
            ? new Runs([x, call.Output, .. operands.Where(b => b.Shape.Count != 1)]) : null;
        bool[] isSame = [.. operands.Select(b => runs is null ? b.Width == 1 : b.Shape.Count == 1)];
        var type = RuntimeTypes.Close(typeof(ElementwiseLaunch<,>), typeof(V), ChainFunctions.Of((Elementwise)call.Op, isSame));
        return (Launch)RuntimeTypes.Create(type, call, runs, isSame);
    }
}

/// <summary>y = f(x, operands) row by row, or run by run; y may be x.</summary>
internal sealed unsafe class ElementwiseLaunch<V, TFunction> : RowLaunch where V : struct, ISimd<V> where TFunction : struct, IChainFunction
{
    private readonly Tensor x, y;
    private readonly Runs? runs;
    private readonly Slot[] slots;
    private readonly float[] numbers = GC.AllocateArray<float>(Elementwise.MostSlots, pinned: true); // by slot

    public ElementwiseLaunch(OpCall call, Runs? runs, bool[] isSame)
        : base(call, runs?.Count ?? call.Output.Rows, runs?.Length ?? call.Output.Width)
    {
        (x, y, this.runs) = (call.Inputs[0], call.Output, runs);
        var found = new List<Slot>();
        int operand = 0;
        foreach (var step in ((Elementwise)call.Op).Steps)
        {
            foreach (float number in ChainFunctions.NumbersOf(step))
            {
                numbers[found.Count] = number;
                fixed (float* first = numbers) found.Add(new Slot(first + found.Count, null, false, null)); // pinned for good
            }

            if (!step.HasOperand) continue;
            var b = call.Inputs[1 + operand];
            found.Add(new Slot(b.Pointer<float>(), b, isSame[operand++], runs is null ? new Broadcast(x.Shape, b.Shape) : null));
        }

        slots = [.. found];
    }

    protected override void Row(int row)
    {
        float** rows = stackalloc float*[Elementwise.MostSlots];
        for (int i = 0; i < slots.Length; i++) rows[i] = slots[i].At(row, runs);
        if (runs is { } flat) Apply(flat.Of<float>(x, row), rows, flat.Of<float>(y, row), flat.LengthOf(row));
        else Apply(x.Pointer<float>() + (long)row * x.RowPitch, rows, y.Pointer<float>() + (long)row * y.RowPitch, y.Width);
    }

    [MethodImpl(Jit.Kernel)]
    private static void Apply(float* x, float** rows, float* y, int count)
    {
        int i = 0;
        for (; i <= count - V.Count; i += V.Count)
            V.Store(TFunction.Apply<V, VectorElements<V>, RowOperands<V>>(V.Load(x + i), new RowOperands<V>(rows, i), 0), y + i);
        if (i == count) return;
        V last = Simd.LoadPartial<V>(x + i, count - i);
        Simd.StorePartial(TFunction.Apply<V, VectorElements<V>, LastOperands<V>>(last, new LastOperands<V>(rows, i, count - i), 0), y + i,
            count - i);
    }

    /// <summary>Source of a slot: a constant, or the operand row for a row of x.</summary>
    private readonly struct Slot(float* start, Tensor? operand, bool same, Broadcast? broadcast)
    {
        public float* At(int row, Runs? runs) =>
            operand is null ? start
            : broadcast is not null ? start + broadcast.Row(row) * operand.RowPitch
            : same ? start
            : runs!.Value.Of<float>(operand, row);
    }
}
