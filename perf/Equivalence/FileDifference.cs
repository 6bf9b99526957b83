using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Equivalence;

/// <summary>Describes how two files differ.</summary>
internal static class FileDifference
{
    /// <summary>The difference as text; null if all bytes are equal, or of two images all pixels and texts.</summary>
    public static string? Of(string first, string second)
    {
        if (!File.Exists(first) || !File.Exists(second)) return $"only the {(File.Exists(first) ? "old" : "new")} build writes it";
        byte[] old = File.ReadAllBytes(first), now = File.ReadAllBytes(second);
        if (old.AsSpan().SequenceEqual(now)) return null;
        if (Path.GetExtension(first) != ".png")
        {
            int at = old.Zip(now).TakeWhile(pair => pair.First == pair.Second).Count();
            return $"byte {at} of {old.Length}, now {now.Length}";
        }

        Image left = Image.Load(first), right = Image.Load(second);
        return !left.Pixels.AsSpan().SequenceEqual(right.Pixels) ? "pixels differ"
            : left.Parameters != right.Parameters ? $"the text was {left.Parameters} and is {right.Parameters}"
            : left.RequestJson != right.RequestJson ? $"the request was {left.RequestJson} and is {right.RequestJson}" : null;
    }
}
