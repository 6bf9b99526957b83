namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// What a method becomes on a device; its C# body defines it everywhere else. In the texts $0, $1 … are the result's fields, then the arguments
/// with structs taken apart (PTX), or result and arguments as they are (OpenCL C, where $0 is assigned by itself). Arguments of a void method begin at $0 in PTX, at $1 in OpenCL C.
/// </summary>
/// <param name="ptx">PTX instructions.</param>
/// <param name="openCl">An expression; functions named <c>ilgd_…</c> stand in Prelude.cl.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class DeviceCodeAttribute(string ptx, string openCl) : Attribute
{
    /// <summary>PTX instructions.</summary>
    public string Ptx => ptx;

    /// <summary>PTX instructions where the first argument is known to point into shared memory, whose pointers hold addresses within it; null for no difference.</summary>
    public string? PtxOfShared { get; init; }

    /// <summary>OpenCL C expression.</summary>
    public string OpenCl => openCl;
}
