namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Four words of bits: eight 16-bit floats or sixteen bytes.</summary>
internal struct Word4
{
    public uint X, Y, Z, W;
}

/// <summary>Two words of bits.</summary>
internal struct Word2
{
    public uint X, Y;
}

/// <summary>Eight words of bits: a work item's part of a matrix.</summary>
internal struct Word8
{
    public uint A, B, C, D, E, F, G, H;
}
