using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// The logging of devices and pipelines that were given no factory: every message goes to <see cref="Trace"/>, warnings and errors as such,
/// where a listener or a debugger shows it. For silence, pass <c>NullLoggerFactory.Instance</c>.
/// </summary>
public sealed class TraceLoggerFactory : ILoggerFactory
{
    private TraceLoggerFactory() { }

    /// <summary>The only one: it has no state.</summary>
    public static TraceLoggerFactory Instance { get; } = new();

    /// <summary>A logger that writes to <see cref="Trace"/>; the category is not shown.</summary>
    public ILogger CreateLogger(string categoryName) => new Logger();

    /// <summary>Refuses: messages go to <see cref="Trace"/> alone.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException(
        $"{nameof(TraceLoggerFactory)} takes no providers. Pass a factory of your own to the device or pipeline.");

    /// <summary>Does nothing.</summary>
    public void Dispose() { }

    private sealed class Logger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string text = formatter(state, exception);
            if (logLevel >= LogLevel.Error) Trace.TraceError("{0}", text);
            else if (logLevel == LogLevel.Warning) Trace.TraceWarning("{0}", text);
            else Trace.TraceInformation("{0}", text);
        }
    }
}
