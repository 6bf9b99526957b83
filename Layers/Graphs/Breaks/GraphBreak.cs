namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>The place where a trace ends because its layer has to know a value.</summary>
/// <param name="Value">What is read.</param>
/// <param name="Layer">Path of the layer that reads.</param>
/// <param name="Decide">From the number to the answer that recording needs.</param>
/// <param name="Continue">Records everything again, with one more answer.</param>
internal sealed record GraphBreak(Value Value, string Layer, Func<double, double> Decide, Func<double, Graph> Continue)
{
    /// <summary>Where and what, for messages.</summary>
    public string Where => $"{Value.Graph.Name}: layer '{Layer}' reads {Value}{(Value.Producer is { } node ? $", the result of {node.Op.Name}," : "")} while tracing";
}

/// <summary>The values that a trace has read so far.</summary>
/// <param name="answers">What is known of them, in order.</param>
internal sealed class GraphReads(IReadOnlyList<double> answers)
{
    private readonly List<int> cuts = [];

    /// <summary>How many ops were recorded before each of them.</summary>
    public IReadOnlyList<int> Cuts => cuts;

    /// <summary>The answer to the next read.</summary>
    public double Next(Value value, Func<double, double> decide, int recorded)
    {
        if (cuts.Count == answers.Count) throw new MissingAnswerException(value, decide);
        cuts.Add(recorded);
        return answers[cuts.Count - 1];
    }

    /// <summary>Ends a trace that cannot go on; only <see cref="Graph.Trace(string, Action{Graph})"/> sees it.</summary>
    internal sealed class MissingAnswerException(Value value, Func<double, double> decide) : Exception
    {
        public Value Value => value;

        public Func<double, double> Decide => decide;
    }
}
