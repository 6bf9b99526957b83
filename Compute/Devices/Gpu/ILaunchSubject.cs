namespace ILGpuDiffusion.Compute.Devices;

/// <summary>What a kernel launch computes, for messages: name of the op, shapes of arguments and result.</summary>
internal interface ILaunchSubject
{
    /// <summary>Such as <c>matmul</c>.</summary>
    string Name { get; }

    /// <summary>Such as <c>Float32[2, 77, 768], Float16[768, 768] → Float32[2, 77, 768]</c>.</summary>
    string Operands { get; }
}
