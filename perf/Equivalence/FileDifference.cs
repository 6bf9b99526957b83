using System.Buffers.Binary;
using System.Text;

namespace ILGpuDiffusion.Equivalence;

/// <summary>Describes how two files differ.</summary>
internal static class FileDifference
{
    /// <summary>The difference as text; null if all bytes are equal.</summary>
    public static string? Of(string first, string second)
    {
        if (!File.Exists(first) || !File.Exists(second)) return $"only the {(File.Exists(first) ? "old" : "new")} build writes it";
        byte[] mine = File.ReadAllBytes(first), theirs = File.ReadAllBytes(second);
        if (mine.AsSpan().SequenceEqual(theirs)) return null;
        int at = mine.Zip(theirs).TakeWhile(pair => pair.First == pair.Second).Count();
        string where = $"byte {at} of {mine.Length}, now {theirs.Length}";
        return Path.GetExtension(first) != ".png" ? where : Pixels(mine).SequenceEqual(Pixels(theirs))
            ? $"{where}; the pixels are equal, the text in the file is not" : $"{where}; pixels differ";
    }

    // The header and the compressed pixels of a PNG, without its text.
    private static byte[] Pixels(byte[] png)
    {
        var pixels = new List<byte>();
        for (int at = 8; at + 12 <= png.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            if (Encoding.ASCII.GetString(png, at + 4, 4) is "IHDR" or "IDAT") pixels.AddRange(png.AsSpan(at + 8, length));
            at += 12 + length;
        }

        return [.. pixels];
    }
}
