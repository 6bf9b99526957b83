using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Launches of one group per row.</summary>
internal static class RowKernel
{
    /// <summary>A variant <c>gpu/rows</c> whose kernel's type arguments are the group's lanes and element types.</summary>
    /// <param name="holder">The class of the kernel.</param>
    /// <param name="name">The kernel.</param>
    /// <param name="types">Element types that the kernel is made for.</param>
    /// <param name="bind">Views, then numbers.</param>
    /// <param name="access">Whether the kernel can reach four elements at once: its last type argument is an <see cref="IAccess"/> then.</param>
    public static KernelVariant Variant(Type holder, string name, Func<OpSignature, DType[]> types, Func<OpCall, GpuArguments> bind, bool access = false) => GpuKernel.Variant("gpu/rows", (target, signature) =>
    {
        var lanes = GroupLanes.Of(target);
        Type[] elements = GpuElements.Of(types(signature));
        return new GpuKernel(call =>
        {
            Type[] reach = access ? [Access.Of(Access.IsWide(call, call.Output.Width, [.. call.Inputs, call.Output]))] : [];
            return [new(KernelSource.Of(holder, name, lanes.Count, [lanes.Type, .. elements, .. reach]), new GpuGrid(Math.Max(1, call.Output.Rows)), bind(call))];
        });
    });

    /// <summary>The element type of a parameter, or Float32 where it is absent.</summary>
    public static DType TypeOf(OpSignature signature, int parameter) => parameter < signature.Inputs.Length ? signature.Inputs[parameter].DType : DType.Float32;

    /// <summary>A parameter, or null where it is absent.</summary>
    public static Tensor? Parameter(OpCall call, int index) => index < call.Inputs.Length ? call.Inputs[index] : null;

    /// <summary>Views of x, the parameters and y, then the width, both pitches and ε.</summary>
    public static GpuArguments Norm(OpCall call, double epsilon, params ReadOnlySpan<Tensor?> parameters)
    {
        var (x, y) = (ElementGrid.Indexed(call.Inputs[0]), ElementGrid.Indexed(call.Output));
        var arguments = new GpuArguments().View(x);
        foreach (var parameter in parameters) arguments.View(parameter);
        arguments.View(y).Int(y.Width).Int(x.RowPitch).Int(y.RowPitch).Float((float)epsilon);
        foreach (var parameter in parameters) arguments.Int(parameter is null ? 0 : 1);
        return arguments;
    }
}
