using System.Reflection;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>No public signature has a type of ILGPU.</summary>
public sealed class PublicSurfaceTests
{
    [Theory, InlineData("ILGpuDiffusion.Compute"), InlineData("ILGpuDiffusion.Layers"), InlineData("ILGpuDiffusion.Pipelines")]
    public void PublicSignatures_OfALibrary_NameNoIlgpuType(string assembly)
    {
        var exposed = Assembly.Load(assembly).GetExportedTypes()
            .SelectMany(type => Mentioned(type).Where(IsIlgpu).Select(t => $"{type} exposes {t}"));
        Assert.Empty(exposed);
    }

    [Fact]
    public void Mentioned_TypesInsideSignatures_AreFound()
    {
        Type[] types = [.. Mentioned(typeof(Sample))];
        Assert.Contains(typeof(Version), types);
        Assert.Contains(typeof(Uri), types);
        Assert.Contains(typeof(TimeSpan), types);
    }

    private static bool IsIlgpu(Type type) =>
        type.Namespace is { } space && (space == "ILGPU" || space.StartsWith("ILGPU.", StringComparison.Ordinal));

    private static IEnumerable<Type> Mentioned(Type type)
    {
        const BindingFlags Visible = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static
            | BindingFlags.DeclaredOnly;
        var members = type.GetMembers(Visible).SelectMany(member => member switch
        {
            MethodBase { IsPublic: true } or MethodBase { IsFamily: true } =>
                ((MethodBase)member).GetParameters().Select(p => p.ParameterType)
                    .Append((member as MethodInfo)?.ReturnType ?? typeof(void)),
            FieldInfo { IsPublic: true } or FieldInfo { IsFamily: true } => [((FieldInfo)member).FieldType],
            _ => Enumerable.Empty<Type>(),
        });
        return members.Concat(type.GetInterfaces()).Append(type.BaseType ?? typeof(object)).SelectMany(Parts);
    }

    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType ? Parts(type.GetElementType()!) : type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Append(type)
            : [type];

    /// <summary>Types in a parameter, a result and a generic argument, to check that the search finds them.</summary>
    public sealed class Sample
    {
        public static List<Uri[]> Method(ref Version version) => throw new InvalidOperationException(version.ToString());

        public TimeSpan? Property { get; init; }
    }
}
