using System.Buffers;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>Names from a model's files that become part of a path.</summary>
internal static class PlainName
{
    private static readonly SearchValues<char> Special = SearchValues.Create("/\\:*?\"<>|");

    /// <summary>
    /// True when the name is one path segment on every system: no separator, drive, control character, and not "." or "..".
    /// </summary>
    public static bool Is(string name) =>
        name.Length is > 0 and <= 255 && name is not ("." or "..") && !name.AsSpan().ContainsAny(Special) && !name.Any(char.IsControl);
}
