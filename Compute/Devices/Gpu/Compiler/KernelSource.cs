using System.Reflection;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A kernel in C#: a closed static method, run by groups of <see cref="GroupSize"/> work items. Parameters are ArrayView&lt;T&gt;
/// (T: float, ushort, uint, sbyte, int, long or a struct of 16 bytes), int, long and float.
/// </summary>
/// <remarks>
/// A source is only a name until it must be compiled. <see cref="Of(Type, string, int, Type[])"/> therefore loads neither the kernel's
/// signature nor the compiler's assembly: with all artifacts in the cache, a process never loads them.
/// </remarks>
internal sealed record KernelSource
{
    private readonly Code code;
    private readonly Lazy<MethodInfo> method;

    private KernelSource(Code code, Lazy<MethodInfo> method, int groupSize) =>
        (this.code, this.method, GroupSize) = (code, method, groupSize);

    /// <summary>Class, method and type arguments, in full.</summary>
    public string Name => $"{TypeNames.Of(code.Holder)}.{code.Name}<{string.Join(",", code.TypeArguments.Items.Select(TypeNames.Of))}>";

    /// <summary>The name with the builds of all assemblies that it names: equal in all processes that run these builds.</summary>
    public string BuildIdentity =>
        $"{Name} of {string.Join(",", code.TypeArguments.Items.SelectMany(Builds).Prepend(BuildOf(code.Holder)).Distinct())}";

    /// <summary>A hash of the kernel's code and of all code that it calls, equal in all builds of the same code. Loads the kernel's
    /// signature, and with it the compiler's assembly.</summary>
    public string Fingerprint => CodeFingerprint.Of(Method);

    /// <summary>The method; resolved on first use.</summary>
    public MethodInfo Method => method.Value;

    /// <summary>Work items per group, in one dimension.</summary>
    public int GroupSize { get; init; }

    /// <summary>Least number of groups resident on a CUDA multiprocessor (limits registers); 0 leaves it to the driver.</summary>
    public int GroupsPerProcessor { get; init; }

    /// <summary>
    /// Whether constant loops are unrolled on GPUs. Only for loops with branch-free bodies: ILGPU's pass miscompiles conditionals between
    /// nested loops.
    /// </summary>
    public bool Unroll { get; init; }

    /// <summary>Dynamic shared memory in bytes, in addition to what the text declares; CUDA only.</summary>
    public int DynamicSharedBytes { get; init; }

    /// <summary>A kernel by name, as used in registrations.</summary>
    /// <param name="type">The declaring class.</param>
    /// <param name="name">The method's name, which must be unique in the class.</param>
    /// <param name="groupSize">Work items per group.</param>
    /// <param name="arguments">The method's type arguments: element types, tiles, epilogues.</param>
    public static KernelSource Of(Type type, string name, int groupSize, params Type[] arguments) =>
        new(new(type, name, new([.. arguments])), new(() => Resolve(type, name, arguments)), groupSize);

    /// <summary>A kernel as a delegate of a closed static method. Convenient in tests; loads the compiler's assembly.</summary>
    public static KernelSource Of(Delegate kernel, int groupSize)
    {
        var method = kernel.Method;
        return new(new(method.DeclaringType!, method.Name, new([.. method.GetGenericArguments()])), new(method), groupSize);
    }

    /// <summary>What determines the text in addition to the code.</summary>
    public string Settings =>
        $"group {GroupSize}" + (GroupsPerProcessor > 0 ? $" x{GroupsPerProcessor}" : "") + (Unroll ? " unrolled" : "")
            + (DynamicSharedBytes > 0 ? $" +{DynamicSharedBytes} shared" : "");

    /// <summary>Sources are equal if they generate the same code.</summary>
    public bool Equals(KernelSource? other) => other is not null && code == other.code
        && (GroupSize, GroupsPerProcessor, Unroll, DynamicSharedBytes)
            == (other.GroupSize, other.GroupsPerProcessor, other.Unroll, other.DynamicSharedBytes);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(code, GroupSize, GroupsPerProcessor, Unroll, DynamicSharedBytes);

    /// <summary>Class, method and short type arguments, for messages.</summary>
    public override string ToString() =>
        $"{Method.DeclaringType?.Name}.{Method.Name}"
            + (Method.IsGenericMethod ? $"<{string.Join(", ", Method.GetGenericArguments().Select(Short))}>" : "");

    private static IEnumerable<string> Builds(Type type) => type.GenericTypeArguments.SelectMany(Builds).Prepend(BuildOf(type));

    private static string BuildOf(Type type) => type.Module.ModuleVersionId.ToString("N");

    private static string Short(Type type) =>
        !type.IsGenericType ? type.Name
            : $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<"
                + string.Join(", ", type.GetGenericArguments().Select(Short)) + ">";

    private static MethodInfo Resolve(Type type, string name, Type[] arguments) =>
        RuntimeTypes.Method(type, name, arguments)
            ?? throw new InvalidOperationException($"kernel: {type.Name} has no static method {name}.");

    /// <summary>A method, without looking it up.</summary>
    private readonly record struct Code(Type Holder, string Name, ValueArray<Type> TypeArguments);
}
