using System.Text.Json;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>
/// A sampling method with its settings, under diffusers' names and with diffusers' meaning (0.32.2). It does not touch tensors:
/// <see cref="CreateSchedule"/> computes tables and step programs of plain numbers that a device runs. Immutable and safe to share.
/// </summary>
public abstract class Scheduler
{
    /// <summary>Keeps the configuration.</summary>
    protected Scheduler(ModelConfig config) => Config = config;

    /// <summary>diffusers' class name.</summary>
    public abstract string Name { get; }

    /// <summary>The config keys that this scheduler reads.</summary>
    public abstract IReadOnlyList<string> ConfigKeys { get; }

    /// <summary>Number of timesteps in training.</summary>
    public abstract int TrainTimesteps { get; }

    /// <summary>
    /// Evaluations of the model per step: 2 for the methods of Heun and DPM2, else 1. A run from an image begins with a whole step.
    /// </summary>
    public virtual int Order => 1;

    /// <summary>diffusers' class names of the supported schedulers.</summary>
    public static IReadOnlyList<string> Names => SchedulerCatalog.ClassNames;

    /// <summary>The short names, such as <c>dpmpp_2m_karras</c>.</summary>
    public static IReadOnlyList<string> Aliases => SchedulerCatalog.Aliases;

    /// <summary>Every config key that any scheduler reads; other keys have no effect.</summary>
    public static IReadOnlyList<string> KnownConfigKeys => SchedulerCatalog.ConfigKeys;

    /// <summary>
    /// Creates the scheduler that a configuration describes. Keys that it does not read are ignored, as in diffusers, so a config of
    /// another scheduler can be used too.
    /// </summary>
    /// <param name="config">scheduler_config.json.</param>
    /// <param name="name">A class name of diffusers or a short name, case-insensitive; null takes the config's <c>_class_name</c>. A short
    /// name may include settings (dpmpp_2m_karras: use_karras_sigmas).</param>
    /// <param name="overrides">Settings that override the config and those of a short name.</param>
    /// <exception cref="DiffusionRequestException">No scheduler has that name; the message lists the known ones.</exception>
    /// <exception cref="ModelFileException">A setting has the wrong type or a value that the scheduler does not support.</exception>
    public static Scheduler FromConfig(ModelConfig config, string? name = null,
        IEnumerable<KeyValuePair<string, JsonElement>>? overrides = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        return SchedulerCatalog.Create(config, name, overrides ?? []);
    }

