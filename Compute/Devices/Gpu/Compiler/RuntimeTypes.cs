using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Reflection for kernels: generic types closed at run time, and static methods found by name. Trimming cannot analyse it and does not need
/// to: ILLink.Descriptors.xml keeps this assembly whole, and the checks include a trimmed tool whose images equal those of an untrimmed
/// one.
/// </summary>
internal static class RuntimeTypes
{
    private const string Reason = "ILLink.Descriptors.xml keeps every member of this assembly; types and arguments all come from it.";

    private const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Closes a generic type of this assembly.</summary>
    /// <param name="definition">Such as <c>typeof(Then&lt;,&gt;)</c>.</param>
    /// <param name="arguments">Its type arguments.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2055", Justification = Reason)]
    public static Type Close(Type definition, params Type[] arguments) => definition.MakeGenericType(arguments);

    /// <summary>A static method of this assembly by name, closed over the arguments; null if there is none.</summary>
    /// <param name="type">The declaring class.</param>
    /// <param name="name">Its name, unique in the class.</param>
    /// <param name="arguments">Its type arguments; none for a method that is not generic.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = Reason)]
    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = Reason)]
    public static MethodInfo? Method(Type type, string name, Type[] arguments) =>
        type.GetMethod(name, Static) is { } method ? (arguments.Length == 0 ? method : method.MakeGenericMethod(arguments)) : null;

    /// <summary>All static methods of a class of this assembly.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = Reason)]
    public static MethodInfo[] Methods(Type type) => type.GetMethods(Static);

    /// <summary>An instance of a type of this assembly.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2067", Justification = Reason)]
    public static object Create(Type type, params object?[] arguments) => Activator.CreateInstance(type, arguments)!;
}
