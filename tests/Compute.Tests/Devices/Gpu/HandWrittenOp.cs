using System.Collections.Immutable;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>y = a·x + b, with a hand-written OpenCL text: tests the path from an op to the driver without the kernel compiler.</summary>
internal sealed record HandWrittenOp(float A, float B) : Op
{
    private const int GroupSize = 64;

    /// <summary>Stands for the kernel.</summary>
    public static KernelSource Source { get; } = KernelSource.Of(Kernel, GroupSize);

    private static readonly KernelSet Set = new("hand_written", GpuKernel.Variant("gpu/hand-written", _ => new GpuKernel(Source, call =>
    {
        var (op, x, y) = ((HandWrittenOp)call.Op, call.Inputs[0], call.Output);
        return (GpuGrid.Over(y.Shape.Count, GroupSize),
            new GpuArguments().View("x", x).View("y", y).Int("width", x.Width).Int("xPitch", x.RowPitch).Int("yPitch", y.RowPitch)
                .Long("count", y.Shape.Count).Float("a", op.A).Float("b", op.B).View("empty", null));
    })));

    public override KernelSet Kernels => Set;

    public override TensorType Infer(ReadOnlySpan<TensorType> inputs) => inputs[0];

    /// <summary>Only its name is used.</summary>
    public static void Kernel() => throw new NotSupportedException();

    /// <summary>Provides the text to devices.</summary>
    internal sealed class Artifacts : IArtifactSource
    {
        private const string Text = """
            typedef struct { int offset; long length; } view;
            kernel __attribute__((reqd_work_group_size(64, 1, 1)))
            void affine(global float* x0, global float* y0, global float* none,
                view x, view y, int width, int x_pitch, int y_pitch, long count, float a, float b, view empty)
            {
                long i = get_global_id(0);
                if (i >= count || none != 0 || empty.length != 0) return;
                int row = (int)(i / width), column = (int)(i % width);
                y0[y.offset + row * y_pitch + column] = a * x0[x.offset + row * x_pitch + column] + b;
            }
            """;

        public int Requests { get; private set; }

        public byte[]? Binary { get; private set; }

        public string Code { get; init; } = Text;

        public KernelArtifact Get(KernelSource source, GpuTarget target)
        {
            Requests++;
            var (view, @int) = (new KernelParameter(KernelParameterKind.View, 4), new KernelParameter(KernelParameterKind.Int32, 4));
            var number = new KernelParameter(KernelParameterKind.Single, 4);
            ImmutableArray<KernelParameter> parameters = [view, view, @int, @int, @int, new(KernelParameterKind.Int64, 8), number, number,
                view];
            // the stub of CUDA's driver has the kernel built in
            return new KernelArtifact(target.Language, "affine", Code, Binary, parameters, SharedBytes: 0, GroupSize);
        }

        public void StoreBinary(KernelSource source, GpuTarget target, byte[] binary) => Binary = binary;
    }
}
