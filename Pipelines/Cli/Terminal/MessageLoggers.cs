using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>
/// The library's log messages among those of the tool: warnings always, information unless <c>--quiet</c>, details with <c>--verbose</c>.
/// Ids and categories are not shown.
/// </summary>
internal sealed class MessageLoggers : ILoggerFactory
{
    /// <summary>The loggers of every device and pipeline that the tool opens.</summary>
    public static MessageLoggers Instance { get; } = new();

    /// <summary>The logger for what has neither device nor pipeline, such as a file of latents.</summary>
    public static ILogger Logger { get; } = new MessageLogger();

    public ILogger CreateLogger(string categoryName) => Logger;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The tool has one place for messages.");

    public void Dispose() { }

    private sealed class MessageLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel switch
        {
            LogLevel.None => false,
            >= LogLevel.Warning => true,
            LogLevel.Information => !Messages.Quiet,
            _ => Messages.Verbose && !Messages.Quiet,
        };

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            string text = formatter(state, exception);
            if (logLevel >= LogLevel.Warning) Messages.Warning(text);
            else Messages.Note(text);
        }
    }
}
