using System.Runtime.InteropServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>The fields of a struct as text, and the structs among them.</summary>
internal sealed record TypeLayout(string Text, IReadOnlyList<Type> Types)
{
    /// <summary>Describes a struct.</summary>
    public static TypeLayout Of(Type type)
    {
        var fields = RuntimeTypes.Fields(type);
        string layout = type.StructLayoutAttribute is { } l && (l.Value != LayoutKind.Sequential || l.Size != 0 || l.Pack is not (0 or 8))
            ? $" {l.Value} {l.Size} {l.Pack}" : "";
        return new($"{TypeNames.Of(type)}{layout} {{ {string.Join("; ", fields.Select(f => $"{TypeNames.Of(f.FieldType)} {f.Name}"))} }}",
            [.. fields.Select(f => f.FieldType).Where(IsOurs)]);
    }

    /// <summary>Whether the fields of a type are part of the code that uses it.</summary>
    public static bool IsOurs(Type type) =>
        type is { IsValueType: true, IsPrimitive: false, IsEnum: false, IsGenericParameter: false } && !TypeNames.IsForeign(type);
}
