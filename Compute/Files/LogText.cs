namespace ILGpuDiffusion.Compute.Files;

/// <summary>
/// A text as an argument of a log message: logs receive it as <see cref="OutsideText.Message"/> gives it, in the message and as the
/// argument's value. Methods that log take this type and no <see cref="string"/>, so that no text from outside reaches a log as it is.
/// </summary>
/// <param name="Text">The text as it came.</param>
public readonly record struct LogText(string Text)
{
    /// <summary>Any text may be an argument.</summary>
    public static implicit operator LogText(string text) => new(text);

    /// <summary>The text, bounded, with everything in it visible.</summary>
    public override string ToString() => OutsideText.Message(Text ?? "");
}
