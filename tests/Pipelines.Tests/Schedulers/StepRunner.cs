using ILGpuDiffusion.Pipelines.Schedulers;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// A simple interpreter of step programs. Slots hold doubles; with <paramref name="single"/> every coefficient, product and stored
/// value is rounded to float32.
/// </summary>
internal sealed class StepRunner(Schedule schedule, int size, bool single)
{
    private readonly double[]?[] slots = new double[]?[Slot.History(schedule.HistorySlots).Index];

    public double[] this[Slot slot]
    {
        get => slots[slot.Index] ?? throw new InvalidOperationException($"{slot} is read before it is written.");
        set => slots[slot.Index] = [.. value.Select(Stored)];
    }

    public void Preview(int index) => Run(schedule.Step(index).Preview);

    public void Step(int index) => Run(schedule.Step(index).Instructions);

    private void Run(IEnumerable<SchedulerInstruction> program)
    {
        foreach (var instruction in program)
        {
            double[] result = instruction switch
            {
                LinearCombinationInstruction combination => Combine(combination),
                ClampInstruction clamp => [.. this[clamp.Target].Select(v => Math.Clamp(v, clamp.Low, clamp.High))],
                DynamicThresholdInstruction threshold => Threshold(this[threshold.Target], threshold.Ratio, threshold.Maximum),
                _ => throw new NotSupportedException(instruction.ToString()),
            };
            Assert.False(instruction.Target == Slot.ModelOutput || instruction.Target == Slot.Noise, $"{instruction} writes an input.");
            this[instruction.Target] = result;
        }
    }

    private double[] Combine(LinearCombinationInstruction combination)
    {
        Assert.True(combination.Terms.Length <= LinearCombinationInstruction.MaxTerms, combination.ToString());
        Assert.Equal(combination.Terms.Length, combination.Terms.Select(t => t.Slot).Distinct().Count());
        var sum = new double[size];
        foreach (var (slot, coefficient) in combination.Terms)
        {
            double[] source = this[slot];
            for (int i = 0; i < size; i++) sum[i] = Stored(sum[i] + Stored(Stored(coefficient) * source[i]));
        }

        return sum;
    }

    private double[] Threshold(double[] values, double ratio, double maximum)
    {
        double[] sorted = [.. values.Select(Math.Abs).Order()];
        double place = ratio * (sorted.Length - 1);
        int low = (int)place, high = (int)Math.Ceiling(place);
        double s = Math.Min(Math.Max(sorted[low] + (place - low) * (sorted[high] - sorted[low]), 1), maximum);
        return [.. values.Select(v => Math.Clamp(v, -s, s) / s)];
    }

    private double Stored(double value) => single ? (float)value : value;
}
