using System.Diagnostics;
using System.Globalization;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Peers;

/// <summary>
/// The table of targets. Each row is measured by its own process and saved, so that an interrupted run resumes where it stopped.
/// </summary>
internal sealed class Targets(CpuDevice device, bool reduced, int? rounds)
{
    /// <summary>The rows in the order of the table.</summary>
    public static IReadOnlyList<(string Id, string Work)> Rows { get; } =
    [
        ("matmul", "MatMul, SDXL's and smaller models' shapes"),
        ("conv3x3", "Conv2D 3×3, stride 1, 64 channels and more"),
        ("conv-other", "other convolutions"),
        ("attention", "attention, head dims 40–512"),
        ("norms", "GroupNorm+SiLU, LayerNorm, GEGLU"),
        ("int8", "int8 Linear"),
        ("sdxl-512", "SDXL UNet 512×512, batch 1"),
        ("sdxl-1024", "SDXL UNet 1024×1024"),
        ("vae", "VAE decode 256–1024"),
        ("sd15", "SD 1.5 UNet 256–512"),
        ("small", "small model (channels 64/128/256)"),
        ("memory", "peak memory of an SDXL UNet 512 run"),
        ("load", "SDXL load to first step"),
        ("embedded", "embedded model, from command to file"),
    ];

    /// <summary>
    /// Where rows are saved until all are measured: by commit, registers and kind, because rows that differ in these do not form one table.
    /// </summary>
    public string Folder { get; } =
        Path.Combine(Machine.Repository, "artifacts/perf-rows",
            $"{Machine.Current(device).Commit.TrimEnd('+')}-{device.Architecture}{(reduced ? "-reduced" : "")}");

    /// <summary>Measures the missing rows, then writes the table.</summary>
    /// <param name="only">Rows to measure; all if empty.</param>
    /// <param name="again">Whether to measure rows that are there already.</param>
    /// <param name="noisy">Whether to measure rows again that were noisy.</param>
    /// <param name="results">Folder for the table.</param>
    /// <returns>Whether every row could be measured.</returns>
    public bool Run(IReadOnlyCollection<string> only, bool again, bool noisy, string results)
    {
        bool fine = true;
        foreach (var (id, work) in Rows.Where(r => only.Count == 0 || only.Contains(r.Id)))
        {
            string file = FileOf(id);
            if (File.Exists(file) && !again && !(noisy && ResultFile.Load<TargetRow>(file).Checks.Any(c => c.Verdict == Check.Noisy)))
                continue;
            Console.WriteLine($"── {id}: {work}");
            bool measured = Child.Run(
                ["row", id, .. reduced ? ["--reduced"] : Array.Empty<string>(),
                    .. rounds is { } n ? ["--rounds", $"{n}"] : Array.Empty<string>(), "--threads",
                        device.Threads.ToString(CultureInfo.InvariantCulture)]);
            if (!measured) Console.Error.WriteLine($"{id} could not be measured.");
            fine &= measured;
        }

        TargetRow[] rows = [.. Rows.Select(r => FileOf(r.Id)).Where(File.Exists).Select(ResultFile.Load<TargetRow>)];
        if (rows.Length == 0) return false;
        string name = $"{Machine.Current(device).Date}-targets" + (device.Architecture == "simd512" ? "" : "-" + device.Architecture)
            + (reduced ? "-reduced" : "");
        ResultFile.Save(Path.Combine(results, name + ".json"), rows);
        ResultFile.Save(Path.Combine(results, name + ".svg"), TargetPlot.Draw(rows));
        ResultFile.Save(Path.Combine(results, name + ".md"), TargetReport.Write(rows, name, reduced));
        Console.WriteLine($"{rows.Length} of {Rows.Count} rows in {Path.Combine(results, name)}.md, .json and .svg");
        return fine;
    }

    /// <summary>Measures one row and keeps it.</summary>
    public void Measure(string id)
    {
        var clock = Stopwatch.StartNew();
        var others = new BackgroundLoad();
        var machine = Machine.Current(device);
        if (id is not ("memory" or "load" or "embedded")) LibTorch.Load(device.Threads);
        OpRows ops = new(device, reduced, rounds);
        ModelRows models = new(device, Folder, reduced, rounds);
        var measured = id switch
        {
            "matmul" => ops.MatMul(),
            "conv3x3" => ops.Convolution(),
            "conv-other" => ops.OtherConvolution(),
            "attention" => ops.Attention(),
            "norms" => ops.Norms(),
            "int8" => ops.Int8(),
            "sdxl-512" => models.Sdxl512(),
            "sdxl-1024" => models.Sdxl1024(),
            "vae" => models.Vae(),
            "sd15" => models.StableDiffusion15(),
            "small" => models.Small(),
            "memory" => models.MemoryOfSdxl(),
            "load" => models.LoadOfSdxl(),
            "embedded" => ModelRows.Embedded(),
            _ => throw new ArgumentException($"row is {id}; it must be one of {string.Join(", ", Rows.Select(r => r.Id))}."),
        };
        double share = others.Share;
        if (share > BackgroundLoad.MostShare)
            measured = measured with { Checks = [
                .. measured.Checks.Select(c => c with { Spread = c.Spread is { } s ? s with { IsNoisy = true } : null })] };
        string work = Rows.Single(r => r.Id == id).Work, peer = id is "memory" or "load" or "embedded" ? "" : LibTorch.Name;
        ResultFile.Save(FileOf(id),
            new TargetRow(id, work, machine, peer, clock.Elapsed.TotalSeconds, share, measured.Checks, measured.Notes, measured.Ops,
                measured.Models, measured.Memory, measured.Other));
        foreach (var check in measured.Checks)
            Console.WriteLine($"   {check.What}{(check.Peer is null ? "" : " beside " + check.Peer)}: {check.Text} "
                + $"({check.Missing ?? check.Verdict})");
    }

    private string FileOf(string id) => Path.Combine(Folder, id + ".json");
}
