using System.Runtime.CompilerServices;
using ILGPU;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// One kernel per chain of up to four operands, compiled from the chain's type. A longer chain runs as several kernels, between which the
/// value stays in float32 scratch memory. y may be x.
/// </summary>
internal static class ElementwiseGpu
{
    private const int OperandsAtOnce = 4, Levels = 3;
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static KernelVariant Variant { get; } = GpuKernel.Variant("gpu/chain", Compile) with
    {
        SupportsShape = static s => s.Inputs.Skip(1).All(b => new Broadcast(s.Output.Concrete(), b.Concrete()).Levels().Count <= Levels),
    };

    private static GpuKernel Compile(OpSignature signature)
    {
        Elementwise[] pieces = [.. Pieces((Elementwise)signature.Op)];
        DType dtype = signature.Output.DType;
        Type[][] types = [.. pieces.Select((piece, i) => (Type[])
        [
            .. GpuElements.Of(i == 0 ? dtype : DType.Float32, dtype, i == pieces.Length - 1 ? dtype : DType.Float32),
            ChainFunctions.Of(piece, new bool[piece.Steps.Length]),
        ])];
        return new GpuKernel(call => Stages(call, pieces, types), s => pieces.Length > 1 ? s.Output.Concrete().Count * sizeof(float) : 0);
    }

    private static IEnumerable<Elementwise> Pieces(Elementwise op)
    {
        var steps = new List<ElementwiseStep>();
        foreach (var step in op.Steps)
        {
            if (step.HasOperand && steps.Count(s => s.HasOperand) == OperandsAtOnce)
            {
                yield return new([.. steps]);
                steps.Clear();
            }

            steps.Add(step);
        }

        yield return new([.. steps]);
    }

    private static IEnumerable<LaunchSpecification> Stages(OpCall call, Elementwise[] pieces, Type[][] types)
    {
        var between = call.Scratch is null ? null : new Tensor(call.Scratch.Buffer, call.Scratch.Offset, DType.Float32, call.Output.Shape);
        int operand = 1;
        for (int i = 0; i < pieces.Length; i++)
        {
            int count = pieces[i].Steps.Count(s => s.HasOperand);
            var (x, y) = (i == 0 ? call.Inputs[0] : between!, i == pieces.Length - 1 ? call.Output : between!);
            yield return Stage(call, types[i], pieces[i], x, call.Inputs[operand..(operand + count)], y);
            operand += count;
        }
    }

    private static LaunchSpecification Stage(OpCall call, Type[] types, Elementwise piece, Tensor x, Tensor[] operands, Tensor y)
    {
        bool alike = operands.All(b => b.Shape.Count == 1 || b.Shape == x.Shape);
        var elements = alike ? ElementGrid.Of([x, y, .. operands.Where(b => b.Shape.Count != 1)]) : ElementGrid.Of(y.Rows, y.Width);
        var (grid, access) = elements.Widened(call, [x, y, .. operands.Where(b => StepOf(b, x) == 1)]);
        var arguments = new GpuArguments().View("x", x);
        for (int i = 0; i < OperandsAtOnce; i++) arguments.View("b", i < operands.Length ? operands[i] : null, number: i);
        grid.Arguments(arguments.View("y", y), [("xPitch", x), ("yPitch", y)]);

        var (numbers, slots) = (new float[Elementwise.MostSlots], new List<int>());
        int slot = 0;
        foreach (var step in piece.Steps)
        {
            if (step.HasOperand) slots.Add(slot++);
            foreach (float number in ChainFunctions.NumbersOf(step)) numbers[slot++] = number;
        }

        for (int i = 0; i < numbers.Length; i++) arguments.Float("n", numbers[i], number: i);
        for (int i = 0; i < OperandsAtOnce; i++)
            Operand(arguments, i, i < operands.Length ? operands[i] : null, i < slots.Count ? slots[i] : -1, x);
        return new(KernelSource.Of(typeof(ElementwiseGpu), nameof(Kernel), ElementGrid.GroupSize, [.. types, access]), grid.Groups,
            arguments);
    }

    /// <summary>Column step of an operand: 0 for a single element or column, which is repeated.</summary>
    private static int StepOf(Tensor b, Tensor x) => b.Shape.Count == 1 || (b.Width == 1 && x.Width > 1) ? 0 : 1;

    /// <summary>An operand's slot, pitch, column step, and repetition of its rows.</summary>
    private static void Operand(GpuArguments arguments, int number, Tensor? b, int slot, Tensor x)
    {
        bool single = b is null || b.Shape.Count == 1;
        var levels = single ? [] : new Broadcast(x.Shape, b!.Shape).Levels();
        (int Size, int Stride) Level(int i) => i < levels.Count ? levels[i] : (1, 0);
        arguments.Int("slot", slot, number).Int("pitch", single ? 0 : ElementGrid.Indexed(b!).RowPitch, number)
            .Int("step", b is null ? 0 : StepOf(b, x), number)
            .Int("inner", Level(0).Size, number).Int("innerStride", Level(0).Stride, number)
            .Int("middle", Level(1).Size, number).Int("middleStride", Level(1).Stride, number).Int("outerStride", Level(2).Stride, number);
    }

