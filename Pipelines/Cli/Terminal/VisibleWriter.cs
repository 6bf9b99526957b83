using System.Text;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Cli.Terminal;

/// <summary>Writes text with control characters made visible, except line feeds and tabs, so that no text can control a terminal.</summary>
internal sealed class VisibleWriter(TextWriter inner) : TextOnlyWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(string? value) => inner.Write(OutsideText.Visible(value ?? ""));

    public override void WriteLine(string? value) => inner.WriteLine(OutsideText.Visible(value ?? ""));

    public override void Flush() => inner.Flush();
}
