using System.Globalization;
using System.Text;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Every CUDA kernel, assembled by NVIDIA's assembler, must not spill registers, and a group must fit into a multiprocessor.
/// </summary>
public sealed class PtxasTests(ITestOutputHelper output)
{
    private const int RegistersOfMultiprocessor = 65536;

    /// <summary>
    /// The oldest and the newest of the architectures; the two between have the first one's instructions, and
    /// <c>ILGPUDIFFUSION_PTXAS=all</c> adds them.
    /// </summary>
    public static TheoryData<int, int> Architectures =>
        Environment.GetEnvironmentVariable("ILGPUDIFFUSION_PTXAS") == "all" ? new() { { 8, 0 }, { 8, 6 }, { 8, 9 }, { 9, 0 } }
            : new() { { 8, 0 }, { 9, 0 } };

    [Theory, MemberData(nameof(Architectures))]
    public void Kernels_Assembled_StayInRegistersAndFit(int major, int minor)
    {
        string architecture = $"sm_{major}{minor}";
        _ = PtxAssembler.Path; // skips before translating anything
        var kernels = CudaKernels.Of(major, minor);
        var reports = PtxAssembler.Assemble(architecture, [.. kernels.Select(k => (k.Source.ToString(), k.Artifact))]);
        Write(architecture, kernels, reports);
        string[] bad = [.. kernels.Zip(reports).Where(pair => Problem(pair.First, pair.Second) is not null)
            .Select(pair => $"{pair.First.Variant}: {pair.First.Source}: {Problem(pair.First, pair.Second)}")];
        Assert.True(bad.Length == 0, $"{architecture}, {bad.Length} of {kernels.Count} kernels:\n{string.Join('\n', bad)}");
    }

    private static string? Problem(CudaKernel kernel, PtxasReport report)
    {
        int groups = Math.Max(1, kernel.Source.GroupsPerProcessor);
        return report.SpillBytes > 0 ? $"{report.SpillBytes} bytes of registers spilled"
            : report.StackBytes > 0 ? $"{report.StackBytes} bytes of local memory"
            : Allocated(report.Registers, kernel.Source.GroupSize) * groups > RegistersOfMultiprocessor
                ? $"{report.Registers} registers × {kernel.Source.GroupSize} work items × {groups} groups do not fit"
            : null;
    }

    // Registers are allocated in units of eight per work item.
    private static int Allocated(int registers, int groupSize) => (registers + 7) / 8 * 8 * groupSize;

    // One row for all types and epilogues of a kernel, with the most demanding of them.
    private void Write(string architecture, IReadOnlyList<CudaKernel> kernels, IReadOnlyList<PtxasReport> reports)
    {
        var table = new StringBuilder(
            $"| {architecture}: op | variant | kernel | forms | group | registers | spilled bytes | shared bytes | groups by registers "
                + "|\n|---|---|---|---|---|---|---|---|---|\n");
        foreach (var rows in kernels.Zip(reports)
            .GroupBy(row => (row.First.Op, row.First.Variant, Kernel: row.First.Source.ToString().Split('<')[0],
                row.First.Source.GroupSize)))
        {
            int registers = rows.Max(row => row.Second.Registers),
                shared = rows.Max(row => row.Second.SharedBytes + row.First.Source.DynamicSharedBytes);
            table.AppendLine(CultureInfo.InvariantCulture,
                $"| {rows.Key.Op} | {rows.Key.Variant} | {rows.Key.Kernel} | {rows.Count()} | {rows.Key.GroupSize} | {registers} | "
                    + $"{rows.Max(row => row.Second.SpillBytes)} | {shared} | "
                        + $"{RegistersOfMultiprocessor / Allocated(registers, rows.Key.GroupSize)} |");
        }

        output.WriteLine(table.ToString());
        string folder = Directory.CreateDirectory(Path.Combine(PtxAssembler.Artifacts, "ptxas")).FullName;
        File.WriteAllText(Path.Combine(folder, $"{architecture}.md"), table.ToString());
    }
}
