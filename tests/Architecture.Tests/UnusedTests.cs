using System.CodeDom.Compiler;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>
/// Every member is used: internal and private ones are reached from the public surface or the program, and public ones are called, tested
/// or documented.
/// </summary>
public sealed partial class UnusedTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Assembly[] Libraries =
        [Assembly.Load("ILGpuDiffusion.Compute"), Assembly.Load("ILGpuDiffusion.Layers"), Assembly.Load("ILGpuDiffusion.Pipelines")];

    private static readonly Assembly Program = Assembly.Load("ilgd");

    private const string Notebooks = "notebooks call it by reflection";

    private const string Identity = "part of a key, which is only compared";

    /// <summary>Unused members that stay, each with its reason.</summary>
    private static readonly Dictionary<string, string> Kept = new()
    {
        ["ImageFormatter.Format(Object, TextWriter)"] = Notebooks,
        ["ImageFormatter.MimeType"] = Notebooks,
        ["ImageFormatterSource.CreateTypeFormatters()"] = Notebooks,
        ["TypeFormatterSourceAttribute.FormatterSourceType"] = Notebooks,
        ["WinogradPanels.Columns"] = Identity,
        ["GatedPanels.Columns"] = Identity,
        ["GemmPanels.Columns"] = Identity,
        ["GemmPanels.ChannelsPerBlock"] = Identity,
        ["KernelKey.Op"] = Identity,
        ["KernelKey.Inputs"] = Identity,
        ["KernelKey.Output"] = Identity,
        ["KernelKey.Variant"] = Identity,
        ["KernelKey.Architecture"] = Identity,
        ["EmbeddingKey.Ids"] = Identity,
        ["EmbeddingKey.Count"] = Identity,
        ["EmbeddingKey.State"] = Identity,
        ["EmbeddingKey.Pooled"] = Identity,
        ["PanelGemmLaunches.Panels.Gated"] = Identity,
        ["PanelGemmLaunches.Panels.KernelPositionsFirst"] = Identity,
        ["KernelSource.Of(Delegate, Int32)"] = "tests compile small kernels of their own",
        ["GpuArguments.Long(String, Int64)"] = "tests launch small kernels of their own",
        ["DeviceWeights.Bytes"] = "tests measure what weights take on a device",
        ["DeviceWeights.Model.Bytes"] = "tests measure what weights take on a device",
        ["GraphPlan.KernelCount"] = "tests count what fusing saves",
        ["AutoencoderKL..ctor(ModelConfig)"] = "tests and perf read an autoencoder alone",
        ["ClipTextModel..ctor(ModelConfig, Nullable`1)"] = "tests and perf read a text encoder alone",
    };

    /// <summary>Public members without a word by which use could be found.</summary>
    private static readonly Dictionary<string, string> WithoutAWord = new()
    {
        ["Shape.GetEnumerator()"] = "collection expressions need it",
        ["Seed.FromUInt32(UInt32)"] = "the operator's other name, which CA2225 asks for",
        ["Seed.FromUInt64(UInt64)"] = "the operator's other name, which CA2225 asks for",
        ["Image.ToHtml()"] = Notebooks,
    };

    private static readonly MemberInfo[] Roots = [.. Libraries.SelectMany(a => a.GetTypes()).SelectMany(Surface), Program.EntryPoint!];
    private static readonly Lazy<Reachability> Reached = new(() => new Reachability([.. Libraries, Program], Roots));
    private static readonly Lazy<Dictionary<string, int>> ProductWords =
        new(() => Words(Repository.Rooms.SkipLast(1).SelectMany(Repository.Sources)));

    [Fact]
    public void HiddenMembers_OfAllRooms_AreReached()
    {
        string[] unused = [.. Unused([.. Libraries, Program], Reached.Value, ProductWords.Value)], unknown = [.. unused.Except(Kept.Keys)];
        Assert.True(unknown.Length == 0, $"No code of the libraries or the program uses: {string.Join('\n', unknown)}");
        Assert.Empty(Kept.Keys.Except(unused)); // the list has no used or removed members
    }

    [Fact]
    public void PublicMembers_OfTheLibraries_HaveAUser()
    {
        string[] files = [.. Repository.Sources("tests"), .. Repository.Sources("perf"), Path.Combine(Repository.Root, "README.md")];
        var words = Words(files.Where(f => Path.GetFileName(f) != "UnusedTests.cs"));
        var members = Libraries.SelectMany(a => a.GetTypes()).Where(t => !IsGenerated(t)).SelectMany(Members);
        string[] names = [.. members.Where(m => IsVisible(m) && !IsUsed(m)).Select(Name)], unknown = [.. names.Except(WithoutAWord.Keys)];
        Assert.True(unknown.Length == 0, $"Nothing uses, tests or documents: {string.Join('\n', unknown)}");
        Assert.Empty(WithoutAWord.Keys.Except(names));

        bool IsUsed(MemberInfo member) => words.ContainsKey(Word(member)) || IsImposed(member)
            || (IsConstant(member) ? ProductWords.Value[member.Name] > 1 : Accessors(member).Any(Reached.Value.IsReferenced));
    }

    [Fact]
    public void Unused_PlantedMembers_AreFound()
    {
        Assembly[] here = [typeof(UnusedTests).Assembly];
        var found = Unused(here, new Reachability(here, [typeof(Sample).GetMethod(nameof(Sample.Run))!]), []);
        var inSample = found.Select(n => n.Split("Sample.")).Where(n => n.Length == 2).Select(n => n[1]);
        Assert.Equal(["Dead()", "DeadIsland()", "Unread", "Written", "Never"], inSample);
    }

    private static IEnumerable<string> Unused(IEnumerable<Assembly> product, Reachability reached, Dictionary<string, int> words)
    {
        foreach (var type in product.SelectMany(a => a.GetTypes()).Where(t => !IsGenerated(t)))
            if (!reached.Contains(type) && !IsNamed(type)) yield return Name(type);
            else
                foreach (var member in Members(type))
                    if (!Accessors(member).Any(reached.Contains) && !(IsConstant(member) && IsNamed(member))) yield return Name(member);

        bool IsNamed(MemberInfo member) => words.GetValueOrDefault(member.Name) > 1;
    }

    /// <summary>The members of a type that users of a library may call.</summary>
    private static IEnumerable<MemberInfo> Surface(Type type) =>
        type.GetMembers(Declared).Where(m => m is MethodBase or FieldInfo && IsVisible(m)).Concat(type.IsVisible ? [type] : []);

    /// <summary>Members as declared in source: properties instead of accessors and backing fields, and no nested types.</summary>
    private static IEnumerable<MemberInfo> Members(Type type) =>
        type.IsSubclassOf(typeof(Delegate)) ? [] : type.GetMembers(Declared).Where(m => !IsGenerated(m) && m switch
        {
            FieldInfo field => !field.IsSpecialName && (field.IsStatic || !IsMemory(type)),
            ConstructorInfo constructor => !constructor.IsStatic && constructor.GetParameters().Length > 0,
            MethodInfo method => !method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal),
            _ => m is PropertyInfo,
        });

    /// <summary>Mutable structs are read as a whole, by a kernel or a driver.</summary>
    private static bool IsMemory(Type type) => type.IsValueType && !type.IsEnum && !type.IsDefined(typeof(IsReadOnlyAttribute), false);

    private static IEnumerable<MemberInfo> Accessors(MemberInfo member) =>
        member is PropertyInfo property ? property.GetMethod is { } get ? [get] : [property.SetMethod!] : [member];

    /// <summary>The word in source where a member is used.</summary>
    private static string Word(MemberInfo member) => member switch
    {
        ConstructorInfo => member.DeclaringType!.Name,
        { Name: ['g' or 's', 'e', 't', '_', .. var property] } => property, // in an extension
        { Name: ['o', 'p', '_', ..] } => member.DeclaringType!.Name,
        _ => member.Name,
    };

    private static bool IsConstant(MemberInfo member) => member is FieldInfo { IsLiteral: true };

    /// <summary>Overrides, and implementations of interfaces.</summary>
    private static bool IsImposed(MemberInfo member) => Accessors(member).Any(a => a is MethodInfo method
        && ((method.IsVirtual && method.GetBaseDefinition().DeclaringType != method.DeclaringType)
            || a.DeclaringType!.GetInterfaces().Any(i => i.GetMethods().Any(other => other.Name == method.Name))));

    private static bool IsVisible(MemberInfo member) => member.DeclaringType is { IsVisible: true } && Accessors(member).Any(a =>
        a is MethodBase { IsPublic: true } or MethodBase { IsFamily: true } or MethodBase { IsFamilyOrAssembly: true }
        or FieldInfo { IsPublic: true } or FieldInfo { IsFamily: true } or FieldInfo { IsFamilyOrAssembly: true });

    private static bool IsGenerated(MemberInfo member) => member.Name.Contains('<')
        || member.IsDefined(typeof(CompilerGeneratedAttribute), false)
        || member.IsDefined(typeof(GeneratedCodeAttribute), false) || (member.DeclaringType is { } outer && IsGenerated(outer));

    private static string Name(MemberInfo member) => member switch
    {
        Type { DeclaringType: { } outer } => $"{Name(outer)}.{member.Name}",
        Type => member.Name,
        MethodBase method =>
            $"{Name(method.DeclaringType!)}.{method.Name}({string.Join(", ", method.GetParameters().Select(p => p.ParameterType.Name))})",
        _ => $"{Name(member.DeclaringType!)}.{member.Name}",
    };

    /// <summary>How often each word occurs in the files, without comments.</summary>
    private static Dictionary<string, int> Words(IEnumerable<string> files) =>
        files.SelectMany(File.ReadLines).Where(line => !line.AsSpan().TrimStart().StartsWith("//"))
            .SelectMany(line => Words().Matches(line).Select(m => m.Value)).CountBy(w => w).ToDictionary();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Words();

    private sealed class Sample
    {
        public int Written, Read;

        private int Unread { get; set; }

        public static void Run()
        {
            var sample = new Sample { Unread = 1, Written = 2, Read = 3 };
            if (sample.Read == 0) Used();
        }

        private static void Used() { }

        private static void Dead() => DeadIsland();

        private static void DeadIsland() => Dead();

        private sealed class Never;
    }
}
