using System.Text.RegularExpressions;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// The memory accesses between a kernel's barriers. ILGPU schedules code separately for PTX and OpenCL C, and only the latter can be run on
/// any machine, so both must agree.
/// </summary>
internal static partial class KernelOrder
{
    /// <summary>
    /// Each basic block that has a barrier, as barriers (B) with the number of loads and stores of shared (l, s) and global (L, S) memory
    /// between them, of loads of matrices (m), and of asynchronous copies that are started (c), committed (p) and waited for (w); sorted,
    /// because the order of blocks in a text has no meaning.
    /// </summary>
    public static string[] Blocks(KernelArtifact artifact)
    {
        bool ptx = artifact.Language == GpuLanguage.Ptx;
        var shared = ptx ? [] : SharedPointers(artifact.Text);
        var blocks = new List<string>();
        foreach (string block in (ptx ? PtxLabel() : ClLabel()).Split(artifact.Text))
        {
            string[] segments = [.. (ptx ? PtxBarrier() : ClBarrier()).Split(block)
                .Select(segment => ptx ? OfPtx(segment) : OfOpenCl(segment, shared))];
            if (segments.Length > 1) blocks.Add(string.Join(" B ", segments));
        }

        return [.. blocks.Order(StringComparer.Ordinal)];
    }

    private static string OfPtx(string segment) => Counts(segment, PtxAccess(), m =>
        m.Groups[3].Success ? Asynchronous(m.Groups[3].Value) : m.Groups[1].Value == "ld" ? m.Groups[2].Value == "shared" ? 'l' : 'L'
            : m.Groups[2].Value == "shared" ? 's' : 'S');

    private static string OfOpenCl(string segment, HashSet<string> shared) => Counts(segment, ClAccess(), m =>
        m.Groups[4].Success ? Asynchronous(m.Groups[4].Value) : m.Groups[3].Success ? m.Groups[3].Value == "read" ? 'l' : 's'
            : m.Groups[1].Success ? shared.Contains(m.Groups[1].Value) ? 'l' : 'L' : shared.Contains(m.Groups[2].Value) ? 's' : 'S');

    private static string Counts(string segment, Regex access, Func<Match, char> letter)
    {
        var letters = access.Matches(segment).Select(letter).ToArray();
        return string.Join(' ', "lsLSmcpw".Select(kind => (kind, count: letters.Count(l => l == kind))).Where(c => c.count > 0)
            .Select(c => $"{c.kind}{c.count}"));
    }

    private static char Asynchronous(string step) => step switch
    {
        "ldmatrix" or "load_matrices" => 'm',
        "cp.async.cg" or "copy_async" => 'c',
        "cp.async.commit_group" or "copy_commit" => 'p',
        _ => 'w',
    };

    private static HashSet<string> SharedPointers(string text)
    {
        var types = SharedType().Matches(text).Select(m => m.Groups[1].Value).ToHashSet();
        return [.. Declaration().Matches(text).Where(m => types.Contains(m.Groups[1].Value)).Select(m => m.Groups[2].Value)];
    }

    [GeneratedRegex(@"^\s*L_\d+:", RegexOptions.Multiline)]
    private static partial Regex PtxLabel();

    [GeneratedRegex(@"^\s*L_\d+: ;", RegexOptions.Multiline)]
    private static partial Regex ClLabel();

    [GeneratedRegex(@"\bbar\.sync\b[^;]*;")]
    private static partial Regex PtxBarrier();

    [GeneratedRegex(@"\bbarrier\([^)]*\);")]
    private static partial Regex ClBarrier();

    [GeneratedRegex(@"\b(ld|st)\.(shared|global)\b|\b(ldmatrix|cp\.async\.(?:cg|commit_group|wait_group))\b")]
    private static partial Regex PtxAccess();

    [GeneratedRegex(@"=  \*  (var\d+);|^\s*\*  (var\d+) =|\bilgd_shared_(read|store)|\bilgd_(load_matrices|copy_(?:async|commit|wait))",
        RegexOptions.Multiline)]
    private static partial Regex ClAccess();

    [GeneratedRegex(@"typedef local [^;]*\* (type_\d+);")]
    private static partial Regex SharedType();

    [GeneratedRegex(@"^\t(type_\d+) (var\d+);", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
