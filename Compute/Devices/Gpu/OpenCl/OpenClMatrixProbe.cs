using System.Globalization;
using System.Text;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Probes a device's matrix instructions: every sum must be in the register where the kernels expect it, with operands laid out as the
/// kernels do (<see cref="IMatrixLayout"/>). The numbers are small integers, so that sums are exact in every type.
/// </summary>
internal static class OpenClMatrixProbe
{
    /// <summary>Intel's extension for XMX (DPAS).</summary>
    public const string IntelExtension = "cl_intel_subgroup_matrix_multiply_accumulate";

    private const int Depth = 16, Registers = 8; // 16-bit elements of an operand's row; registers of a work item

    /// <summary>
    /// The kind of matrix instructions that a device claims. AMD's are compiler builtins without an extension name; the device name
    /// identifies them.
    /// </summary>
    public static MatrixUnitKind Claimed(OpenClInfo info) =>
        info.Extensions.Contains(IntelExtension)
            ? info.SmallestSubGroup switch { 8 => MatrixUnitKind.Intel8, 16 => MatrixUnitKind.Intel16, _ => MatrixUnitKind.None }
        : !info.Vendor.StartsWith("Advanced Micro Devices", StringComparison.Ordinal) ? MatrixUnitKind.None
        : info.Name.StartsWith("gfx11", StringComparison.Ordinal) ? MatrixUnitKind.Rdna3
        : info.Name.StartsWith("gfx120", StringComparison.Ordinal) ? MatrixUnitKind.Rdna4
        : MatrixUnitKind.None;

    /// <summary>The probes for a device, one per type.</summary>
    public static IEnumerable<ProbeCandidate> Candidates(OpenClInfo info) => Claimed(info) switch
    {
        MatrixUnitKind.Intel8 => Of<IntelLayout<ShareOfEight>>(MatrixUnitKind.Intel8, IntelExtension),
        MatrixUnitKind.Intel16 => Of<IntelLayout<ShareOfSixteen>>(MatrixUnitKind.Intel16, IntelExtension),
        MatrixUnitKind.Rdna3 => Of<Rdna3Layout>(MatrixUnitKind.Rdna3, $"WMMA of {info.Name}"),
        MatrixUnitKind.Rdna4 => Of<Rdna4Layout>(MatrixUnitKind.Rdna4, $"WMMA of {info.Name}"),
        _ => [],
    };

    private static IEnumerable<ProbeCandidate> Of<TLayout>(MatrixUnitKind kind, string name) where TLayout : struct, IMatrixLayout
    {
        foreach (var (type, word) in new[] { (MatrixTypes.Float16, "fp16"), (MatrixTypes.BFloat16, "bf16"), (MatrixTypes.Int8, "int8") })
        {
            var part = new GpuFeatures { MatrixUnit = kind, Matrix = type };
            yield return new($"{name} ({word})", part, Text<TLayout>(part, word), (Registers + 2) * OpenClProbe.Items,
                results => Check<TLayout>(type, results));
        }
    }