    internal static void Kernel<TX, EX, T, E, TY, EY, TChain, TAccess>(
        ArrayView<TX> x, ArrayView<T> b0, ArrayView<T> b1, ArrayView<T> b2, ArrayView<T> b3, ArrayView<TY> y,
        int rows, int width, int shift, int columnBlocks, int xPitch, int yPitch,
        float n0, float n1, float n2, float n3, float n4, float n5, float n6, float n7,
        int slot0, int pitch0, int step0, int inner0, int innerStride0, int middle0, int middleStride0, int outerStride0,
        int slot1, int pitch1, int step1, int inner1, int innerStride1, int middle1, int middleStride1, int outerStride1,
        int slot2, int pitch2, int step2, int inner2, int innerStride2, int middle2, int middleStride2, int outerStride2,
        int slot3, int pitch3, int step3, int inner3, int innerStride3, int middle3, int middleStride3, int outerStride3)
        where TX : unmanaged where EX : struct, IElement<TX> where T : unmanaged where E : struct, IElement<T> where TY : unmanaged
            where EY : struct, IElement<TY>
        where TChain : struct, IChainFunction where TAccess : struct, IAccess
    {
        int row = Lane.Row(shift, columnBlocks), column = Lane.Column(shift, columnBlocks);
        if (row >= rows || column >= width) return;
        int at0 = RowOf(row, inner0, innerStride0, middle0, middleStride0, outerStride0) * pitch0,
            at1 = RowOf(row, inner1, innerStride1, middle1, middleStride1, outerStride1) * pitch1;
        int at2 = RowOf(row, inner2, innerStride2, middle2, middleStride2, outerStride2) * pitch2,
            at3 = RowOf(row, inner3, innerStride3, middle3, middleStride3, outerStride3) * pitch3;
        DeviceOperands numbers = default;
        (numbers.V0, numbers.V1, numbers.V2, numbers.V3, numbers.V4, numbers.V5, numbers.V6, numbers.V7) = (n0, n1, n2, n3, n4, n5, n6, n7);
        if (TAccess.Wide)
        {
            column *= 4;
            Float4 f0 = Operand4<T, E>(b0, slot0, at0, column, step0), f1 = Operand4<T, E>(b1, slot1, at1, column, step1);
            Float4 f2 = Operand4<T, E>(b2, slot2, at2, column, step2), f3 = Operand4<T, E>(b3, slot3, at3, column, step3);
            Float4 value = EX.Widen4(EX.Fetch4(x, row * xPitch + column));
            value.X = Apply<TChain>(value.X, numbers, slot0, f0.X, slot1, f1.X, slot2, f2.X, slot3, f3.X);
            value.Y = Apply<TChain>(value.Y, numbers, slot0, f0.Y, slot1, f1.Y, slot2, f2.Y, slot3, f3.Y);
            value.Z = Apply<TChain>(value.Z, numbers, slot0, f0.Z, slot1, f1.Z, slot2, f2.Z, slot3, f3.Z);
            value.W = Apply<TChain>(value.W, numbers, slot0, f0.W, slot1, f1.W, slot2, f2.W, slot3, f3.W);
            EY.Store4(y, row * yPitch + column, value);
            return;
        }

        float e0 = 0f, e1 = 0f, e2 = 0f, e3 = 0f;
        if (slot0 >= 0) e0 = E.Widen(b0[at0 + column * step0]);
        if (slot1 >= 0) e1 = E.Widen(b1[at1 + column * step1]);
        if (slot2 >= 0) e2 = E.Widen(b2[at2 + column * step2]);
        if (slot3 >= 0) e3 = E.Widen(b3[at3 + column * step3]);
        y[row * yPitch + column] =
            EY.Narrow(Apply<TChain>(EX.Widen(x[row * xPitch + column]), numbers, slot0, e0, slot1, e1, slot2, e2, slot3, e3));
    }

    [MethodImpl(Inline)]
    private static Float4 Operand4<T, E>(ArrayView<T> b, int slot, int at, int column, int step) where T : unmanaged
        where E : struct, IElement<T>
    {
        Float4 values = default;
        if (slot < 0) return values;
        if (step != 0) return E.Widen4(E.Fetch4(b, at + column));
        values.X = values.Y = values.Z = values.W = E.Widen(b[at]);
        return values;
    }

    // Applies the chain to one element; a slot reads its operand, or else its constant.
    [MethodImpl(Inline)]
    private static float Apply<TChain>(float x, DeviceOperands numbers, int slot0, float e0, int slot1, float e1, int slot2, float e2,
        int slot3, float e3) where TChain : struct, IChainFunction
    {
        DeviceOperands operands = default;
        operands.V0 = Fill(0, numbers.V0, slot0, e0, slot1, e1, slot2, e2, slot3, e3);
        operands.V1 = Fill(1, numbers.V1, slot0, e0, slot1, e1, slot2, e2, slot3, e3);
        operands.V2 = Fill(2, numbers.V2, slot0, e0, slot1, e1, slot2, e2, slot3, e3);
        operands.V3 = Fill(3, numbers.V3, slot0, e0, slot1, e1, slot2, e2, slot3, e3);
        operands.V4 = Fill(4, numbers.V4, slot0, e0, slot1, e1, slot2, e2, slot3, e3);
        operands.V5 = Fill(5, numbers.V5, slot0, e0, slot1, e1, slot2, e2, slot3, e3);
        operands.V6 = Fill(6, numbers.V6, slot0, e0, slot1, e1, slot2, e2, slot3, e3);
        operands.V7 = Fill(7, numbers.V7, slot0, e0, slot1, e1, slot2, e2, slot3, e3);
        return TChain.Apply<float, DeviceElements, DeviceOperands>(x, operands, 0);
    }

    [MethodImpl(Inline)]
    private static int RowOf(int row, int inner, int innerStride, int middle, int middleStride, int outerStride)
    {
        int above = row / inner;
        return (row - above * inner) * innerStride + above % middle * middleStride + above / middle * outerStride;
    }

    [MethodImpl(Inline)]
    private static float Fill(int slot, float number, int slot0, float e0, int slot1, float e1, int slot2, float e2, int slot3, float e3) =>
        slot == slot0 ? e0 : slot == slot1 ? e1 : slot == slot2 ? e2 : slot == slot3 ? e3 : number;
}
