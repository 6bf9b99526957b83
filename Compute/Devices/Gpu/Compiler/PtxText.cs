using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Corrections of the PTX that ILGPU 1.5.3 writes.</summary>
internal static partial class PtxText
{
    /// <exception cref="KernelCompilationException">The kernel calls functions: something was not inlined, or has no device code.</exception>
    public static string Patch(string text)
    {
        text = Function().Replace(text, "");
        if (Call().IsMatch(text)) throw new KernelCompilationException("calls remain; mark the methods that it uses as aggressively inlined.");
        return Renumber(MayDiverge(text));
    }

    /// <summary>
    /// Takes the promise that all lanes of a warp agree from branches that depend on a value: where they do not agree, <c>.uni</c> makes
    /// behaviour undefined. ILGPU's analysis (IR/Analyses/Uniforms.cs) counts the result of every call as equal in all lanes, and each of our
    /// intrinsics is a call: the lane's number, what another lane hands over, a rounded or widened number. It also overlooks values that
    /// depend on the way taken. An unconditional <c>bra.uni</c> keeps its promise by itself.
    /// </summary>
    private static string MayDiverge(string text) => Promise().Replace(text, "$1");

    // Parameters and labels are numbered by appearance: ILGPU's numbers depend on all that was compiled before.
    private static string Renumber(string text)
    {
        var numbers = new Dictionary<string, string>();
        return Numbered().Replace(text, match =>
            numbers.TryGetValue(match.Value, out string? name) ? name : numbers[match.Value] = $"{match.Groups[1].Value}_{numbers.Count}");
    }

    // Intrinsics leave functions behind, first declared, then defined, which nobody calls.
    [GeneratedRegex(@"^\.visible \.func [^;{]*(;|\{.*?^\})\s*", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Function();

    [GeneratedRegex(@"^\s*(@!?%p\d+ )?call\b", RegexOptions.Multiline)]
    private static partial Regex Call();

    [GeneratedRegex(@"(@!?%p\d+\s+bra|\bbrx\.idx)\.uni\b")]
    private static partial Regex Promise();

    [GeneratedRegex(@"\b(L|_[A-Za-z]\w*?)_(\d+)\b")]
    private static partial Regex Numbered();
}
