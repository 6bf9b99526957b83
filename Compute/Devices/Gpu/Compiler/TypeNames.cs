using System.Reflection;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Names of types and methods that are equal in every build.</summary>
internal static class TypeNames
{
    /// <summary>A type with its arguments; assemblies are not named.</summary>
    public static string Of(Type type)
    {
        if (type.IsGenericParameter) return $"{(type.DeclaringMethod is null ? "!" : "!!")}{type.GenericParameterPosition}";
        if (type.HasElementType) return Of(type.GetElementType()!) + type.Name[type.GetElementType()!.Name.Length..];
        string name = (type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName ?? type.Name;
        return !type.IsGenericType ? name : $"{name}[{string.Join(",", type.GetGenericArguments().Select(Of))}]";
    }

    /// <summary>A method with its class, type arguments, parameters and result.</summary>
    public static string Of(MethodBase method) =>
        (method is MethodInfo { ReturnType: var result } ? Of(result) + " " : "") + (method.IsStatic ? "" : "instance ")
        + $"{(method.DeclaringType is { } type ? Of(type) : "")}.{method.Name}"
        + (method.IsGenericMethod ? $"<{string.Join(",", method.GetGenericArguments().Select(Of))}>" : "")
        + $"({string.Join(",", method.GetParameters().Select(p => Of(p.ParameterType)))})";

    /// <summary>
    /// Whether the code of a type belongs to .NET or ILGPU: it is known by its name and by the version of its assembly.
    /// </summary>
    public static bool IsForeign(Type? type) => type?.Module.Assembly is not { } assembly || assembly == typeof(object).Assembly
        || assembly.GetName().Name is not { } name || name.StartsWith("System.", StringComparison.Ordinal)
        || name.StartsWith("Microsoft.", StringComparison.Ordinal) || name is "ILGPU" or "ILGPU.Algorithms" or "netstandard";
}
