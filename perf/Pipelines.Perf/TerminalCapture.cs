using System.Globalization;
using System.Security;
using System.Text;

namespace ILGpuDiffusion.Pipelines.Perf;

/// <summary>
/// Draws what a terminal shows at the end of a recording of <c>script -q</c> as SVG: text, 24-bit and 16 colours, half blocks, and the
/// cursor movements of progress bars.
/// </summary>
internal sealed class TerminalCapture
{
    private const double CellWidth = 8.4, CellHeight = 17, Margin = 16;
    private const string Foreground = "#d6dae2", Background = "#11161d";

    private static readonly string[] Palette = ["#11161d", "#e0626c", "#5fb878", "#d9a441", "#5a9df0", "#b184e6", "#3fb5b0", "#d6dae2"];

    private readonly List<Dictionary<int, Cell>> lines = [[]];
    private int row, column;
    private string ink = Foreground, paper = Background;
    private bool bold;

    /// <summary>Draws a recording.</summary>
    /// <param name="recording">The file that <c>script</c> wrote.</param>
    public static string Draw(string recording)
    {
        var terminal = new TerminalCapture();
        var said = File.ReadAllText(recording).Split('\n').Where(line => !line.StartsWith("Script ", StringComparison.Ordinal));
        terminal.Write(string.Join('\n', said).TrimEnd());
        return terminal.Svg();
    }

    private void Write(string text)
    {
        for (int at = 0; at < text.Length; at++)
        {
            char character = text[at];
            if (character == '\e') at = Escape(text, at);
            else if (character == '\n') Move(row + 1, 0);
            else if (character == '\r') column = 0;
            else if (character == '\b') column = Math.Max(column - 1, 0);
            else if (character >= ' ') lines[row][column++] = new Cell(character, ink, paper, bold);
        }
    }

    private void Move(int newRow, int newColumn)
    {
        (row, column) = (Math.Max(newRow, 0), Math.Max(newColumn, 0));
        while (lines.Count <= row) lines.Add([]);
    }

    // Returns the position of the sequence's last character.
    private int Escape(string text, int at)
    {
        if (at + 1 >= text.Length || text[at + 1] != '[') return at + 1;
        int end = at + 2;
        while (end < text.Length && text[end] is < '@' or > '~') end++;
        if (end >= text.Length) return end;
        int[] numbers = [.. text[(at + 2)..end].Split(';').Select(part => int.TryParse(part, out int number) ? number : 0)];
        int steps = Math.Max(numbers[0], 1);
        switch (text[end])
        {
            case 'm': Colour(numbers); break;
            case 'A': Move(row - steps, column); break;
            case 'B': Move(row + steps, column); break;
            case 'C': Move(row, column + steps); break;
            case 'D': Move(row, column - steps); break;
            case 'G': Move(row, steps - 1); break;
            case 'K' when numbers[0] == 2: lines[row].Clear(); break;
            case 'K': foreach (int right in lines[row].Keys.Where(c => c >= column).ToArray()) lines[row].Remove(right); break;
        }

        return end;
    }

    private void Colour(int[] codes)
    {
        for (int i = 0; i < codes.Length; i++)
        {
            if (codes[i] == 0) (ink, paper, bold) = (Foreground, Background, false);
            else if (codes[i] == 1) bold = true;
            else if (codes[i] is 39) ink = Foreground;
            else if (codes[i] is 49) paper = Background;
            else if (codes[i] is >= 30 and <= 37 or >= 90 and <= 97) ink = Palette[codes[i] % 10];
            else if (codes[i] is 38 or 48 && i + 4 < codes.Length && codes[i + 1] == 2)
            {
                string colour = $"#{codes[i + 2]:x2}{codes[i + 3]:x2}{codes[i + 4]:x2}";
                if (codes[i] == 38) ink = colour;
                else paper = colour;
                i += 4;
            }
        }
    }

    private string Svg()
    {
        int columns = lines.Max(line => line.Keys.DefaultIfEmpty().Max() + 1);
        double width = 2 * Margin + columns * CellWidth, height = 2 * Margin + lines.Count * CellHeight;
        var svg = new StringBuilder(string.Create(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:0}\" height=\"{height:0}\" viewBox=\"0 0 {width:0} {height:0}\">\n"
            + $"<style>text {{ font: 14px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre; "
                + $"}}</style>\n"
            + $"<rect width=\"{width:0}\" height=\"{height:0}\" rx=\"8\" fill=\"{Background}\"/>\n"));
        foreach (var (y, line) in lines.Index())
        {
            double top = Margin + y * CellHeight;
            foreach (var (x, cell) in line.Where(c => c.Value.Character == '▀' || c.Value.Paper != Background))
            {
                bool half = cell.Character == '▀';
                Box(x, top, CellHeight, cell.Paper);
                if (half) Box(x, top, CellHeight / 2, cell.Ink);
            }

            foreach (var run in Runs(line))
                svg.Append(CultureInfo.InvariantCulture,
                    $"<text x=\"{Margin + run.Column * CellWidth:0.#}\" y=\"{top + 13:0.#}\" fill=\"{run.Ink}\" "
                    + $"textLength=\"{run.Text.Length * CellWidth:0.#}\"{(run.Bold ? " font-weight=\"600\"" : "")}>"
                    + $"{SecurityElement.Escape(run.Text)}</text>\n");
        }

        return svg.Append("</svg>\n").ToString();

        void Box(int x, double top, double high, string fill) => svg.Append(CultureInfo.InvariantCulture,
            $"<rect x=\"{Margin + x * CellWidth:0.#}\" y=\"{top:0.#}\" width=\"{CellWidth + 0.3:0.#}\" height=\"{high + 0.3:0.#}\" "
                + $"fill=\"{fill}\"/>\n");
    }

    // Neighbouring characters of one style.
    private static IEnumerable<(int Column, string Text, string Ink, bool Bold)> Runs(Dictionary<int, Cell> line)
    {
        int[] columns = [.. line.Where(c => c.Value.Character is not (' ' or '▀')).Select(c => c.Key).Order()];
        for (int i = 0; i < columns.Length;)
        {
            var first = line[columns[i]];
            int end = i + 1;
            while (end < columns.Length && columns[end] == columns[end - 1] + 1 && line[columns[end]] is var next
                && (next.Ink, next.Bold) == (first.Ink, first.Bold)) end++;
            yield return (columns[i], string.Concat(columns[i..end].Select(c => line[c].Character)), first.Ink, first.Bold);
            i = end;
        }
    }

    private readonly record struct Cell(char Character, string Ink, string Paper, bool Bold);
}
