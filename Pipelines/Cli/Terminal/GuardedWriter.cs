using System.Text;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>Forwards to another writer, and reports failures to a callback.</summary>
/// <param name="inner">The other writer; null where there is none, which counts as a failure.</param>
/// <param name="failed">Called with the exception, or with null where there is no writer.</param>
internal sealed class GuardedWriter(TextWriter? inner, Action<Exception?> failed) : TextWriter
{
    public override Encoding Encoding => inner?.Encoding ?? Encoding.UTF8;

    public override void Write(char value) => Try(static (writer, c) => writer.Write(c), value);

    public override void Write(string? value) => Try(static (writer, text) => writer.Write(text), value);

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void WriteLine() => Write(CoreNewLine, 0, CoreNewLine.Length);

    public override void WriteLine(string? value) => Write(value + NewLine); // in one call, so that lines of several threads do not mix

    public override Task WriteAsync(string? value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteLineAsync(string? value)
    {
        WriteLine(value);
        return Task.CompletedTask;
    }

    public override void Flush() => Try<object?>(static (writer, _) => writer.Flush(), null);

    private void Try<T>(Action<TextWriter, T> write, T value)
    {
        if (inner is null)
        {
            failed(null);
            return;
        }

        try
        {
            write(inner, value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException or NotSupportedException)
        {
            failed(e);
        }
    }
}
