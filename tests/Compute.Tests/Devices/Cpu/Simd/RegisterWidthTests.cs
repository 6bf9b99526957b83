using System.Diagnostics;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Every case again in a child process whose runtime hides the wider registers, so that a machine with AVX-512 also tests the code that
/// AVX2 and older processors run.
/// </summary>
public sealed class RegisterWidthTests
{
    private const string ExpectedVariable = "ILGPUDIFFUSION_EXPECTED_SIMD";
    private static readonly string? Expected = Environment.GetEnvironmentVariable(ExpectedVariable);

    [Theory]
    [InlineData("DOTNET_EnableAVX512", "simd256")]
    [InlineData("DOTNET_EnableAVX2", "simd128")]
    [InlineData("DOTNET_EnableHWIntrinsic", "simd128")]
    public async Task Cases_WithoutWiderRegisters_MatchReferences(string hidden, string architecture)
    {
        if (Expected is not null) Assert.Skip("This is the child process.");
        using var device = new CpuDevice(threads: 1);
        if (string.CompareOrdinal(device.Architecture, architecture) < 0) Assert.Skip($"This processor is {device.Architecture} only.");

        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH")
            ?? "dotnet")
        { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = [typeof(RegisterWidthTests).Assembly.Location, "-noColor", "-noLogo", "-method",
            $"*.{nameof(OpCaseTests.Case_OnCpu_MatchesReference)}", "-method",
                $"*.{nameof(Architecture_OfThisProcess_IsAKnownOneAndInAChildTheExpectedOne)}"];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        start.Environment[hidden] = "0";
        start.Environment[ExpectedVariable] = architecture;
        using var child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        string output = await child.StandardOutput.ReadToEndAsync();
        await child.WaitForExitAsync();
        Assert.True(child.ExitCode == 0, $"{hidden}=0: exit code {child.ExitCode}.\n{output}\n{await errors}");
        Assert.Matches($"Total: {OpCaseTests.CaseNames.Count + 1}, Errors: 0, Failed: 0, Skipped: 0", output);
    }

    [Fact]
    public void Architecture_OfThisProcess_IsAKnownOneAndInAChildTheExpectedOne()
    {
        using var device = new CpuDevice(threads: 1);
        string[] known = Expected is null ? ["simd128", "simd256", "simd512"] : [Expected];
        Assert.Contains(device.Architecture, known);
    }
}
