using System.Text;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>The image of each plan with a table of all its launches, as one self-contained page.</summary>
internal static class PlanPage
{
    public static string Html(string title, IReadOnlyList<InspectedPlan> plans)
    {
        var body = new StringBuilder();
        foreach (var plan in plans)
        {
            body.Append(PlanImage.Render([plan]));
            body.Append($"<details><summary>All {plan.Report.Steps.Count} launches of the {Svg.Escape(plan.Name)}, the most expensive "
                + $"first</summary>\n<table>\n<tr><th class=\"n\">#</th><th>op</th><th>kernel</th><th>result</th><th "
                    + $"class=\"n\">{(plan.IsMeasured ? "time" : "least time")}</th><th "
                        + $"class=\"n\">part</th>{(plan.IsMeasured ? "<th class=\"n\">of ceiling</th>" : "")}<th "
                            + $"class=\"n\">operations</th><th class=\"n\">bytes</th><th>layer</th></tr>\n");
            foreach (var step in plan.Report.Steps.OrderByDescending(plan.Weight))
            {
                double weight = plan.Weight(step);
                string share = step.PredictedSeconds is { } least ? Measures.Percent(least / Math.Max(weight, 1e-12)) : "";
                string roof = plan.IsMeasured ? $"<td class=\"n\">{share}</td>" : "";
                body.Append($"<tr><td class=\"n\">{step.Index}</td><td>{Svg.Escape(step.Op)}</td>")
                    .Append($"<td>{Svg.Escape($"{step.Variant} {step.Settings}".Trim())}</td><td>{Svg.Escape(step.Output)}</td>")
                    .Append($"<td class=\"n\">{Measures.Time(weight)}</td>")
                    .Append($"<td class=\"n\">{Measures.Percent(weight / plan.Seconds)}</td>{roof}")
                    .Append($"<td class=\"n\">{Measures.Flops(step.Flops)}</td><td class=\"n\">{Measures.Bytes(step.Bytes)}</td>")
                    .Append($"<td class=\"l\">{Svg.Escape(step.Layer)}</td></tr>\n");
            }

            body.Append("</table></details>\n");
        }

        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <title>{Svg.Escape(title)}</title>
            <style>
            {PlanStyle.Page}
            </style>
            </head>
            <body>
            {body}</body>
            </html>

            """;
    }
}
