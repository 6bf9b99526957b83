using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Four floats that devices load and store at once.</summary>
internal struct Float4
{
    public float X, Y, Z, W;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Float4(float x, float y, float z, float w) => (X, Y, Z, W) = (x, y, z, w);

    /// <summary>An element by index: a few selections in a rolled loop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float At(int i) => i == 0 ? X : i == 1 ? Y : i == 2 ? Z : W;

    /// <summary>sum + a · b, the inner product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAdd(Float4 a, Float4 b, float sum) =>
        DeviceMath.Fma(a.W, b.W, DeviceMath.Fma(a.Z, b.Z, DeviceMath.Fma(a.Y, b.Y, DeviceMath.Fma(a.X, b.X, sum))));

    /// <summary>a · b + c, element by element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 MultiplyAdd(float a, Float4 b, Float4 c) =>
        new(DeviceMath.Fma(a, b.X, c.X), DeviceMath.Fma(a, b.Y, c.Y), DeviceMath.Fma(a, b.Z, c.Z), DeviceMath.Fma(a, b.W, c.W));

    /// <summary>Their sum.</summary>
    public readonly float Total { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => X + Y + (Z + W); }

    /// <summary>a subtracted from every element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Float4 Less(float a) => new(X - a, Y - a, Z - a, W - a);

    /// <summary>Element-wise sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 operator *(Float4 a, Float4 b) => new(a.X * b.X, a.Y * b.Y, a.Z * b.Z, a.W * b.W);

    /// <summary>Element-wise product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 operator +(Float4 a, Float4 b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);
}
