using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Cases;

/// <summary>Collects log messages for one test; other tests have their own factories.</summary>
public sealed class CollectingLoggerFactory : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<LogLine> lines = [];

    /// <summary>All messages in order.</summary>
    public IReadOnlyList<LogLine> Lines => [.. lines];

    /// <summary>The texts of all warnings.</summary>
    public IReadOnlyList<string> Warnings => Texts(LogLevel.Warning);

    /// <summary>The texts of all information.</summary>
    public IReadOnlyList<string> Information => Texts(LogLevel.Information);

    /// <summary>Removes all messages.</summary>
    public void Clear() => lines.Clear();

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => this;

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose() { }

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var arguments = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
        lines.Enqueue(new(logLevel, eventId, formatter(state, exception), arguments));
    }

    private List<string> Texts(LogLevel level) => [.. lines.Where(line => line.Level == level).Select(line => line.Text)];
}

/// <summary>A message that was logged.</summary>
/// <param name="Level">Its level.</param>
/// <param name="Id">The event's id.</param>
/// <param name="Text">The whole message.</param>
/// <param name="Arguments">Its arguments by name, as structured logs take them.</param>
public sealed record LogLine(LogLevel Level, EventId Id, string Text, IReadOnlyList<KeyValuePair<string, object?>> Arguments);
