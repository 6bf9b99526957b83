using Xunit;

namespace ILGpuDiffusion.Cases;

/// <summary>
/// Requirements on this machine. Tests that need something absent are skipped, unless ILGPUDIFFUSION_REQUIRE lists it: then they fail.
/// </summary>
public static class Required
{
    /// <summary>
    /// The environment variable: words between commas, of <c>goldens</c>, <c>opencl</c>, <c>cuda</c>, <c>gcc</c>, <c>ptxas</c>.
    /// </summary>
    public const string Variable = "ILGPUDIFFUSION_REQUIRE";

    /// <summary>Whether something must be present.</summary>
    public static bool Includes(string word) =>
        (Environment.GetEnvironmentVariable(Variable) ?? "").Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries).Contains(word);

    /// <summary>Skips the running test, or fails it if <paramref name="word"/> is required.</summary>
    /// <returns>Nothing: written as <c>throw Required.Absent(…)</c>.</returns>
    public static InvalidOperationException Absent(string word, string reason)
    {
        if (Includes(word)) Assert.Fail(reason);
        Assert.Skip(reason);
        return new InvalidOperationException(reason); // not reached: both calls throw
    }
}
