using System.Reflection;

namespace ILGpuDiffusion.Compute;

/// <summary>
/// A kernel as C#: a closed static method, explicitly grouped. Its parameters are views (of float, ushort, uint, sbyte, int, long or 16-byte structs), int, long and
/// float. Equal sources share one artifact.
/// </summary>
/// <param name="Method">The method, its generic arguments given.</param>
/// <param name="GroupSize">Work items of a group, in one dimension.</param>
internal sealed record KernelSource(MethodInfo Method, int GroupSize)
{
    /// <summary>Whether constant loops without branches around them are unrolled before code is generated.</summary>
    public bool Unroll { get; init; }

    /// <summary>The source of a kernel that is named as a delegate: <c>KernelSource.Of(Kernel&lt;float, Fp32&gt;, 128)</c>.</summary>
    public static KernelSource Of(Delegate kernel, int groupSize) => new(kernel.Method, groupSize);

    /// <summary>Class and method, for messages.</summary>
    public override string ToString() => $"{Method.DeclaringType?.Name}.{Method.Name}";
}
