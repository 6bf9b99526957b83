using System.CommandLine;
using ILGpuDiffusion.Cli;
using ILGpuDiffusion.Cli.Commands;
using ILGpuDiffusion.Cli.Output;
using ILGpuDiffusion.Cli.Terminal;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Help and tables at terminal widths, hints for options, completions.</summary>
public sealed class HelpTests
{
    [Theory]
    [InlineData(40), InlineData(60), InlineData(80), InlineData(120)]
    public void Help_AtAnyWidth_FitsAndLosesNothing(int columns)
    {
        foreach (var command in (Command[])[GenerateCommand.Create(), GridCommand.Create(), InspectCommand.Create(), TuneCommand.Create(),
            CacheCommand.Create()])
        {
            using var writer = new StringWriter();
            Help.Write(command, Terminals.Create(writer, redirected: true, columns));
            string[] lines = writer.ToString().Split('\n');
            Assert.All(lines, line => Assert.InRange(line.TrimEnd().Length, 0, columns));
            string words = string.Join(' ', lines.SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
            foreach (var option in command.Options)
            {
                Assert.Contains(option.Name, words, StringComparison.Ordinal);
                Assert.Contains(option.Description!.Split(' ')[^1][..Math.Min(12, option.Description!.Split(' ')[^1].Length)], words,
                    StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("-n", "--negative-prompt"), InlineData("-s", "--steps"), InlineData("-W", "--width"), InlineData("-H", "--height")]
    [InlineData("-m", "--model"), InlineData("-o", "--output")]
    public void Options_ShortNames_AreAliases(string alias, string name) =>
        Assert.Contains(alias, GenerateCommand.Create().Options.Single(o => o.Name == name).Aliases);

    [Theory]
    [InlineData("--scheduler", "dpmpp_2m_karras"), InlineData("--scheduler", "list"), InlineData("--device", "cpu")]
    [InlineData("--compile", "max-autotune"), InlineData("--dtype", "bf16"), InlineData("--vae-dtype", "bf16"),
        InlineData("--preview-protocol", "kitty")]
    public void Completion_OfAnOption_ListsItsValues(string option, string value) =>
        Assert.Contains(value,
            new RootCommand { GenerateCommand.Create() }.Parse($"generate x {option} ").GetCompletions().Select(item => item.Label));

    [Theory]
    [InlineData("--stpes", "--steps"), InlineData("--negative_prompt", "--negative-prompt")]
    [InlineData("--guidance-scal=3", "--guidance-scale"), InlineData("--zzzzzzzz", null)]
    public void Guess_UnknownOption_IsTheNearestOne(string typed, string? meant) =>
        Assert.Equal(meant, Guess.Token(typed, GenerateCommand.Create()));

    [Theory]
    [InlineData(80), InlineData(40), InlineData(20)]
    public void Table_AtAnyWidth_FitsAndKeepsWordsWhole(int columns)
    {
        var table = new Listing("name", ">count", ">seconds", "what it is");
        string[] names = ["repeated-blocks", "winograd4x4", "a name of several words that is long"];
        foreach (string name in names) table.Add(name, "12345 MiB", "0.125 s", "DPMSolverMultistep of order two, 狐狸");
        string text = table.ToString(columns);
        Assert.All(text.Split('\n'), line => Assert.InRange(line.Sum(c => c > 0x2E80 ? 2 : 1), 0, columns));
        Assert.All((string[])["repeated-blocks", "winograd4x4", "0.125 s", "DPMSolverMultistep", "several", "狐狸"],
            word => Assert.Contains(word, text, StringComparison.Ordinal));
        Assert.Equal(1 + names.Length, table.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void Table_OfManyNumbers_IsTurnedWhereItIsTooWide()
    {
        var table = new Listing(["rung", .. Enumerable.Range(0, 12).Select(i => $">fact {i}")]);
        foreach (string rung in (string[])["eager", "compiled"]) table.Add([rung, .. Enumerable.Range(0, 12).Select(i => $"{1000 + i}")]);
        Assert.StartsWith("rung     eager  compiled\nfact 0    1000      1000\n", table.ToString(80), StringComparison.Ordinal);
        Assert.StartsWith("rung      fact 0  fact 1", table.ToString(), StringComparison.Ordinal);
        Assert.StartsWith("eager\n  fact 0: 1000,\n", table.ToString(18), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80), InlineData(40)]
    public async Task InspectGraphText_GivenColumns_FitsTheTerminal(int columns)
    {
        using var device = new CpuDevice(threads: 1);
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder,
            new PipelineOptions { Device = device, LoadWeights = false });
        var plans = await InspectGraph.PlansAsync(pipeline, new PixelSize(64, 64), measure: false,
            TestContext.Current.CancellationToken);
        Assert.All(InspectGraphText.Of(plans, steps: false, columns).Split('\n'), line => Assert.InRange(line.Length, 0, columns));
        string whole = InspectGraphText.Of(plans, steps: true, null);
        Assert.Contains(whole.Split('\n'), line => line.StartsWith("op  ", StringComparison.Ordinal));
        Assert.DoesNotContain('…', whole);
    }

    [Fact]
    public void Table_OutsideATerminal_IsOneLineARow()
    {
        var table = new Listing("name", ">count");
        table.Add("a name of several words that is long", "12");
        table.Add("b", "3");
        Assert.Equal(
            "name                                  count\n" +
            "a name of several words that is long     12\n" +
            "b                                         3\n", table.ToString());
    }

    [Theory]
    [InlineData("Steps", "--steps"), InlineData("guidanceScale", "--guidance-scale")]
    [InlineData("SizeConditioning.TargetSize", "--target-size"), InlineData("NegativePrompts2", "--negative-prompt-2")]
    [InlineData("FreeU", "--freeu")]
    [InlineData("DType", "--dtype"), InlineData("path", null), InlineData(null, null)]
    public void OptionHints_OfAProperty_AreItsOption(string? property, string? option) =>
        Assert.Equal(option, OptionHints.For(new ArgumentException("wrong", property), GenerateCommand.Create()));

    [Fact]
    public void OptionHints_EveryPropertyOfARequest_HasAnOption()
    {
        // the argument, and properties that the tool sets itself or splits into several options
        string[] without = ["EqualityContract", "Prompts", "Decode", "KeepIntermediates", "KeepLatents", "SizeConditioning",
            "SharedGenerator", "Embeddings", "OnStepEnd"];
        foreach (var property in typeof(ImageRequest).GetProperties().Concat(typeof(SizeConditioning).GetProperties())
            .Where(p => !without.Contains(p.Name)))
            Assert.True(OptionHints.For(new ArgumentException("wrong", property.Name), GenerateCommand.Create()) is not null,
                property.Name);
    }

    [Fact]
    public void OptionHints_OptionAlreadyNamed_IsNotRepeated() =>
        Assert.Null(OptionHints.For(new ArgumentException("--width: 33", "Width"), GenerateCommand.Create()));

    [Fact]
    public void Explain_TooLittleMemory_AddsWhatHelps()
    {
        Assert.Equal("width is 33.", OptionHints.Explain(new ArgumentException("width is 33.", "Width")));
        var tooLarge = new DeviceException("cpu: 900 MiB of memory are needed.") { NeededBytes = 900 << 20 };
        Assert.EndsWith(OptionHints.LessMemory, OptionHints.Explain(tooLarge), StringComparison.Ordinal);
        Assert.Equal("lost", OptionHints.Explain(new DeviceException("lost")));
    }
}
