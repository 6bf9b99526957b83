using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Compute;

/// <summary>Corrections of the PTX that ILGPU 1.5.3 writes.</summary>
internal static partial class PtxText
{
    /// <exception cref="KernelCompilationException">The kernel calls functions: something was not inlined, or has no device code.</exception>
    public static string Patch(string text)
    {
        text = Function().Replace(text, "");
        if (Call().IsMatch(text)) throw new KernelCompilationException("calls remain; mark the methods that it uses as aggressively inlined.");
        return Renumber(text);
    }

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

    [GeneratedRegex(@"\b(L|_[A-Za-z]\w*?)_(\d+)\b")]
    private static partial Regex Numbered();
}
