namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>The point at which a trace ends because a layer reads a value.</summary>
/// <param name="Value">The value read.</param>
/// <param name="Layer">Path of the layer that reads it.</param>
/// <param name="Decide">Maps the number to the answer that recording needs.</param>
/// <param name="Continue">Records everything again, with one more answer.</param>
internal sealed record GraphBreak(Value Value, string Layer, Func<double, double> Decide, Func<double, Graph> Continue)
{
    /// <summary>Layer and value, for messages.</summary>
    public string Where =>
        $"{Value.Graph.Name}: layer '{Layer}' reads {Value}{(Value.Producer is { } node ? $", the result of {node.Op.Name}," : "")} while "
            + "tracing";
}

/// <summary>The values read by a trace so far.</summary>
/// <param name="answers">The known answers, in order.</param>
internal sealed class GraphReads(IReadOnlyList<double> answers)
{
    private readonly List<int> cuts = [];

    /// <summary>Number of ops recorded before each read.</summary>
    public IReadOnlyList<int> Cuts => cuts;

    /// <summary>The answer to the next read.</summary>
    public double Next(Value value, Func<double, double> decide, int recorded)
    {
        if (cuts.Count == answers.Count) throw new MissingAnswerException(value, decide);
        cuts.Add(recorded);
        return answers[cuts.Count - 1];
    }

    /// <summary>Ends a trace at a read without an answer; caught by <see cref="Graph.Trace(string, Action{Graph})"/>.</summary>
    internal sealed class MissingAnswerException(Value value, Func<double, double> decide) : Exception
    {
        public Value Value => value;

        public Func<double, double> Decide => decide;
    }
}
