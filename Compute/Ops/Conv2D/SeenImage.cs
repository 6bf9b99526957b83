using ILGpuDiffusion.Compute.Kernels;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// The image that a convolution reads: x, or x upsampled by nearest neighbour, whose pixels are looked up in x. Padding reads zeros.
/// </summary>
internal sealed unsafe class SeenImage
{
    private readonly float[] zeroRow; // keeps the memory behind Zeros alive
    private readonly float* start;
    private readonly nint imagePitch;
    private readonly nint[] lines, pixels; // offsets of each line in an image, and of each pixel in a line

    /// <summary>Describes the image of a call's first argument.</summary>
    public SeenImage(Conv2D op, OpCall call)
    {
        var x = call.Inputs[0];
        var (height, width) = op.Seen([.. call.Inputs.Select(i => i.Type)]);
        (Height, Width, Channels, Pitch, IsWhole) =
            (height.Constant!.Value, width.Constant!.Value, x.Width, x.RowPitch, op.Upsampling == Upsampling.None);
        start = x.Pointer<float>();
        nint linePitch = x.Shape[2] * Pitch;
        imagePitch = x.Shape[1] * linePitch;
        (lines, pixels) = (Starts(x.Shape[1], Height, linePitch), Starts(x.Shape[2], Width, Pitch));
        zeroRow = GC.AllocateArray<float>(Channels, pinned: true);
        fixed (float* first = zeroRow) Zeros = first;
    }

    public int Height { get; }

    public int Width { get; }

    public int Channels { get; }

    /// <summary>Elements from one pixel of x to the next.</summary>
    public nint Pitch { get; }

    /// <summary>Whether it is x itself, with consecutive pixels <see cref="Pitch"/> apart.</summary>
    public bool IsWhole { get; }

    /// <summary>A pixel of zeros.</summary>
    public float* Zeros { get; }

    /// <summary>Address of the channels of a pixel inside the image.</summary>
    public float* Inside(int n, int y, int x) => start + n * imagePitch + lines[y] + pixels[x];

    /// <summary>Address of the channels of any pixel: zeros outside the image.</summary>
    public float* At(int n, int y, int x) => (uint)y < (uint)Height && (uint)x < (uint)Width ? Inside(n, y, x) : Zeros;

    private static nint[] Starts(int from, int to, nint pitch) => [.. UpsampleCpu.Sources(from, to).Select(i => i * pitch)];
}
