namespace ILGpuDiffusion.Cli.Output;

/// <summary>Where text is anchored.</summary>
internal enum Anchor
{
    Start,
    Middle,
    End,
}

/// <summary>What a chart is drawn on. Styles are classes of <see cref="PlanStyle"/>.</summary>
internal interface ICanvas
{
    void Rect(double x, double y, double width, double height, string style, string? title = null, double radius = 0);

    void Line(double x1, double y1, double x2, double y2, string style);

    void Text(double x, double y, string content, string style, Anchor anchor = Anchor.Start);
}
