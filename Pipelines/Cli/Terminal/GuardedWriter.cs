using System.Text;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>Forwards to another writer, and reports failures to a callback.</summary>
/// <param name="inner">The other writer; null where there is none, which counts as a failure.</param>
/// <param name="failed">Called with the exception, or with null where there is no writer.</param>
internal sealed class GuardedWriter(TextWriter? inner, Action<Exception?> failed) : TextOnlyWriter
{
    public override Encoding Encoding => inner?.Encoding ?? Encoding.UTF8;

    public override void Write(string? value) => Try(static (writer, text) => writer.Write(text), value);

    public override void WriteLine(string? value) => Write(value + NewLine); // in one call, so that lines of several threads do not mix

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
