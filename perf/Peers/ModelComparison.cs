using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Measuring;
using Tensor = TorchSharp.torch.Tensor;

namespace ILGpuDiffusion.Peers;

/// <summary>A whole model against libtorch.</summary>
/// <param name="Model">The model.</param>
/// <param name="Pixels">Height and width of the image.</param>
/// <param name="Way">Arithmetic of the linear layers.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Gflop">10⁹ operations of one run.</param>
/// <param name="Seconds">Our times, round by round.</param>
/// <param name="PeerSeconds">The peer's.</param>
/// <param name="Ratio">The peer's time over ours.</param>
/// <param name="Error">Rms of the difference between both outputs, relative to the peer's.</param>
/// <param name="Profile">Our seconds in the best round, by kind of op.</param>
/// <param name="PeerProfile">The peer's.</param>
internal sealed record ModelResult(
    string Model, int Pixels, string Way, string Peer, double Gflop, double[] Seconds, double[] PeerSeconds, Ratio Ratio, double Error,
    IReadOnlyDictionary<string, double> Profile, IReadOnlyDictionary<string, double> PeerProfile)
{
    /// <summary>The profile as one sentence: each kind's share of our time, and the peer's time over ours.</summary>
    public string Explanation => string.Join(", ", Profile.OrderByDescending(p => p.Value).Select(p => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
            $"{p.Key} {100 * p.Value / Profile.Values.Sum():F0} % (×{PeerProfile.GetValueOrDefault(p.Key) / p.Value:F2})")));
}

/// <summary>Compares the outputs of our plan and of libtorch for the same graph, then their interleaved times.</summary>
internal static class ModelComparison
{
    /// <summary>One model in float32, and on request with int8 linears, against libtorch in float32.</summary>
    /// <param name="model">A name of <see cref="ModelFiles"/> or a folder.</param>
    /// <param name="pixels">Height and width of the image.</param>
    /// <param name="rounds">Timings of each, after a run that compares the outputs; 0 times that run, for what takes minutes.</param>
    /// <param name="device">Where ours runs.</param>
    /// <param name="int8">Whether int8 takes part.</param>
    /// <param name="leastSeconds">Shorter runs are repeated until a timing takes this long.</param>
    public static ModelResult[] Measure(string model, int pixels, int rounds, CpuDevice device, bool int8 = false, double leastSeconds = 0)
    {
        string folder = ModelFiles.Folder(model);
        ModelRun[] ours = [.. Enumerable.Range(0, int8 ? 2 : 1).Select(i => new ModelRun(folder, pixels, batch: 1, device, int8: i == 1))];
        string output = ours[0].OutputName;
        using var peer = new TorchGraph(ours[0].Traced, channelsLast: true);
        var inputs = peer.Inputs(ours[0].Sizes);
        var profiles = ours.Select(_ => new List<double[]>()).ToArray();
        var peerProfiles = new List<Dictionary<string, double>>();
        Tensor RunPeer()
        {
            peerProfiles.Add([]);
            return peer.Run(inputs, output, peerProfiles[^1]);
        }

        Action[] ways = [.. ours.Zip(profiles, (run, into) => (Action)(() => into.Add(run.Profile()))), () => RunPeer().Dispose()];
        float[] expected = [];
        var times = Interleaved.Measure(1, 0, [.. ways[..^1], () =>
        {
            using var result = RunPeer();
            expected = TorchTensors.Values(result);
        }]);
        double[] errors = [.. ours.Select(run => Errors.Relative(run.Output(), expected))];
        if (rounds > 0)
        {
            foreach (var list in profiles) list.Clear();
            peerProfiles.Clear();
            times = Interleaved.Measure(rounds, leastSeconds, ways);
        }

        var theirs = peerProfiles.MinBy(p => p.Values.Sum())!;
        ModelResult[] results = [
            .. ours.Select((run, i) =>
                new ModelResult(model, pixels, run.Int8Layers > 0 ? "int8" : "float32", LibTorch.Name, run.Report.Flops / 1e9,
            times[i].Seconds, times[^1].Seconds, times[^1].Over(times[i]), errors[i], run.ByKind(profiles[i].MinBy(p => p.Sum())!),
                theirs))];
        foreach (var input in inputs.Values) input.Dispose();
        foreach (var run in ours) run.Dispose();
        return results;
    }

    /// <summary>Peak memory of one engine that runs a model twice in a process of its own, and how long it took to begin.</summary>
    public static EngineMemory Memory(string engine, string model, int pixels, CpuDevice device, bool int8 = false)
    {
        string folder = ModelFiles.Folder(model);
        if (engine == "ours")
        {
            using var run = new ModelRun(folder, pixels, batch: 1, device, int8);
            double first = Seconds(() => run.Plan.Run()), second = Seconds(() => run.Plan.Run());
            return new(int8 ? "ours int8" : engine, model, pixels, ProcessMemory.PeakResidentBytes, run.WeightBytes,
                run.LoadSeconds + run.TraceSeconds + run.PlanSeconds, first, second, run.Plan.ArenaBytes);
        }

        var layers = Model.Of(ModelConfig.Load(Path.Combine(folder, "config.json")));
        using var checkpoint = Checkpoint.OpenFolder(folder);
        layers.Layer.Load(checkpoint);
        var graph = layers.Trace();
        TorchGraph? peer = null;
        double load = Seconds(() => peer = new TorchGraph(graph, channelsLast: true));
        using (peer)
        {
            var inputs = peer!.Inputs(layers.SizesFor(pixels, 1));
            string output = graph.Outputs.Keys.Order(StringComparer.Ordinal).First();
            double first = Seconds(() => peer.Run(inputs, output).Dispose()), second = Seconds(() => peer.Run(inputs, output).Dispose());
            return new(engine, model, pixels, ProcessMemory.PeakResidentBytes,
                layers.Layer.Parameters.Sum(p => p.Shape.Count * sizeof(float)), load, first, second, null);
        }
    }

    private static double Seconds(Action action)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        action();
        return System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}

/// <summary>What a process of one engine needed.</summary>
/// <param name="Engine"><c>ours</c>, <c>ours int8</c> or <c>libtorch</c>.</param>
/// <param name="Model">Which model.</param>
/// <param name="Pixels">Height and width of the image.</param>
/// <param name="PeakBytes">Most resident memory.</param>
/// <param name="WeightBytes">Of which the weights.</param>
/// <param name="LoadSeconds">Until the first run could begin.</param>
/// <param name="FirstSeconds">The first run.</param>
/// <param name="SecondSeconds">The second.</param>
/// <param name="ArenaBytes">Planned memory of intermediate values, where there is a plan.</param>
internal sealed record EngineMemory(string Engine, string Model, int Pixels, long PeakBytes, long WeightBytes, double LoadSeconds,
    double FirstSeconds, double SecondSeconds, long? ArenaBytes);
