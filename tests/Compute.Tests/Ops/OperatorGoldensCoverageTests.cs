using System.Reflection;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Every recorded operator has a test class, and test classes name only recorded ones.</summary>
public sealed class OperatorGoldensCoverageTests
{
    private static readonly (Type Tests, OperatorGoldensAttribute Covered)[] Classes =
    [
        .. from type in typeof(OperatorGoldensCoverageTests).Assembly.GetTypes()
           let covered = type.GetCustomAttribute<OperatorGoldensAttribute>()
           where covered is not null
           select (type, covered),
    ];

    [Fact]
    public void OperatorGoldens_EachRecordedOperator_IsCoveredByOneTestClass()
    {
        var set = Golden.Open(OperatorGoldensAttribute.Set);
        Assert.NotEmpty(set.Cases);
        Assert.Equal([], set.Cases.Where(c => Classes.Count(t => t.Covered.Covers(c.Id)) != 1).Select(c => c.Id));
    }

    [Fact]
    public void OperatorGoldens_EachNamedBeginning_IsOfARecordedOperator()
    {
        var set = Golden.Open(OperatorGoldensAttribute.Set);
        Assert.Equal([], Classes.SelectMany(t => t.Covered.Beginnings)
            .Where(b => !set.Cases.Any(c => c.Id.StartsWith(b, StringComparison.Ordinal))));
    }
}
