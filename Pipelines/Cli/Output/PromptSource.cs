using System.Text;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Reads prompts from the command line, stdin or a file with one per line.</summary>
internal static class PromptSource
{
    /// <summary>The value that means stdin.</summary>
    public const string StandardInput = "-";

    private const int MostBytes = 1 << 20, MostPrompts = 10_000;

    /// <summary>The prompts, in order. Empty lines of a file are skipped.</summary>
    /// <param name="prompt">The prompt, or <c>-</c> for one prompt that is all of stdin.</param>
    /// <param name="file">A file with one prompt a line, or <c>-</c> for lines of stdin.</param>
    /// <param name="cancellation">Cancels waiting for a pipe.</param>
    /// <exception cref="ArgumentException">The text is empty, too long or not UTF-8.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<IReadOnlyList<string>> ReadAsync(string? prompt, string? file, CancellationToken cancellation)
    {
        if (file is not null)
        {
            string[] lines = [.. (await TextAsync(file, "--prompts", cancellation).ConfigureAwait(false)).Split('\n')
                .Select(line => line.Trim()).Where(line => line.Length > 0)];
            if (lines.Length is 0 or > MostPrompts)
                throw new ArgumentException($"--prompts: {Name(file)} holds {lines.Length} prompts; it must be 1 to {MostPrompts}, one a " +
                    "line.");
            return lines;
        }

        if (prompt != StandardInput) return [prompt!];
        string text = (await TextAsync(StandardInput, "-", cancellation).ConfigureAwait(false)).Trim();
        return text.Length > 0 ? [text]
            : throw new ArgumentException("the prompt is '-', but stdin is empty. Write the prompt to it, or give it as an argument.");
    }

    private static async Task<string> TextAsync(string file, string option, CancellationToken cancellation)
    {
        if (file == StandardInput && !Console.IsInputRedirected)
            Messages.Note("The prompt is read from the terminal; end it with Ctrl-D on a line of its own.");
        // reading a pipe cannot be cancelled, only abandoned
        byte[] bytes = await Task.Run(() => Bytes(file), CancellationToken.None).WaitAsync(cancellation).ConfigureAwait(false);
        if (bytes.Length > MostBytes)
            throw new ArgumentException($"{option}: {Name(file)} holds more than {MostBytes >> 20} MiB, which is too much for prompts.");
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            throw new ArgumentException($"{option}: {Name(file)} is not UTF-8 text.");
        }
    }

    /// <summary>Reads at most one byte more than allowed, whatever length the file reports.</summary>
    private static byte[] Bytes(string file)
    {
        try
        {
            using var stream = file == StandardInput ? Console.OpenStandardInput() : new FileStream(file, FileMode.Open, FileAccess.Read);
            byte[] bytes = new byte[MostBytes + 1];
            return bytes[..stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{Name(file)} cannot be read: {e.Message}", e);
        }
    }

    private static string Name(string file) => file == StandardInput ? "stdin" : OutsideText.Quote(file);
}
