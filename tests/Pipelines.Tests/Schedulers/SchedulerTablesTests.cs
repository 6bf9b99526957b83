using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Timesteps, sigmas and start factors against every recorded configuration and number of steps.</summary>
public class SchedulerTablesTests
{
    // Timesteps from sigmas are interpolated with float32 weights in ln σ: one ulp of ln σ ≈ 2.4e-7 between neighbours that are
    // 0.004 to 0.1 apart, so 6e-5 of a timestep. All others
    // must be equal.
    private const double FractionalTimesteps = 1e-4;

    // DPM2 also evaluates between two levels, whose mean is an exponential of logarithms: three roundings instead of one.
    private const double TimestepsBetween = 3 * FractionalTimesteps;

    // Sigmas are equal bit for bit, but for interpolation_type log_linear: PyTorch's float32 exp of a float32 logarithm of up to 2.7 has
    // 3e-7; and for EDM, which takes the seventh power of a float32 number: half an ulp of it makes 4e-7.
    private const double InexactSigmas = 5e-7;

    // The start factor is √(σ² + 1) in float32: three roundings.
    private const double StartFactor = 2e-7;

    public static TheoryData<string> Ids => SchedulerGoldens.Ids(SchedulerGoldens.TablesSet);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Ids))]
    public void CreateTables_RecordedCase_EqualThoseRecorded(string id)
    {
        var golden = SchedulerGoldens.Tables[id];
        var scheduler = SchedulerGoldens.SchedulerOf(golden);
        bool inexact = golden.Params.TryGetProperty("interpolation_type", out var type) && type.GetString() == "log_linear"
            || id.StartsWith("EDM", StringComparison.Ordinal);
        foreach (int steps in golden.Json.GetProperty("steps").EnumerateArray().Select(e => e.GetInt32()))
        {
            if (NotRecorded(golden, $"sigmas_{steps}")) continue; // refused: CreateSchedule_WhatDiffusersRefuses_IsRefused
            var tables = scheduler.CreateTables(SchedulerGoldens.Request(golden, steps));
            if (NotRecorded(golden, $"timesteps_{steps}"))
            {
                Assert.All(tables.Timesteps, t => Assert.True(double.IsFinite(t)));
                continue;
            }

            var timesteps = golden.Outputs[$"timesteps_{steps}"];
            if (timesteps.DType == "int64")
                Assert.Equal(golden.OutputLongs(timesteps.Name), tables.Timesteps.Select(t => (long)t));
            else
                AssertTimesteps(id, golden.Output(timesteps.Name), tables.Timesteps);

            bool hasSigmas = golden.Outputs.ContainsKey($"sigmas_{steps}");
            Assert.Equal(hasSigmas, tables.Sigmas.Length > 0);
            if (hasSigmas)
                AssertClose($"{id} sigmas_{steps}", golden.Output($"sigmas_{steps}"), tables.Sigmas, inexact ? InexactSigmas : 0,
                    relative: true);

            var starts = golden.Json.GetProperty("init_noise_sigma"); // null where pipelines do not scale the start
            double start = starts.ValueKind == JsonValueKind.Object ? starts.GetProperty($"{steps}").GetDouble() : 1;
            Assert.InRange(tables.InitNoiseSigma / start, 1 - StartFactor, 1 + StartFactor);
        }

        foreach (var refused in golden.Json.GetProperty("errors").EnumerateObject().Where(error => !IsNotFinite(error)))
        {
            var error = Assert.Throws<DiffusionRequestException>(() =>
                scheduler.CreateSchedule(int.Parse(refused.Name, System.Globalization.CultureInfo.InvariantCulture)));
            Assert.Contains(scheduler.Name, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Ids_OfTheTables_AreComplete()
    {
        Assert.Equal(SchedulerGoldens.CountIn(SchedulerGoldens.Tables), Ids.Count);
        Assert.Equal(Scheduler.Names.Except(["DPMSolverSDEScheduler", "IPNDMScheduler", "SASolverScheduler"]), // SchedulerTruthTests
            Ids.Select(row => row.Data.Split('/')[0]).Distinct().Order(StringComparer.Ordinal));
        Assert.All(Ids.Select(row => SchedulerGoldens.Tables[row.Data]), golden =>
            Assert.Equal(golden.Outputs.Keys
                .Concat(golden.Json.GetProperty("errors").EnumerateObject().Where(IsNotFinite).Select(e => e.Name))
                .Count(key => key.StartsWith("timesteps_", StringComparison.Ordinal)),
                golden.Json.GetProperty("steps").GetArrayLength()));
    }

    [Fact]
    public void ConfigKeys_RecordedSettings_AreAllIncluded() =>
        Assert.All(Ids.Select(row => SchedulerGoldens.Tables[row.Data]), golden =>
        Assert.Empty(golden.Params.EnumerateObject().Select(p => p.Name).Except(SchedulerGoldens.SchedulerOf(golden).ConfigKeys)));

    [Theory]
    [InlineData("custom_sigmas")]
    [InlineData("custom_timesteps_dpmpp")]
    public void CreateSchedule_CustomTables_EqualThoseOfAWholeRun(string id)
    {
        var golden = Golden.Open("tiny-sdxl-goldens/txt2img_features")[id];
        var scheduler = SchedulerGoldens.FromJson(golden.Params.GetProperty("scheduler_config").GetRawText(),
            golden.Params.GetProperty("scheduler").GetString());
        var schedule = scheduler.CreateSchedule(
            new ScheduleRequest { Sigmas = Numbers(golden.Params, "sigmas"), Timesteps = Numbers(golden.Params, "timesteps") });
        var timesteps = golden.Outputs["scheduler_timesteps"];
        float[] expected = timesteps.DType == "int64" ? [.. golden.OutputLongs(timesteps.Name).Select(t => (float)t)]
            : golden.Output(timesteps.Name);
        AssertClose("timesteps", expected, schedule.Timesteps, FractionalTimesteps, relative: false);
        AssertClose("sigmas", golden.Output("scheduler_sigmas"), schedule.Sigmas, 0, relative: true);
    }

    [Fact]
    public void CreateSchedule_GivenFlowSigmas_EqualThoseRecorded()
    {
        var cases = SchedulerGoldens.Tables.Cases.Where(c => c.Id.Contains(SchedulerGoldens.CustomSigmas, StringComparison.Ordinal))
            .ToArray();
        Assert.Equal(24, cases.Length);
        foreach (var golden in cases)
        {
            // the final level, which diffusers appends, is part of ours
            double? mu = golden.Json.GetProperty("extra_args").TryGetProperty("mu", out var value) ? value.GetDouble() : null;
            var schedule = SchedulerGoldens.FromJson(golden.Params.GetRawText(), "FlowMatchEulerDiscreteScheduler")
                .CreateSchedule(new ScheduleRequest { Sigmas = [.. golden.Input("sigmas").Select(s => (double)s), 0], Mu = mu });
            // shifted in float32: four roundings
            AssertClose(golden.Id, golden.Output("sigmas"), schedule.Sigmas, 3e-7, relative: true);
            AssertClose(golden.Id, golden.Output("timesteps"), schedule.Timesteps, 3e-7, relative: true);
        }
    }

    private static void AssertTimesteps(string id, float[] expected, double[] actual)
    {
        int order = id.StartsWith("KDPM2", StringComparison.Ordinal) ? 2 : 1;
        AssertClose($"{id} timesteps", [.. expected.Where((_, i) => i % order == 0)], [.. actual.Where((_, i) => i % order == 0)],
            FractionalTimesteps, relative: false);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 1; i < expected.Length; i += 2)
            Assert.True(order == 1 || Math.Abs(expected[i] - actual[i]) <= TimestepsBetween, $"{id} timesteps[{i}] is {actual[i]:R}.");
    }

    private static bool NotRecorded(GoldenCase golden, string key) =>
        golden.Json.GetProperty("errors").EnumerateObject().Any(error => error.Name == key);

    private static bool IsNotFinite(JsonProperty error) =>
        error.Value.ValueKind == JsonValueKind.String && error.Value.GetString()!.Contains("non-finite", StringComparison.Ordinal);

    private static double[]? Numbers(JsonElement json, string key) =>
        json.TryGetProperty(key, out var value) ? [.. value.EnumerateArray().Select(e => e.GetDouble())] : null;

    private static void AssertClose(string name, float[] expected, IReadOnlyList<double> actual, double tolerance, bool relative)
    {
        Assert.Equal(expected.Length, actual.Count);
        for (int i = 0; i < expected.Length; i++)
        {
            // Whole numbers must be exact.
            double allowed = relative ? tolerance * expected[i] : expected[i] == MathF.Round(expected[i]) ? 0 : tolerance;
            Assert.True(Math.Abs(expected[i] - actual[i]) <= allowed, $"{name}[{i}] is {actual[i]:R}; {expected[i]:R} was recorded.");
        }
    }
}
