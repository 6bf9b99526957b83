using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>An option of <c>generate</c> with the values that a grid compares.</summary>
/// <param name="Name">Its name without dashes, or <c>prompt</c>.</param>
/// <param name="Values">The values, as typed.</param>
internal sealed record GridAxis(string Name, IReadOnlyList<string> Values)
{
    /// <summary>Reads <c>NAME=A,B,C</c>, or <c>NAME=A;B</c> where values contain commas.</summary>
    /// <exception cref="ArgumentException">It has another form.</exception>
    public static GridAxis Parse(string option, string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string name = (equals < 0 ? text : text[..equals]).Trim().TrimStart('-').ToLowerInvariant();
        string[] values = equals < 0 ? [] : text[(equals + 1)..].Split(text.Contains(';', StringComparison.Ordinal) ? ';' : ',',
            StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (name.Length == 0 || values.Length == 0)
            throw new ArgumentException($"{option} is {OutsideText.Quote(text)}; it must be an option of generate and its values, such as "
                + "steps=4,8,16, or with semicolons where values contain commas.");
        return values.GroupBy(v => v, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { Key: var twice }
            ? throw new ArgumentException($"{option} has {OutsideText.Quote(twice)} twice; leave one of them out.")
            : new GridAxis(name, values);
    }

    /// <summary>The command line's words that select a value.</summary>
    public string[] Words(string value) => Name == "prompt" ? [value] : [$"--{Name}={value}"];
}
