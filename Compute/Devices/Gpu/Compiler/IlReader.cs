using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>One instruction of a method's IL.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="Code">The operation.</param>
/// <param name="Operand">A token, a number, or offsets of branch targets.</param>
internal readonly record struct IlInstruction(int Offset, OpCode Code, ReadOnlyMemory<byte> Operand)
{
    /// <summary>A metadata token, or a number of 32 bits.</summary>
    public int Int32 => BinaryPrimitives.ReadInt32LittleEndian(Operand.Span);

    /// <summary>The name without the suffix of the short encoding, which does not change what it does.</summary>
    public string Name => Code.Name!.EndsWith(".s", StringComparison.Ordinal) ? Code.Name[..^2] : Code.Name;

    /// <summary>The offsets that a branch or switch may continue at.</summary>
    public IEnumerable<int> Targets
    {
        get
        {
            int next = Offset + Code.Size + Operand.Length;
            if (Code.OperandType == OperandType.ShortInlineBrTarget) return [next + (sbyte)Operand.Span[0]];
            if (Code.OperandType == OperandType.InlineBrTarget) return [next + Int32];
            var operand = Operand;
            return Code.OperandType != OperandType.InlineSwitch ? []
                : Enumerable.Range(1, Int32).Select(i => next + BinaryPrimitives.ReadInt32LittleEndian(operand.Span[(4 * i)..]));
        }
    }
}

/// <summary>Decodes the IL of methods (ECMA-335, partition III).</summary>
internal static class IlReader
{
    private const byte TwoBytes = 0xFE;
    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>The instructions in order.</summary>
    public static IReadOnlyList<IlInstruction> Read(byte[] il)
    {
        var instructions = new List<IlInstruction>();
        for (int at = 0; at < il.Length;)
        {
            int start = at;
            short value = il[at++];
            if (value == TwoBytes) value = unchecked((short)(TwoBytes << 8 | il[at++]));
            var code = Codes[value];
            int bytes = code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BinaryPrimitives.ReadInt32LittleEndian(il.AsSpan(at)),
                _ => 4,
            };
            instructions.Add(new(start, code, il.AsMemory(at, bytes)));
            at += bytes;
        }

        return instructions;
    }
}
