namespace ILGpuDiffusion.Compute.Devices;

/// <summary>What a kernel launch computes, for messages: the op's name, and its arguments and result with their shapes.</summary>
internal interface ILaunchSubject
{
    /// <summary>Such as <c>matmul</c>.</summary>
    string Name { get; }

    /// <summary>Such as <c>Float32[2, 77, 768], Float16[768, 768] → Float32[2, 77, 768]</c>.</summary>
    string Operands { get; }
}
