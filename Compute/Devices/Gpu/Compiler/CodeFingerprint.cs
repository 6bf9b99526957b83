using System.Collections.Concurrent;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// A hash of methods' code: the IL of each and of everything that it calls, with tokens replaced by names, and the fields of the structs
/// that it uses. Equal code of two builds has equal hashes; nothing else of the assembly counts. Methods of .NET and of ILGPU count by name
/// only (<see cref="CompilerIdentity"/> has their versions), intrinsics by their device code.
/// </summary>
internal static class CodeFingerprint
{
    private static readonly ConcurrentDictionary<MethodBase, MethodCode> Methods = new();
    private static readonly ConcurrentDictionary<Type, TypeLayout> Layouts = new();

    /// <summary>The hash of a closed method and of what it calls, as 32 hexadecimal digits.</summary>
    public static string Of(MethodBase root)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var seen = new HashSet<MethodBase> { root };
        var types = new HashSet<Type>();
        var open = new Queue<MethodBase>(seen);
        while (open.TryDequeue(out var method))
        {
            var code = Methods.GetOrAdd(method, MethodCode.Of);
            Add(hash, code.Text);
            foreach (var type in code.Types) AddLayout(type);
            foreach (var called in code.Calls)
                if (seen.Add(called)) open.Enqueue(called);
        }

        return Text(hash);

        void AddLayout(Type type)
        {
            if (!types.Add(type)) return;
            var layout = Layouts.GetOrAdd(type, TypeLayout.Of);
            Add(hash, layout.Text);
            foreach (var field in layout.Types) AddLayout(field);
        }
    }

    /// <summary>The hash of all methods of some types, without those that they call elsewhere.</summary>
    public static string OfTypes(IEnumerable<Type> types)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var method in types.SelectMany(RuntimeTypes.AllMethods).OrderBy(TypeNames.Of, StringComparer.Ordinal))
            Add(hash, MethodCode.Of(method).Text);
        return Text(hash);
    }

    /// <summary>The hash of a text, in the same form.</summary>
    public static string OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..Digits];

    private const int Digits = 32;

    private static void Add(IncrementalHash hash, string text)
    {
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        hash.AppendData([0]);
    }

    private static string Text(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset())[..Digits];
}
