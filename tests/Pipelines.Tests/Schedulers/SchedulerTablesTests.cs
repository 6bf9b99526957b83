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

    // Sigmas are equal bit for bit, but for interpolation_type log_linear: PyTorch's float32 exp of a float32 logarithm of up to 2.7 has
    // 3e-7.
    private const double LogLinearSigmas = 5e-7;

    // The start factor is √(σ² + 1) in float32: three roundings.
    private const double StartFactor = 2e-7;

    public static TheoryData<string> Ids => SchedulerGoldens.Ids(SchedulerGoldens.TablesSet);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Ids))]
    public void CreateTables_RecordedCase_EqualThoseRecorded(string id)
    {
        var golden = SchedulerGoldens.Tables[id];
        var scheduler = SchedulerGoldens.SchedulerOf(golden);
        bool logLinear = golden.Params.TryGetProperty("interpolation_type", out var type) && type.GetString() == "log_linear";
        foreach (int steps in golden.Json.GetProperty("steps").EnumerateArray().Select(e => e.GetInt32()))
        {
            var tables = scheduler.CreateTables(steps);
            var timesteps = golden.Outputs[$"timesteps_{steps}"];
            if (timesteps.DType == "int64")
                Assert.Equal(golden.OutputLongs(timesteps.Name), tables.Timesteps.Select(t => (long)t));
            else
                AssertClose($"{id} timesteps_{steps}", golden.Output(timesteps.Name), tables.Timesteps, FractionalTimesteps,
                    relative: false);

            bool hasSigmas = golden.Outputs.ContainsKey($"sigmas_{steps}");
            Assert.Equal(hasSigmas, tables.Sigmas.Length > 0);
            if (hasSigmas)
                AssertClose($"{id} sigmas_{steps}", golden.Output($"sigmas_{steps}"), tables.Sigmas, logLinear ? LogLinearSigmas : 0,
                    relative: true);

            double start = golden.Json.GetProperty("init_noise_sigma").GetProperty($"{steps}").GetDouble();
            Assert.InRange(tables.InitNoiseSigma / start, 1 - StartFactor, 1 + StartFactor);
        }

        foreach (var refused in golden.Json.GetProperty("errors").EnumerateObject())
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
        Assert.Equal(Scheduler.Names, Ids.Select(row => row.Data.Split('/')[0]).Distinct().Order(StringComparer.Ordinal));
        Assert.All(Ids.Select(row => SchedulerGoldens.Tables[row.Data]), golden =>
            Assert.Equal(golden.Outputs.Count(o => o.Key.StartsWith("timesteps_", StringComparison.Ordinal)),
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
