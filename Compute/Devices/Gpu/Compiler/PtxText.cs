using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>Corrections of the PTX that ILGPU 1.5.3 generates.</summary>
internal static partial class PtxText
{
    /// <exception cref="KernelCompilationException">The kernel calls functions: something was not inlined, or has no device
    /// code.</exception>
    public static string Patch(string text)
    {
        text = Function().Replace(text, "");
        if (Call().IsMatch(text))
            throw new KernelCompilationException("function calls remain; mark the methods that it uses as aggressively inlined.");
        return Renumber(MayDiverge(text));
    }

    /// <summary>
    /// Removes <c>.uni</c> from conditional branches: it asserts that all lanes of a warp agree, and behaviour is undefined if they do not.
    /// ILGPU's analysis (IR/Analyses/Uniforms.cs) treats the result of every call as uniform, and each of our intrinsics is a call: the
    /// lane index, a value from another lane, a rounded or widened number. It also misses values that depend on control flow. An
    /// unconditional <c>bra.uni</c> is always uniform.
    /// </summary>
    private static string MayDiverge(string text) => Promise().Replace(text, "$1");

    // Numbers parameters and labels by first appearance: ILGPU's numbers depend on everything compiled before.
    private static string Renumber(string text)
    {
        var numbers = new Dictionary<string, string>();
        return Numbered().Replace(text, match =>
            numbers.TryGetValue(match.Value, out string? name) ? name : numbers[match.Value] = $"{match.Groups[1].Value}_{numbers.Count}");
    }

    // Intrinsics leave behind functions, first declared, then defined, that are never called.
    [GeneratedRegex(@"^\.visible \.func [^;{]*(;|\{.*?^\})\s*", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Function();

    [GeneratedRegex(@"^\s*(@!?%p\d+ )?call\b", RegexOptions.Multiline)]
    private static partial Regex Call();

    [GeneratedRegex(@"(@!?%p\d+\s+bra|\bbrx\.idx)\.uni\b")]
    private static partial Regex Promise();

    [GeneratedRegex(@"\b(L|_[A-Za-z]\w*?)_(\d+)\b")]
    private static partial Regex Numbered();
}
