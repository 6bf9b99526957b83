namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>A writer that sends everything through <see cref="Write(string)"/> and <see cref="WriteLine(string)"/>.</summary>
internal abstract class TextOnlyWriter : TextWriter
{
    public abstract override void Write(string? value);

    public abstract override void WriteLine(string? value);

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void WriteLine() => Write(NewLine);

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
}
