using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Every op case again in a process of its own that is denied wider registers: what a smaller processor would run.</summary>
public sealed class SimdLevelTests
{
    private const string Expected = "ILGPUDIFFUSION_TEST_SIMD";

    /// <summary>What remains, and the runtime's switches that take the rest away.</summary>
    public static TheoryData<string, string[]> Levels => new()
    {
        { "simd256", ["DOTNET_EnableAVX512", "DOTNET_EnableAVXVNNI"] },
        { "simd128", ["DOTNET_EnableAVX2"] },
    };

    [Theory, MemberData(nameof(Levels))]
    public void OpCases_WithoutWiderRegisters_MatchReference(string level, string[] switches)
    {
        if (!Vector256.IsHardwareAccelerated) Assert.Skip("This processor has no wider registers that could be switched off.");
        string tests = typeof(SimdLevelTests).Assembly.Location;
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet") { RedirectStandardOutput = true };
        foreach (string argument in new[] { tests, "-noColor", "-method", $"*{nameof(Process_GivenALevel_HasIt)}", "-method", $"*{nameof(OpCaseTests.Case_OnCpu_MatchesReference)}" })
            start.ArgumentList.Add(argument);
        start.Environment[Expected] = level;
        foreach (string name in switches) start.Environment[name] = "0";

        using var process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"With {level} the cases fail:\n{output}");
        Assert.Contains("Skipped: 0", output, StringComparison.Ordinal);
    }

    /// <summary>Fails in a process that the test above started if the runtime ignored the switches: the cases would then prove nothing.</summary>
    [Fact]
    public void Process_GivenALevel_HasIt()
    {
        using var device = new CpuDevice(threads: 1);
        if (Environment.GetEnvironmentVariable(Expected) is { } level) Assert.Equal((level, false), (device.Architecture, AvxVnni.IsSupported));
        else Assert.Contains(device.Architecture, new[] { "simd128", "simd256", "simd512" });
    }
}
