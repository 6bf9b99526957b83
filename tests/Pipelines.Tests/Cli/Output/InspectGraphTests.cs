using System.Text.Json;
using System.Xml.Linq;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary><c>inspect --graph</c>: text, JSON and images tell of the same plans.</summary>
public sealed class InspectGraphTests : IDisposable
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Measured_TextJsonAndImages_AreWhole()
    {
        var result = await Ilgd.Run(folder.Path, "inspect", TinySdxl.Folder, "--graph", "--size", "64x64", "--measure", "--json", "--svg",
            "plan.svg", "--html", "plan.html");
        Assert.Equal("", result.Errors);
        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(result.Output);
        var root = json.RootElement;
        Assert.True(root.GetProperty("ceilings").GetProperty("flops_per_second").GetDouble() > 1e8);
        Assert.True(root.GetProperty("ceilings").GetProperty("bytes_per_second").GetDouble() > 1e7);
        Assert.Equal(["denoiser", "decoder"], root.GetProperty("plans").EnumerateArray().Select(p => p.GetProperty("name").GetString()));
        foreach (var plan in root.GetProperty("plans").EnumerateArray()) CheckPlan(plan);

        int launches = root.GetProperty("plans").EnumerateArray().Sum(p => p.GetProperty("launches").GetInt32());
        CheckImage(XDocument.Load(Path.Combine(folder.Path, "plan.svg")).Root!, launches);
        string page = File.ReadAllText(Path.Combine(folder.Path, "plan.html"));
        var html = XDocument.Parse(page).Root!; // it is also XML, which is easier to check than HTML
        Assert.Equal(launches + 2, html.Descendants("tr").Count());
        Assert.Equal(2, html.Descendants(Svg + "svg").Count());
        Assert.DoesNotContain(html.DescendantsAndSelf().Attributes(), a => a.Name.LocalName is "src" or "href");
    }

    [Fact]
    public async Task Inspect_UnmeasuredGraph_PredictsTimesAndReadsNoWeights()
    {
        string model = Path.Combine(folder.Path, "model");
        foreach (string file in Directory.EnumerateFiles(TinySdxl.Folder, "*", SearchOption.AllDirectories)
            .Where(file => !file.EndsWith(".safetensors", StringComparison.Ordinal)))
        {
            string copy = Path.Combine(model, Path.GetRelativePath(TinySdxl.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var result = await Ilgd.Run(folder.Path, "inspect", model, "--graph", "--size", "128x64", "--part", "denoiser", "--json", "--svg",
            "plan.svg");
        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(result.Output);
        var plan = Assert.Single(json.RootElement.GetProperty("plans").EnumerateArray());
        Assert.StartsWith("128 × 64 pixels", plan.GetProperty("purpose").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, plan.GetProperty("measured_seconds").ValueKind);
        Assert.True(plan.GetProperty("predicted_seconds").GetDouble() > 0);
        XDocument.Load(Path.Combine(folder.Path, "plan.svg"));
    }

    [Theory]
    [InlineData("--svg: only with --graph", "--svg", "a.svg")]
    [InlineData("--size, --measure: only with --graph", "--measure", "--size", "64x64")]
    [InlineData("multiples of 8", "--graph", "--size", "63x64")]
    public async Task Inspect_WrongUse_SaysWhatToDo(string expected, params string[] arguments)
    {
        var result = await Ilgd.Run(folder.Path, ["inspect", TinySdxl.Folder, .. arguments]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(expected, result.Errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    private static void CheckPlan(JsonElement plan)
    {
        var steps = plan.GetProperty("steps").EnumerateArray().ToArray();
        Assert.Equal(plan.GetProperty("launches").GetInt32(), steps.Count(s => !s.GetProperty("once").GetBoolean()));
        Assert.Equal(plan.GetProperty("measured_seconds").GetDouble(),
            steps.Where(s => !s.GetProperty("once").GetBoolean()).Sum(s => s.GetProperty("measured_seconds").GetDouble()), 9);
        Assert.All(steps, s => Assert.True(s.GetProperty("predicted_seconds").GetDouble() > 0
            && s.GetProperty("bytes").GetInt64() >= s.GetProperty("weight_bytes").GetInt64()));

        // No two live values overlap, except a result written over its op's argument; all are inside the arena, and together they are as
        // large as the plan says.
        var blocks = plan.GetProperty("memory").EnumerateArray().Select(Block.Of).ToArray();
        long arena = plan.GetProperty("arena_bytes").GetInt64();
        Assert.Equal(arena, blocks.Max(b => b.Offset + b.Bytes));
        for (int i = 0; i < blocks.Length; i++)
            for (int j = 0; j < i; j++)
                if (blocks[i].First <= blocks[j].Last && blocks[j].First <= blocks[i].Last && !blocks[i].IsWrittenOver(blocks[j])
                    && !blocks[j].IsWrittenOver(blocks[i]))
                    Assert.True(blocks[i].Offset >= blocks[j].Offset + blocks[j].Bytes
                        || blocks[j].Offset >= blocks[i].Offset + blocks[i].Bytes);
        long peak = Enumerable.Range(-1, blocks.Max(b => b.Last) + 2)
            .Max(t => blocks.Where(b => (b.IsOver ? b.First + 1 : b.First) <= t && t <= b.Last).Sum(b => b.Bytes));
        Assert.Equal(plan.GetProperty("peak_live_bytes").GetInt64(), peak);
    }

    private static void CheckImage(XElement svg, int launches)
    {
        Assert.Equal(Svg + "svg", svg.Name);
        double[] box = [.. svg.Attribute("viewBox")!.Value.Split(' ')
            .Select(n => double.Parse(n, System.Globalization.CultureInfo.InvariantCulture))];
        var boxes = svg.Elements(Svg + "rect").Where(r => r.Attribute("x") is not null).ToArray();
        Assert.All(boxes, r =>
        {
            Assert.InRange(Number(r, "x"), 0, box[2]);
            Assert.InRange(Number(r, "y"), 0, box[3]);
            Assert.InRange(Number(r, "x") + Number(r, "width"), 0, box[2] + 1);
            Assert.InRange(Number(r, "y") + Number(r, "height"), 0, box[3] + 1);
        });
        Assert.True(svg.Descendants(Svg + "title").Count() > launches, "Every launch has a title to hover over, and so has every value.");
        Assert.DoesNotContain(svg.DescendantsAndSelf().Attributes(),
            a => a.Name.LocalName is "href" or "src" || a.Value.Contains("url(", StringComparison.Ordinal));
        Assert.DoesNotContain("NaN", svg.ToString(), StringComparison.Ordinal);
    }

    private static double Number(XElement element, string name) =>
        double.Parse(element.Attribute(name)!.Value, System.Globalization.CultureInfo.InvariantCulture);

    private readonly record struct Block(long Offset, long Bytes, int First, int Last, bool IsOver)
    {
        public static Block Of(JsonElement block) => new(
            block.GetProperty("offset").GetInt64(), block.GetProperty("bytes").GetInt64(), block.GetProperty("first").GetInt32(),
                block.GetProperty("last").GetInt32(), block.GetProperty("is_over").GetBoolean());

        public bool IsWrittenOver(Block argument) => IsOver && First == argument.Last;
    }
}
