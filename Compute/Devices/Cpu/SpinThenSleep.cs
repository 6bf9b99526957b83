using System.Diagnostics;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Waits with a latency below a microsecond as long as the wait is short. On virtual machines waking a thread takes 20 to 100 µs, as long
/// as a small op.
/// </summary>
internal static class SpinThenSleep
{
    private const int PausesPerCheck = 8, ChecksPerYield = 16; // about a microsecond between two yields
    // half a millisecond: longer than an op that runs on a single thread
    private static readonly long SpinTicks = Stopwatch.Frequency / 2000;

    /// <summary>Returns when the event is set.</summary>
    public static void Until(ManualResetEventSlim signal)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            for (int i = 0; i < ChecksPerYield; i++)
            {
                if (signal.IsSet) return;
                Thread.SpinWait(PausesPerCheck);
            }

            if (Stopwatch.GetTimestamp() - start > SpinTicks) break;
            Thread.Yield();
        }

        signal.Wait();
    }
}
