namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Device code of a method; its C# body defines it everywhere else. In the texts $0, $1 … are the result's fields, then the arguments with
/// structs decomposed (PTX), or result and arguments as they are (OpenCL C, where $0 is assigned implicitly). Arguments of a void method
/// start at $0 in PTX, at $1 in OpenCL C.
/// </summary>
/// <param name="ptx">PTX instructions.</param>
/// <param name="openCl">An expression; functions named <c>ilgd_…</c> are in Prelude.cl.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class DeviceCodeAttribute(string ptx, string openCl) : Attribute
{
    /// <summary>PTX instructions.</summary>
    public string Ptx => ptx;

    /// <summary>
    /// PTX instructions for a first argument in shared memory, whose pointers are addresses within it; null if there is no difference.
    /// </summary>
    public string? PtxOfShared { get; init; }

    /// <summary>OpenCL C expression.</summary>
    public string OpenCl => openCl;
}
