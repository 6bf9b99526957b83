using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Public.Tests;

/// <summary>The README's first program.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public async Task FirstProgram_RunInAnEmptyFolder_DrawsItsImage()
    {
        ShippedModel.Require();
        string folder = Directory.CreateTempSubdirectory("ilgpudiffusion-").FullName, before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = folder; // the program writes to the current folder
        try
        {
            await ReadmeProgram.Run();
            var image = Image.Load("heart.png");
            Assert.True(image.Pixels.Distinct().Count() > 10, "The image is nearly one colour.");
            Assert.Equal(["heart.png"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName));
        }
        finally
        {
            Environment.CurrentDirectory = before;
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void FirstProgram_InTheReadme_IsTheCompiledOne()
    {
        string[] source = File.ReadAllLines(Path.Combine(Root(), "tests", "Public.Tests", "ReadmeProgram.cs"));
        string[] usings = [.. source.Where(l => l.StartsWith("using ILGpuDiffusion", StringComparison.Ordinal))];
        string[] shown = Between(File.ReadAllLines(Path.Combine(Root(), "README.md")), "```csharp", "```");
        Assert.Equal([.. usings, "", .. Between(source, "// begin", "// end")], shown);
    }

    [Fact]
    public void Code_OnEveryPage_Compiles()
    {
        string[] pages = ["README.md", "Pipelines/DIFFUSERS.md", "Pipelines/PACKAGE.md", "Compute/PACKAGE.md"];
        string[] blocks = [.. pages.Select(page => File.ReadAllText(Path.Combine(Root(), page))).SelectMany(ShownCode.Blocks)];
        Assert.True(blocks.Length >= pages.Length, $"Only {blocks.Length} blocks of C# were found.");
        Assert.All(blocks, block => Assert.Empty(ShownCode.ErrorsOf(block)));
        Assert.NotEmpty(ShownCode.ErrorsOf("pipeline.Generate(request);")); // there is no such method
    }

    [Fact]
    public void Calls_InTheTableOfDiffusers_Compile()
    {
        string[] calls = [.. ShownCode.TableCode(File.ReadAllText(Path.Combine(Root(), "Pipelines", "DIFFUSERS.md")))];
        Assert.True(calls.Length > 40, $"Only {calls.Length} calls were found.");
        Assert.All(calls, call =>
            Assert.True(ShownCode.ErrorsOfInline(call) is [], $"{call}: {string.Join("; ", ShownCode.ErrorsOfInline(call))}"));
        Assert.NotEmpty(ShownCode.ErrorsOfInline("GuidanceScales"));
    }

    private static string[] Between(IEnumerable<string> lines, string begin, string end) =>
        [.. lines.Select(l => l.Trim()).SkipWhile(l => l != begin).Skip(1).TakeWhile(l => l != end)];

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ILGpuDiffusion.sln"))) return folder.FullName;
        throw new InvalidOperationException("The tests do not run inside a checkout: no ILGpuDiffusion.sln above them.");
    }
}
