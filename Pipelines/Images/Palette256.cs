namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>
/// The fixed colours of xterm's palette: a cube of 6×6×6 from index 16 on, and 24 greys from 232 on. (The first 16 are user-defined.)
/// </summary>
internal static class Palette256
{
    private const int Cube = 16, Greys = 232, GreyCount = 24;
    private static readonly byte[] Levels = [0, 95, 135, 175, 215, 255];

    /// <summary>Index of the nearest colour by squared distance.</summary>
    public static int Nearest((byte Red, byte Green, byte Blue) colour)
    {
        var (r, g, b) = (Level(colour.Red), Level(colour.Green), Level(colour.Blue));
        int cube = Cube + 36 * r + 6 * g + b;
        int grey = Greys + Math.Clamp(((colour.Red + colour.Green + colour.Blue) / 3 - 3) / 10, 0, GreyCount - 1);
        return Distance(colour, Colour(grey)) < Distance(colour, Colour(cube)) ? grey : cube;
    }

    /// <summary>The colour of an index from 16 to 255.</summary>
    public static (byte Red, byte Green, byte Blue) Colour(int index)
    {
        if (index >= Greys)
        {
            byte grey = (byte)(8 + 10 * (index - Greys));
            return (grey, grey, grey);
        }

        int cube = index - Cube;
        return (Levels[cube / 36], Levels[cube / 6 % 6], Levels[cube % 6]);
    }

    private static int Level(byte value) => value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40;

    private static int Distance((byte Red, byte Green, byte Blue) a, (byte Red, byte Green, byte Blue) b)
    {
        var (r, g, blue) = (a.Red - b.Red, a.Green - b.Green, a.Blue - b.Blue);
        return r * r + g * g + blue * blue;
    }
}
