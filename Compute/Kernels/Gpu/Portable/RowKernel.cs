using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Launches of one group per row.</summary>
internal static class RowKernel
{
    /// <summary>A <c>gpu/rows</c> variant whose kernel has the group's lanes and the element types as type arguments.</summary>
    /// <param name="holder">Class that declares the kernel.</param>
    /// <param name="name">Name of the kernel.</param>
    /// <param name="types">Element types of the kernel's type arguments.</param>
    /// <param name="bind">Views, then numbers.</param>
    /// <param name="access">Whether the kernel supports vector access: its last type argument is then an <see cref="IAccess"/>.</param>
    public static KernelVariant Variant(Type holder, string name, Func<OpSignature, DType[]> types, Func<OpCall, GpuArguments> bind,
        bool access = false) => GpuKernel.Variant("gpu/rows", (target, signature) =>
    {
        var lanes = GroupLanes.Of(target);
        Type[] elements = GpuElements.Of(types(signature));
        return new GpuKernel(call =>
        {
            Type[] reach = access ? [Access.Of(Access.IsWide(call, call.Output.Width, [.. call.Inputs, call.Output]))] : [];
            return [new(KernelSource.Of(holder, name, lanes.Count, [lanes.Type, .. elements, .. reach]),
                new GpuGrid(Math.Max(1, call.Output.Rows)), bind(call))];
        });
    });

    /// <summary>The element type of a parameter, or Float32 if it is absent.</summary>
    public static DType TypeOf(OpSignature signature, int parameter) =>
        parameter < signature.Inputs.Length ? signature.Inputs[parameter].DType : DType.Float32;

    /// <summary>A parameter, or null if it is absent.</summary>
    public static Tensor? Parameter(OpCall call, int index) => index < call.Inputs.Length ? call.Inputs[index] : null;

    /// <summary>Views of x, the parameters and y, then the width, both pitches, ε, and which parameters there are.</summary>
    /// <param name="call">What is computed.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="parameters">What the kernel calls each parameter and the number that says whether it is there; the parameter.</param>
    public static GpuArguments Norm(
        OpCall call, double epsilon, params ReadOnlySpan<(string Name, string Presence, Tensor? Tensor)> parameters)
    {
        var (x, y) = (ElementGrid.Indexed(call.Inputs[0]), ElementGrid.Indexed(call.Output));
        var arguments = new GpuArguments().View("x", x);
        foreach (var (name, _, tensor) in parameters) arguments.View(name, tensor);
        arguments.View("y", y).Int("width", y.Width).Int("xPitch", x.RowPitch).Int("yPitch", y.RowPitch).Float("epsilon", (float)epsilon);
        foreach (var (_, presence, tensor) in parameters) arguments.Int(presence, tensor is null ? 0 : 1);
        return arguments;
    }
}
