using System.Collections.Concurrent;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Identities of kernels that are equal in all builds of the same code: the hash of a kernel's code and of the compiler's. A hash takes a
/// reflection of the code and loads the compiler's assembly, so it is kept on disk for the build that it was computed in.
/// </summary>
/// <param name="folder">The folder of hashes.</param>
/// <param name="fingerprint">Computes the hash of a kernel's code.</param>
internal sealed class KernelIdentities(ArtifactFolder folder, Func<KernelSource, string> fingerprint)
{
    private readonly ConcurrentDictionary<string, string> known = new();

    /// <summary>A kernel's identity in a language; targets are not part of it.</summary>
    public string Of(KernelSource source, GpuLanguage language, ArtifactCacheLog log)
    {
        string code = Find(source.BuildIdentity, () => fingerprint(source), log);
        string build = typeof(KernelIdentities).Module.ModuleVersionId.ToString("N");
        string compiler = Find($"compiler {language} of {build}", () => CompilerIdentity.Of(language), log);
        return Text(source, code, compiler);
    }

    /// <summary>The identity in words.</summary>
    public static string Text(KernelSource source, string code, string compiler) =>
        $"{source.Name} {source.Settings} | code {code} | compiler {compiler}";

    private string Find(string build, Func<string> compute, ArtifactCacheLog log)
    {
        if (known.TryGetValue(build, out string? found)) return found;
        string key = $"identity | {build}", name = ArtifactFolder.Name(key, ArtifactFolder.IdentitySuffix);
        string? kept = folder.Read(name, key, static reader => reader.ReadString(), log);
        if (kept is not null) return known[build] = kept;
        string made = compute();
        folder.Write(name, ArtifactFile.Pack(key, writer => writer.Write(made)), log);
        return known[build] = made;
    }
}
