using ILGpuDiffusion.Pipelines.Errors;

namespace ILGpuDiffusion.Pipelines.Schedulers;

/// <summary>Tables of one run.</summary>
/// <param name="Timesteps">The timestep passed to the model at each evaluation.</param>
/// <param name="Sigmas">Noise level σ at each evaluation and at the end; empty for schedulers that work with ᾱ only.</param>
/// <param name="InitNoiseSigma">Factor of the standard normal start latents.</param>
public sealed record ScheduleTables(double[] Timesteps, double[] Sigmas, double InitNoiseSigma);

/// <summary>
/// One run of a scheduler: the timesteps at which the model is evaluated, and for each evaluation the program that a device runs after it.
/// Immutable; one scheduler makes any number of schedules, for concurrent runs too. Numbers are doubles, computed on the CPU when the
/// schedule is made.
/// </summary>
public sealed class Schedule
{
    private readonly Scheduler scheduler;
    private readonly ScheduleRequest request;
    private readonly ScheduleTables tables;
    private readonly SchedulerStep[] steps;

    internal Schedule(Scheduler scheduler, ScheduleRequest request, ScheduleTables tables, int beginIndex)
    {
        (this.scheduler, this.request, this.tables, BeginIndex) = (scheduler, request, tables, beginIndex);
        Timesteps = Array.AsReadOnly(tables.Timesteps);
        Sigmas = Array.AsReadOnly(tables.Sigmas);
        steps = new SchedulerStep[tables.Timesteps.Length - beginIndex];
        for (int i = 0; i < steps.Length; i++)
        {
            var writer = new StepWriter(scheduler, beginIndex + i, tables.Timesteps[beginIndex + i]);
            scheduler.WriteStep(writer, tables, request, beginIndex + i, i);
            steps[i] = writer.Finish();
        }
    }

    /// <summary>diffusers' class name of the scheduler.</summary>
    public string SchedulerName => scheduler.Name;

    /// <summary>
    /// The timestep passed to the model at each evaluation, falling. An evaluation's number is its index here, also when the run begins in
    /// the middle.
    /// </summary>
    public IReadOnlyList<double> Timesteps { get; }

    /// <summary>Noise level σ at each evaluation, then at the end of the run; empty for DDIM, PNDM and LCM, which work with ᾱ of whole
    /// timesteps.</summary>
    public IReadOnlyList<double> Sigmas { get; }

    /// <summary>Factor of standard normal start latents when the run begins at evaluation 0.</summary>
    public double InitNoiseSigma => tables.InitNoiseSigma;

    /// <summary>The first evaluation of this run; above 0 for image to image.</summary>
    public int BeginIndex { get; }

    /// <summary>Number of state tensors (<see cref="Slot.History"/>) that the programs use. They need no initial value.</summary>
    public int HistorySlots => scheduler.HistorySlots;

    /// <summary>Factor by which the sample is multiplied before it enters the model at an evaluation.</summary>
    public double InputScale(int index) => scheduler.InputScale(tables, Checked(index, 0));

    /// <summary>
    /// The program to run after an evaluation. Programs of one schedule must run in order from <see cref="BeginIndex"/>; the run may stop
    /// early.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is below <see cref="BeginIndex"/> or beyond the last evaluation.</exception>
    public SchedulerStep Step(int index) => steps[Checked(index, BeginIndex) - BeginIndex];

    /// <summary>The sample at an evaluation, made from a clean image: sample = Sample · x0 + Noise · ε, with ε standard normal.</summary>
    public (double Sample, double Noise) AddNoise(int index) => scheduler.SignalAndNoise(tables, Checked(index, 0));

    /// <summary>The target of v-prediction: v = Sample · x0 + Noise · ε, with signal and noise scaled to α² + σ² = 1.</summary>
    public (double Sample, double Noise) Velocity(int index)
    {
        var (signal, noise) = AddNoise(index);
        double norm = Math.Sqrt(signal * signal + noise * noise);
        return (-noise / norm, signal / norm);
    }

    /// <summary>The same run, begun at a later evaluation. Multistep methods then start without history, as at evaluation 0.</summary>
    /// <exception cref="DiffusionRequestException">The scheduler cannot begin in the middle, as with PNDM's Runge-Kutta steps.</exception>
    public Schedule BeginningAt(int index) => new(scheduler, request, tables, Checked(index, 0));

    private int Checked(int index, int first) => index >= first && index < tables.Timesteps.Length
        ? index
        : throw new ArgumentOutOfRangeException(nameof(index), index,
            $"{scheduler.Name}: this run has evaluations {first} to {tables.Timesteps.Length - 1}.");
}
