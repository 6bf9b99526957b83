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

    private static string[] Between(IEnumerable<string> lines, string begin, string end) =>
        [.. lines.Select(l => l.Trim()).SkipWhile(l => l != begin).Skip(1).TakeWhile(l => l != end)];

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ILGpuDiffusion.sln"))) return folder.FullName;
        throw new InvalidOperationException("The tests do not run inside a checkout: no ILGpuDiffusion.sln above them.");
    }
}
