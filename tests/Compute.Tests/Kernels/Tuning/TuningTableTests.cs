using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Tuning table files: saving, damaged files, permissions.</summary>
public sealed class TuningTableTests : IDisposable
{
    private const string ChildVariable = "ILGPUDIFFUSION_TUNING_CHILD";
    private const int EntriesPerChild = 12;
    private readonly CollectingLoggerFactory log = new();
    private readonly CpuDevice device;

    public TuningTableTests() => device = new(threads: 2, log);
    private readonly string folder = Directory.CreateTempSubdirectory("ilgpudiffusion-").FullName;

    public void Dispose()
    {
        device.Dispose();
        log.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Save_ThenOpen_FindsTheSameChoice()
    {
        var table = Open();
        var call = FakeKernels.Gemm(rows: 4000, depth: 640, columns: 2560);
        table.Add(call, Set(call, GemmTuning.PartRows, 256), 2e-3, 1e-3);
        table.Save();
        var read = Open();
        Assert.Empty(read.Warnings);
        Assert.Equal("cpu/packed part_rows=256", read.Find(call).ToString());
        var entry = Assert.Single(read.Own);
        Assert.Equal(("matmul", "Float32,Float32", 4096, "640→2560", 2.0), (entry.Op, entry.DTypes, entry.Rows, entry.Shape, entry.Gain));
        Assert.Equal(entry, read.FindOwn(call));
    }

    [Fact, UnsupportedOSPlatform("windows")]
    public void Table_InAFolderThatOthersCanWriteTo_IsNeitherUsedNorWritten()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes.");
        var table = Open();
        var call = FakeKernels.Gemm();
        table.Add(call, Set(call, GemmTuning.PartRows, 256), 2e-3, 1e-3);
        table.Save();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(table.Path!));
        byte[] before = File.ReadAllBytes(table.Path!);
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_000);
        var read = Open();
        Assert.Null(read.Find(call));
        Assert.Contains($"tuning table {table.Path} is not used: other users can write to {folder} (its mode is 770).",
            Assert.Single(read.Warnings), StringComparison.Ordinal);
        read.Add(call, Set(call, GemmTuning.PartRows, 512), 2e-3, 1e-3);
        Assert.Contains("because it would not be used: other users can write to", Assert.Throws<IOException>(read.Save).Message,
            StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(table.Path!));
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_000_000);
        read.Save(); // entries that could not be written are still there
        Assert.NotNull(Open().Find(call));
    }

    [Theory, InlineData(4000, true), InlineData(2049, true), InlineData(2000, true), InlineData(1500, false), InlineData(8192, true),
        InlineData(8193, false)]
    public void Find_OtherRows_TakesTheNearestWithinAFactorOfTwo(int rows, bool found)
    {
        var table = Open();
        var measured = FakeKernels.Gemm(rows: 4096);
        table.Add(measured, Set(measured, GemmTuning.PartRows, 256), 2e-3, 1e-3);
        Assert.Equal(found, table.Find(FakeKernels.Gemm(rows)) is not null);
        Assert.Null(table.Find(FakeKernels.Gemm(4096, depth: 65)));
    }

    [Fact]
    public void Find_EpilogueFusedIn_IsTheSameCall()
    {
        var table = Open();
        var call = FakeKernels.Gemm();
        table.Add(call, Set(call, GemmTuning.PartRows, 256), 2e-3, 1e-3);
        Assert.NotNull(table.Find(call with { Op = new MatMul(new Epilogue(Activation: UnaryFunction.Silu)) }));
    }

    [Fact]
    public void Device_WithATable_UsesItsSettings()
    {
        var table = Open();
        var call = FakeKernels.Gemm();
        table.Add(call, Set(call, GemmTuning.PartRows, 256), 2e-3, 1e-3);
        using var tuned = new CpuDevice(threads: 2) { Tuning = table };
        Assert.Equal("cpu/packed part_rows=256", tuned.Kernels.Choose(call).ToString());
        using var plain = new CpuDevice(threads: 2) { Tuning = TuningTable.None };
        Assert.Equal("cpu/packed", plain.Kernels.Choose(call).ToString());
    }

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("{", "JSON")]
    [InlineData("[1, 2]", "JSON")]
    [InlineData("null", "format")]
    [InlineData("{}", "format")]
    [InlineData("""{"format":"something else","version":1,"entries":[]}""", "format")]
    [InlineData("""{"format":"ilgpudiffusion-tuning","version":2,"entries":[]}""", "version")]
    [InlineData("""{"format":"ilgpudiffusion-tuning","version":1,"entries":null}""", "entry")]
    [InlineData("""{"format":"ilgpudiffusion-tuning","version":1,"entries":[null]}""", "entry")]
    [InlineData("""{"format":"ilgpudiffusion-tuning","version":1,"entries":[{"op":"matmul","rows":-1}]}""", "entry")]
    [InlineData("""{"format":"ilgpudiffusion-tuning","version":1,"backend":"cuda","architecture":"sm_90","device":"Another","entries":[]}""", "measured on cuda sm_90, Another")]
    public void Open_UnusableFile_WarnsAndKeepsTheFileAsideOnSave(string content, string reason)
    {
        string path = Open().Path!;
        File.WriteAllText(path, content);
        var table = Open();
        Assert.Empty(table.Own);
        string warning = Assert.Single(table.Warnings);
        Assert.Equal([warning], log.Warnings);
        Assert.Contains(path, warning, StringComparison.Ordinal);
        Assert.Contains(reason, warning, StringComparison.Ordinal);

        var call = FakeKernels.Gemm();
        table.Add(call, Set(call, GemmTuning.PartRows, 256), 2e-3, 1e-3);
        table.Save();
        Assert.Equal(content, File.ReadAllText(path + ".unusable"));
        Assert.Single(Open().Own);
    }

    [Fact]
    public void Save_FileThatCannotBeReadNow_IsNotMovedAway()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows has no named pipes in folders.");
        var call = FakeKernels.Gemm();
        var table = Open();
        NotRegular.MakePipe(table.Path!); // stands for any file that cannot be read
        var blind = Open();
        Assert.Contains("only regular files", Assert.Single(blind.Warnings), StringComparison.Ordinal);
        blind.Add(call, Set(call, GemmTuning.PartRows, 256), 2e-3, 1e-3);
        Assert.Throws<IOException>(blind.Save);
        Assert.Equal(FileKind.Pipe, InputFile.Kind(table.Path!));
        Assert.False(File.Exists(table.Path + ".unusable"));
        File.Delete(table.Path!);
        blind.Save(); // the entry that could not be saved before
        Assert.Single(Open().Own);
    }

    [Theory, InlineData("part_rows", 257), InlineData("no_such_thing", 256)]
    public void Find_SettingsThatTheKernelDoesNotKnow_AreNotUsed(string name, int value)
    {
        var call = FakeKernels.Gemm();
        var table = Open();
        table.Add(call, new(call.Op.Kernels.Variants[0], KernelSettings.Of([new(name, value)])), 2e-3, 1e-3);
        Assert.Null(table.Find(call));
    }

    [Fact]
    public void Find_OtherRevision_IsNotUsed()
    {
        var call = FakeKernels.Gemm();
        var table = Open();
        table.Add(call, Set(call, GemmTuning.PartRows, 256), 2e-3, 1e-3);
        table.Save();
        File.WriteAllText(table.Path!,
            File.ReadAllText(table.Path!).Replace("\"revision\":1,", "\"revision\":0,", StringComparison.Ordinal));
        Assert.Null(Open().Find(call));
    }

    [Fact]
    public async Task Save_TwoProcessesAtOnce_LosesNothing()
    {
        var children = new[] { 1, 2 }.Select(Start).ToArray();
        foreach (var child in children)
        {
            string output = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await child.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(child.ExitCode == 0, output);
            child.Dispose();
        }

        var table = Open();
        Assert.Empty(table.Warnings);
        Assert.Equal(2 * EntriesPerChild, table.Own.Count);
        Assert.Equal([".json", ".lock"], Directory.GetFiles(folder).Select(f => Path.GetExtension(f)!).Order());

        Process Start(int number)
        {
            var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH")
                ?? "dotnet")
            { RedirectStandardOutput = true };
            foreach (string argument in (string[])[typeof(TuningTableTests).Assembly.Location, "-noColor", "-noLogo", "-method",
                $"*.{nameof(Child_BesideOthers_WritesItsEntries)}"]) start.ArgumentList.Add(argument);
            start.Environment[ChildVariable] = $"{number} {folder}";
            return Process.Start(start)!;
        }
    }

    [Fact]
    public void Child_BesideOthers_WritesItsEntries()
    {
        string? variable = Environment.GetEnvironmentVariable(ChildVariable);
        if (variable is null) Assert.Skip("Another test runs this in child processes.");
        string[] parts = variable.Split(' ', 2);
        var table = TuningTable.Open(device, parts[1], withShipped: false);
        for (int i = 0; i < EntriesPerChild; i++)
        {
            var call = FakeKernels.Gemm(depth: 64,
                columns: int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture) * 100 + i);
            table.Add(call, Set(call, GemmTuning.PartRows, 256), 2e-3, 1e-3);
            table.Save();
        }
    }

    public static TheoryData<string> ShippedTables =>
        [.. typeof(TuningTable).Assembly.GetManifestResourceNames().Where(n => n.StartsWith("tuning/", StringComparison.Ordinal))];

    [Theory, MemberData(nameof(ShippedTables))]
    public void ShippedTable_CurrentEntries_NameExistingKernelsAndSettings(string name)
    {
        using var json = JsonDocument.Parse(typeof(TuningTable).Assembly.GetManifestResourceStream(name)!);
        Assert.NotEmpty(json.RootElement.GetProperty("device").GetString()!);
        var sets = OpCatalog.Cases.SelectMany(c => c.Cases).Select(c => c.Op.Kernels).Distinct().ToLookup(k => k.Op);
        foreach (var entry in json.RootElement.GetProperty("entries").EnumerateArray())
        {
            var set = sets[entry.GetProperty("op").GetString()!].First();
            if (set.TuningRevision != entry.GetProperty("revision").GetInt32()) continue; // measured before a change: not used
            var variant = Assert.Single(set.Variants, v => v.Name == entry.GetProperty("variant").GetString());
            foreach (var setting in entry.GetProperty("settings").EnumerateObject())
                Assert.Contains(variant.Tuning.Parameters, p => p.Name == setting.Name && p.Values.Contains(setting.Value.GetInt32()));
        }
    }

    private TuningTable Open() => TuningTable.Open(device, folder, withShipped: false);

    private static KernelChoice Set(OpSignature call, TuningParameter parameter, int value) =>
        new(call.Op.Kernels.Variants[0], KernelSettings.Default.With(parameter, value));
}
