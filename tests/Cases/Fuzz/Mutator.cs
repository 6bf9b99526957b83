using System.Buffers.Binary;
using System.Text;

namespace ILGpuDiffusion.Cases;

/// <summary>
/// Damages valid input as broken downloads and hostile authors might. The same seed gives the same damage, so failures can be reproduced.
/// </summary>
/// <param name="seed">Named by a failing test.</param>
/// <param name="words">Pieces of the format under test, to be inserted or to replace others: keys, type names, typical values.</param>
public sealed class Mutator(int seed, params string[] words)
{
    private static readonly string[] Common =
    [
        "0", "-1", "1", "2", "8", "1.5", "1e400", "-0", "2147483647", "2147483648", "4294967296", "9223372036854775807",
            "18446744073709551616", "null", "true", "false",
        "\"\"", "[]", "{}", "[", "]", "{", "}", "\"", ":", ",", "\\", "\\ud800", "\\u0000", "\\x", "\n", "\t", " ", "NaN", "-Infinity",
            "../", "/", "\u0000", "\uFEFF", "日本", "🚀",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ];

    private readonly Random random = new(seed);
    private readonly byte[][] pieces = [.. Common.Concat(words).Select(Encoding.UTF8.GetBytes), [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80],
        [0xf4, 0x90, 0x80, 0x80]];

    /// <summary>A copy with one to four changes, sometimes none, so that the valid path is also tested.</summary>
    public byte[] Mutate(ReadOnlySpan<byte> input)
    {
        var bytes = new List<byte>(input.Length + 64);
        bytes.AddRange(input);
        for (int changes = random.Next(0, 5); changes > 0; changes--) Change(bytes);
        return [.. bytes];
    }

    /// <summary>A whole number for a length or an offset: mostly at the edges.</summary>
    public long Number(long honest)
    {
        Span<byte> raw = stackalloc byte[8];
        random.NextBytes(raw);
        return random.Next(6) switch
        {
            0 => honest + random.Next(-9, 10),
            1 => long.MaxValue - random.Next(16),
            2 => -1 - random.Next(16),
            3 => BinaryPrimitives.ReadInt64LittleEndian(raw),
            4 => 1L << random.Next(63),
            _ => honest,
        };
    }

    private void Change(List<byte> bytes)
    {
        int at = random.Next(bytes.Count + 1), length = Math.Min(random.Next(1, 40), bytes.Count - at);
        switch (random.Next(9))
        {
            case 0 when length > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when length > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                break;
            case 4 when random.Next(4) == 0: // rarely, because little of the input is left
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 5:
                ReplaceNumber(bytes, at);
                break;
            case 6:
                ReplacePiece(bytes, at);
                break;
            default:
                bytes.InsertRange(at, pieces[random.Next(pieces.Length)]);
                break;
        }
    }

    /// <summary>Replaces the next number after a position, so that the JSON stays valid but means something else.</summary>
    private void ReplaceNumber(List<byte> bytes, int at)
    {
        int start = bytes.FindIndex(at, b => b is >= (byte)'0' and <= (byte)'9');
        if (start < 0) return;
        int end = bytes.FindIndex(start, b => b is < (byte)'0' or > (byte)'9');
        if (end < 0) end = bytes.Count;
        long honest = long.TryParse(Encoding.ASCII.GetString([.. bytes.GetRange(start, end - start)]), out long value) ? value : 0;
        bytes.RemoveRange(start, end - start);
        bytes.InsertRange(start, Encoding.ASCII.GetBytes($"{Number(honest)}"));
    }

    /// <summary>Replaces the value from a position up to the next comma or bracket with a piece.</summary>
    private void ReplacePiece(List<byte> bytes, int at)
    {
        int end = bytes.FindIndex(at, b => b is (byte)',' or (byte)'}' or (byte)']');
        if (end < 0) return;
        bytes.RemoveRange(at, end - at);
        bytes.InsertRange(at, pieces[random.Next(pieces.Length)]);
    }
}
