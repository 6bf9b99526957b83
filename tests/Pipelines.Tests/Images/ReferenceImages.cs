using System.Text.Json;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Pictures that Pillow and diffusers' image processor made (tests/Golden/images).</summary>
internal static class ReferenceImages
{
    private static readonly string Folder = Path.Combine(GoldenFolders.Repository()!, "tests", "Golden", "images");

    /// <summary>The cases of an operation.</summary>
    public static List<JsonElement> Cases(string operation)
    {
        var cases = JsonDocument.Parse(File.ReadAllBytes(PathOf("cases.json"))).RootElement.EnumerateArray()
            .Where(c => c.GetProperty("operation").GetString() == operation).ToList();
        Assert.NotEmpty(cases);
        return cases;
    }

    public static string PathOf(string file) => Path.Combine(Folder, file);

    public static Image Load(string file) => Image.Load(PathOf(file));

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    public static int Number(this JsonElement element, string name) => element.GetProperty(name).GetInt32();

    /// <summary>The case's property "region".</summary>
    public static PixelBox Region(this JsonElement element)
    {
        int[] sides = [.. element.GetProperty("region").EnumerateArray().Select(v => v.GetInt32())];
        return new PixelBox(sides[0], sides[1], sides[2], sides[3]);
    }

    /// <summary>Compares an image with the case's expected file.</summary>
    public static void AssertSame(JsonElement expected, Image image, int tolerance = 0)
    {
        var reference = Load(expected.Text("expected"));
        Assert.Equal((reference.Width, reference.Height), (image.Width, image.Height));
        int most = reference.Pixels.Zip(image.Pixels, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(most <= tolerance, $"{expected.Text("expected")} differs by up to {most} levels");
    }
}
