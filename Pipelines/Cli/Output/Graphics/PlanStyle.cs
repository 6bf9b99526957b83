namespace ILGpuDiffusion.Cli.Output;

/// <summary>Style sheets. Fills are dark enough for white text on a light or dark background.</summary>
internal static class PlanStyle
{
    private const string Fonts = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

    /// <summary>For the images. Plain rules and one media query, because not every viewer supports variables.</summary>
    public const string Svg = $$"""
        text { font-family: {{Fonts}}; fill: #1c2330; }
        .t10 { font-size: 10px; } .t11 { font-size: 11px; } .t12 { font-size: 12px; } .t13 { font-size: 13px; } .t15 { font-size: 15px; } .t20 { font-size: 19px; } .t24 { font-size: 23px; }
        .strong { font-weight: 600; } .muted { fill: #667085; } .on { fill: #ffffff; }
        .page { fill: #ffffff; } .card { fill: #f4f6f9; } .plot { fill: #f4f6f9; } .rail { fill: #eef1f5; }
        .block { fill: #e6eaf0; } .b1 { fill: #eef1f5; } .b2 { fill: #f4f6f9; } .framed { stroke: #ffffff; stroke-width: 2; }
        .k0 { fill: #2f6fd0; } .k1 { fill: #0b8576; } .k2 { fill: #c8620a; } .k3 { fill: #7c4dc4; } .k4 { fill: #c73668; } .k5 { fill: #66717f; }
        .value { stroke: #ffffff; stroke-width: 0.6; } .given { fill: #ccd4df; stroke: #ffffff; stroke-width: 0.6; } .work { fill: #dfe4eb; stroke: #98a2b3; stroke-width: 0.6; stroke-dasharray: 2 2; }
        .pale { opacity: 0.32; } .dot { fill-opacity: 0.62; stroke: #ffffff; stroke-width: 0.8; }
        .grid { stroke: #e1e6ed; stroke-width: 1; } .tick { stroke: #98a2b3; stroke-width: 1; }
        .bound { stroke: #1c2330; stroke-width: 1; stroke-dasharray: 5 4; } .roof { fill: none; stroke: #1c2330; stroke-width: 1.6; }
        rect:hover, circle:hover { filter: brightness(1.12); }
        @media (prefers-color-scheme: dark) {
        text { fill: #e6e9ef; } .muted { fill: #98a2b3; } .on { fill: #ffffff; }
        .page { fill: #0f141b; } .card { fill: #1a212b; } .plot { fill: #161c25; } .rail { fill: #1a212b; }
        .block { fill: #2a333f; } .b1 { fill: #222a35; } .b2 { fill: #1a212b; } .framed { stroke: #0f141b; }
        .k0 { fill: #3d7fe0; } .k1 { fill: #129583; } .k2 { fill: #d5720f; } .k3 { fill: #8d60d6; } .k4 { fill: #d64a7b; } .k5 { fill: #6f7b8a; }
        .value { stroke: #0f141b; } .given { fill: #3a4553; stroke: #0f141b; } .work { fill: #2a333f; stroke: #667085; } .dot { stroke: #0f141b; }
        .grid { stroke: #222a35; } .tick { stroke: #667085; } .bound { stroke: #e6e9ef; } .roof { stroke: #e6e9ef; }
        }
        """;

    /// <summary>For the page around them.</summary>
    public const string Page = $$"""
        body { margin: 0 auto; padding: 8px 16px 48px; max-width: {{"1240px"}}; font: 13px/1.5 {{Fonts}}; color: #1c2330; background: #ffffff; }
        svg { max-width: 100%; height: auto; display: block; }
        details { margin: 8px 36px; } summary { cursor: pointer; font-weight: 600; font-size: 15px; padding: 6px 0; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } td, th { padding: 3px 10px 3px 0; text-align: left; vertical-align: top; border-bottom: 1px solid #e6eaf0; }
        th { position: sticky; top: 0; background: #ffffff; } td.n, th.n { text-align: right; white-space: nowrap; } td.l { color: #667085; word-break: break-all; }
        @media (prefers-color-scheme: dark) { body, th { background: #0f141b; color: #e6e9ef; } td, th { border-color: #222a35; } td.l { color: #98a2b3; } }
        """;
}
