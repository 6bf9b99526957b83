using System.Reflection;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>The recorded operators that a test class covers: those whose ids begin with one of the words.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class OperatorGoldensAttribute(params string[] beginnings) : Attribute
{
    /// <summary>The set of recorded operators.</summary>
    public const string Set = "ops/operators";

    /// <summary>The beginnings of the ids.</summary>
    public IReadOnlyList<string> Beginnings => beginnings;

    /// <summary>Whether a recorded operator is covered.</summary>
    public bool Covers(string id) => beginnings.Any(b => id.StartsWith(b, StringComparison.Ordinal));

    /// <summary>The ids that a class covers, as data for its theory; none if the set is absent.</summary>
    public static TheoryData<string> Ids<TTests>() =>
        [.. Golden.Ids(Set).Where(typeof(TTests).GetCustomAttribute<OperatorGoldensAttribute>()!.Covers)];
}
