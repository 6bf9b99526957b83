using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Pipelines.Images;

namespace ILGpuDiffusion.Pipelines.Tests;

public class ImageFloatsTests
{
    [Fact]
    public void FromNchw_HalvesAndOutliers_AreRoundedToEvenAndClamped()
    {
        // Levels 0.5 and 2.5 are ties: the first becomes 0, the second 2.
        float[] planes = [2 * (0.5f / 255) - 1, 2 * (2.5f / 255) - 1, -1, 1, -1.5f, 2, 0, 0.25f, -0.25f];
        var image = Image.FromNchw(planes, 3, 1);
        byte[] levels = [0, 255, 128, 2, 0, 159, 0, 255, 96];
        Assert.Equal(levels, image.Pixels);
        Assert.Equal(0, Image.Level(0.5f / 255));
        Assert.Equal(2, Image.Level(1.5f / 255));
        Assert.Equal(2, Image.Level(2.5f / 255));
    }

    [Fact]
    public void FromNhwc_WithPitch_GivesWhatNchwGives()
    {
        const int Width = 5, Height = 4, Pitch = 4, Count = Width * Height;
        float[] planes = new float[Count * 3], rows = new float[Count * Pitch];
        var random = new Random(1);
        for (int i = 0; i < Count; i++)
            for (int c = 0; c < 3; c++) rows[i * Pitch + c] = planes[c * Count + i] = random.NextSingle() * 2.4f - 1.2f;
        Assert.Equal(Image.FromNchw(planes, Width, Height).Pixels, Image.FromNhwc(rows, Width, Height, Pitch).Pixels);
    }

    [Fact]
    public void FromNchw_AfterToNchw_KeepsEveryLevel()
    {
        var image = new Image(256, 1, [.. Enumerable.Range(0, 256 * 3).Select(i => (byte)(i / 3))]);
        float[] values = new float[256 * 3];
        image.ToNhwc(values);
        Assert.Equal(-1, values[0]);
        Assert.Equal(1, values[^1]);
        Assert.Equal(image.Pixels, Image.FromNhwc(values, 256, 1).Pixels);
        image.ToNchw(values);
        Assert.Equal(image.Pixels, Image.FromNchw(values, 256, 1).Pixels);
    }

    [Fact]
    public void FromFloats_NotANumber_SaysSo()
    {
        float[] values = new float[3 * 4];
        values[7] = float.NaN;
        Assert.Contains("not numbers", Assert.Throws<ArithmeticException>(() => Image.FromNchw(values, 2, 2)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArithmeticException>(() => Image.FromNhwc(values, 2, 2));
        Assert.Throws<ArgumentException>(() => Image.FromNchw(values, 2, 3));
    }

    [Fact]
    public void Level_RecordedImages_GivesTheReferencesPng()
    {
        const string Folder = "tiny-sdxl-goldens";
        int compared = 0, halves = 0;
        foreach (var recorded in Golden.Open(Folder + "/txt2img_features").Cases)
        {
            if (!recorded.Json.TryGetProperty("png", out var png) || recorded.OutputShape("image")[0] != 1) continue;
            int height = recorded.OutputShape("image")[2], width = recorded.OutputShape("image")[3];
            float[] values = recorded.Output("image");
            var image = Image.Load(Golden.Folder($"{Folder}/{png.GetString()}"));
            Assert.Equal((width, height), (image.Width, image.Height));
            for (int i = 0; i < values.Length; i++)
            {
                // The reference was multiplied in float64, diffusers multiplies in float32, which gives exact ties for three of these
                // values images.
                byte expected = image.Pixels[i % (width * height) * 3 + i / (width * height)];
                float product = values[i] * 255f;
                if (product - MathF.Floor(product) == 0.5f && expected == (byte)Math.Round(values[i] * 255.0))
                    halves += expected == Image.Level(values[i]) ? 0 : 1;
                else Assert.Equal(expected, Image.Level(values[i]));
            }

            compared++;
        }

        Assert.True(compared > 5);
        Assert.InRange(halves, 0, 3);
    }
}
