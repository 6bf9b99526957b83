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

    /// <summary>All methods and constructors of a type of this assembly and of the types nested in it.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = Reason)]
    [UnconditionalSuppressMessage("Trimming", "IL2111", Justification = Reason)]
    public static IEnumerable<MethodBase> AllMethods(Type type)
    {
        const BindingFlags Own = Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        return [.. type.GetMethods(Own), .. type.GetConstructors(Own),
            .. type.GetNestedTypes(BindingFlags.Public | BindingFlags.NonPublic).SelectMany(AllMethods)];
    }

    /// <summary>The instance fields of a struct of this assembly, in the order of its declaration.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = Reason)]
    public static FieldInfo[] Fields(Type type) =>
        [.. type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).OrderBy(field => field.MetadataToken)];

    /// <summary>The body of a method of this assembly; null if it has none.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Reason)]
    public static MethodBody? Body(MethodBase method) => method.GetMethodBody();

    /// <summary>What a token in a method's IL stands for.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Reason)]
    public static MemberInfo Resolve(Module module, int token, Type[]? typeArguments, Type[]? methodArguments) =>
        module.ResolveMember(token, typeArguments, methodArguments)!;

    /// <summary>The static constructor of the class that declares a field; null if it has none.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = Reason)]
    public static ConstructorInfo? Initializer(FieldInfo field) => field.DeclaringType?.TypeInitializer;

    /// <summary>The text of a string token.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Reason)]
    public static string String(Module module, int token) => module.ResolveString(token);

    /// <summary>The signature of an indirect call, as hexadecimal digits.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Reason)]
    public static string Signature(Module module, int token) => Convert.ToHexString(module.ResolveSignature(token));

    /// <summary>The method that a call with a constrained type reaches.</summary>
    /// <param name="type">The constrained type.</param>
    /// <param name="declared">The method that the call names, of an interface or a base class.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = Reason)]
    [UnconditionalSuppressMessage("Trimming", "IL2067", Justification = Reason)]
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = Reason)]
    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = Reason)]
    public static MethodBase Implementation(Type type, MethodBase declared)
    {
        if (declared.DeclaringType is not { IsInterface: true } contract || type.IsInterface || type.IsGenericParameter) return declared;
        var map = type.GetInterfaceMap(contract);
        var definition = declared.IsGenericMethod ? ((MethodInfo)declared).GetGenericMethodDefinition() : declared;
        int index = Array.FindIndex(map.InterfaceMethods, method => method == definition);
        if (index < 0) throw new InvalidOperationException($"{type} does not implement {declared}.");
        var found = map.TargetMethods[index];
        return declared.IsGenericMethod ? found.MakeGenericMethod(declared.GetGenericArguments()) : found;
    }

    /// <summary>An instance of a type of this assembly.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2067", Justification = Reason)]
    public static object Create(Type type, params object?[] arguments) => Activator.CreateInstance(type, arguments)!;
}