    private static string Text<TLayout>(GpuFeatures part, string word) where TLayout : struct, IMatrixLayout
    {
        var text = new StringBuilder();
        Table("left", (lane, r) => Element(part.Matrix, TLayout.LeftRow(lane, r), TLayout.LeftElement(lane, r), 1)
            | (TLayout.LeftElements == 1 ? 0 : Element(part.Matrix, TLayout.LeftRow(lane, r), TLayout.LeftElement(lane, r) + 1, 1) << 16));
        Table("right", (lane, r) => Element(part.Matrix, TLayout.RightRow(lane, r), TLayout.RightElement(lane, r), 2)
            | Element(part.Matrix, TLayout.RightRow(lane, r), TLayout.RightElement(lane, r) + 1, 2) << 16);
        string fields = string.Join(", ", Enumerable.Range(0, Registers).Select(r => $"field_{r}"));
        text.Append(CultureInfo.InvariantCulture, $$"""
            typedef struct { uint {{fields}}; } words_t;
            typedef struct { float {{fields}}; } floats_t;
            kernel __attribute__((reqd_work_group_size({{OpenClProbe.Items}}, 1, 1))){{OpenClText.SubGroupSize(part)}} void probe(global int* results)
            {
                int item = (int)get_local_id(0), lane = ilgd_lane();
                words_t a, b;
                floats_t sums;

            """);
        for (int r = 0; r < Registers; r++)
        {
            string start = part.Matrix == MatrixTypes.Int8 ? $"as_float(lane + {r})" : $"(float)(lane + {r})";
            text.Append(CultureInfo.InvariantCulture,
                $"    a.field_{r} = left[{Registers} * lane + {r}]; b.field_{r} = right[{Registers} * lane + {r}]; sums.field_{r} = "
                    + $"{start};\n");
        }

        text.Append(CultureInfo.InvariantCulture,
            $"    sums = ilgd_matrix_{word}(sums, sums, a, b);\n    sums = ilgd_matrix_{word}(sums, sums, a, b);\n");
        for (int r = 0; r < Registers; r++)
            text.Append(CultureInfo.InvariantCulture, $"    results[{Registers} * item + {r}] = as_int(sums.field_{r});\n");
        text.Append(CultureInfo.InvariantCulture,
            $"    results[{Registers * OpenClProbe.Items} + item] = lane;\n    results[{(Registers + 1) * OpenClProbe.Items} + item] = "
                + $"ilgd_sub_group();\n}}\n");
        return text.ToString();

        void Table(string name, Func<int, int, uint> value)
        {
            var all = from lane in Enumerable.Range(0, TLayout.Lanes)
                      from r in Enumerable.Range(0, Registers)
                      select r < TLayout.Registers
                ? value(lane, r) : 0;
            text.Append(CultureInfo.InvariantCulture,
                $"constant uint {name}[] = {{ {string.Join(", ", all.Select(v => $"0x{v:x}"))} }};\n");
        }
    }

    /// <exception cref="DeviceException">The numbers are wrong.</exception>
    private static int Check<TLayout>(MatrixTypes type, int[] results) where TLayout : struct, IMatrixLayout
    {
        for (int item = 0; item < OpenClProbe.Items; item++)
        {
            int lane = results[Registers * OpenClProbe.Items + item], group = results[(Registers + 1) * OpenClProbe.Items + item];
            if (lane != item % TLayout.Lanes || group != item / TLayout.Lanes)
                throw new DeviceException($"its sub-groups are not of {TLayout.Lanes} neighbours");
            for (int r = 0; r < Registers; r++)
            {
                int sum = lane + r + 2 * Enumerable.Range(0, 2 * Depth)
                    .Sum(i => Number(type, TLayout.SumRow(lane, r), i, 1) * Number(type, TLayout.SumColumn(lane, r), i, 2));
                int result = results[Registers * item + r];
                if ((type == MatrixTypes.Int8 ? result : BitConverter.Int32BitsToSingle(result)) != sum)
                    throw new DeviceException("it gives wrong sums");
            }
        }

        return 0;
    }

    /// <summary>Bits of an operand's element: a float, or two bytes.</summary>
    private static uint Element(MatrixTypes type, int row, int element, int operand) => type switch
    {
        MatrixTypes.Float16 => BitConverter.HalfToUInt16Bits((Half)Number(type, row, 2 * element, operand)),
        MatrixTypes.BFloat16 => BFloat16Bits.Round(Number(type, row, 2 * element, operand)),
        _ => (byte)Number(type, row, 2 * element, operand) | (uint)(byte)Number(type, row, 2 * element + 1, operand) << 8,
    };

    // Half an element: bytes come in pairs; for floats the second half is unused.
    private static int Number(MatrixTypes type, int row, int half, int operand) =>
        type == MatrixTypes.Int8 ? (row * 37 + half * (operand == 1 ? 11 : 53)) % 255 - 127 : half % 2 == 1 ? 0
            : (row * 7 + half * (operand == 1 ? 3 : 5)) % 23 - 11;
}