    /// <summary>Adds a scheduler for the whole process: <see cref="FromConfig"/> and models find it by its class name.</summary>
    /// <param name="name">Its class name, as <c>_class_name</c> of scheduler_config.json.</param>
    /// <param name="configKeys">The config keys that it reads.</param>
    /// <param name="create">Creates it from a configuration.</param>
    /// <exception cref="ArgumentException">There is a scheduler of that name.</exception>
    public static void Register(string name, IReadOnlyList<string> configKeys, Func<ModelConfig, Scheduler> create)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(configKeys);
        ArgumentNullException.ThrowIfNull(create);
        SchedulerCatalog.Add(name, configKeys, create);
    }

    /// <summary>Computes the tables and programs of one run that begins at evaluation 0; see <see cref="Schedule.BeginningAt"/>.</summary>
    /// <param name="request">The number of steps, or custom timesteps or sigmas, and the run's options. An integer converts to a number of
    /// steps.</param>
    /// <exception cref="DiffusionRequestException">The scheduler does not support this request.</exception>
    /// <exception cref="ModelFileException">The configuration gives unusable tables, such as sigmas that are not finite.</exception>
    public Schedule CreateSchedule(ScheduleRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var tables = CreateTables(request);
        Check(request, tables);
        return new(this, request, tables, 0);
    }

    internal string Source => Config.File;

    /// <summary>The configuration that the scheduler was created from.</summary>
    public ModelConfig Config { get; }

    /// <summary>Number of state tensors that the steps use.</summary>
    protected internal abstract int HistorySlots { get; }

    /// <summary>Tables for a checked request.</summary>
    protected abstract ScheduleTables MakeTables(ScheduleRequest request);

    /// <summary>Throws for tables that the method cannot step through.</summary>
    protected virtual void Check(ScheduleRequest request, ScheduleTables tables)
    {
    }

    /// <summary>
    /// Writes the program that runs after evaluation <paramref name="index"/>, the <paramref name="done"/>-th of this run, from 0.
    /// </summary>
    protected internal abstract void WriteStep(StepWriter step, ScheduleTables tables, ScheduleRequest request, int index, int done);

    /// <summary>α and σ such that the sample at an evaluation is α·x0 + σ·ε.</summary>
    protected internal abstract (double Signal, double Noise) SignalAndNoise(ScheduleTables tables, int index);

    /// <summary>Factor of the sample before it enters the model at an evaluation.</summary>
    protected internal virtual double InputScale(ScheduleTables tables, int index) => 1;

    /// <summary>Whether the tables go from the image to noise (invert_sigmas).</summary>
    private protected virtual bool SigmasRise => false;

    internal ScheduleTables CreateTables(ScheduleRequest request)
    {
        request.Check();
        if (request.Steps is { } steps && (steps < 1 || steps > TrainTimesteps))
            throw new DiffusionRequestException(nameof(request.Steps),
                $"{Name}: steps is {steps}; it must be between 1 and {TrainTimesteps}, the number of training timesteps.");
        var tables = MakeTables(request);
        if (tables.Timesteps.Length == 0 || !tables.Timesteps.Concat(tables.Sigmas).Append(tables.InitNoiseSigma).All(double.IsFinite))
            throw new ModelFileException(Source, $"{Name}: these settings give timesteps or sigmas that are not finite numbers.");
        // With zero terminal SNR the last sigma is 4096, and some betas give a larger one before it. The final sigma is not checked: the
        // config sets it (final_sigmas_type).
        for (int i = 1; !SigmasRise && i < Math.Min(tables.Timesteps.Length, tables.Sigmas.Length); i++)
            if (tables.Sigmas[i] > tables.Sigmas[i - 1])
                throw new ModelFileException(Source,
                    $"{Name}: these betas give sigma {tables.Sigmas[i - 1]:R} at timestep {tables.Timesteps[i - 1]:R} and then "
                        + $"{tables.Sigmas[i]:R}; "
                    + "it must not rise. Do not rescale them (rescale_betas_zero_snr), or take smaller ones.");
        return tables;
    }

    /// <summary>The exception for more steps than the training timesteps allow; its message gives the largest number that works.</summary>
    /// <param name="steps">The number requested.</param>
    /// <param name="why">Why it does not work.</param>
    /// <param name="work">Whether a smaller number works.</param>
    private protected DiffusionRequestException TooManySteps(int steps, string why, Func<int, bool> work)
    {
        const int Tries = 64; // with every spacing, the largest number that works is close below
        int most = Enumerable.Range(1, Math.Min(Tries, steps - 1)).Select(less => steps - less).FirstOrDefault(work);
        return new(nameof(ScheduleRequest.Steps),
            $"{Name}: steps is {steps}; {why}. {(most > 0 ? $"At most {most} work with this configuration." : "Take fewer.")}");
    }

    /// <summary>The exception for a setting that the scheduler does not support.</summary>
    internal DiffusionRequestException Refuse(string property, string what) => new(property, $"{Name} cannot use {what}.");

    /// <summary>The exception for a prediction type whose tables exist but whose steps are not implemented.</summary>
    private protected ModelFileException PredictionRefused(PredictionType prediction) =>
        new(Source, $"'prediction_type' is {Prediction.NameOf(prediction)}; for {Name} it must be epsilon or v_prediction.");

    /// <summary>Checks custom timesteps: whole numbers, falling, within training.</summary>
    internal double[] CustomTimesteps(IReadOnlyList<double> timesteps)
    {
        if (timesteps.Count == 0)
            throw new DiffusionRequestException(nameof(ScheduleRequest.Timesteps), $"{Name}: timesteps is empty; give at least one.");
        for (int i = 0; i < timesteps.Count; i++)
        {
            double t = timesteps[i];
            if (!(t >= 0 && t <= TrainTimesteps - 1) || t != Math.Floor(t))
                throw new DiffusionRequestException(nameof(ScheduleRequest.Timesteps),
                    $"{Name}: timesteps[{i}] is {t:R}; it must be a whole number between 0 and {TrainTimesteps - 1}.");
            if (i > 0 && t >= timesteps[i - 1])
                throw new DiffusionRequestException(nameof(ScheduleRequest.Timesteps),
                    $"{Name}: timesteps[{i}] is {t:R}, after {timesteps[i - 1]:R}; timesteps must fall.");
        }

        return [.. timesteps];
    }

    /// <summary>Checks custom sigmas, falling and finite, and rounds them to float32.</summary>
    private protected double[] CustomSigmas(IReadOnlyList<double> sigmas)
    {
        if (sigmas.Count < 2)
            throw new DiffusionRequestException(nameof(ScheduleRequest.Sigmas),
                $"{Name}: sigmas has {sigmas.Count} values; n steps need n + 1, the last one usually 0.");
        double[] rounded = SigmaTable.Rounded(sigmas);
        for (int i = 0; i < rounded.Length; i++)
        {
            if (!(rounded[i] >= 0 && double.IsFinite(rounded[i])))
                throw new DiffusionRequestException(nameof(ScheduleRequest.Sigmas),
                    $"{Name}: sigmas[{i}] is {sigmas[i]:R}; it must be a finite number, 0 or above.");
            if (i > 0 && rounded[i] >= rounded[i - 1])
                throw new DiffusionRequestException(nameof(ScheduleRequest.Sigmas),
                    $"{Name}: sigmas[{i}] is {sigmas[i]:R}, after {sigmas[i - 1]:R}; sigmas must fall.");
        }

        return rounded;
    }
}
