namespace ILGpuDiffusion.Pipelines.Images;

public sealed partial class Image
{
    /// <summary>
    /// Creates an image from an autoencoder's output, values in [−1, 1]: level = round(255 · clamp(x/2 + 1/2, 0, 1)), halves to even, in
    /// float32, as diffusers' image processor does.
    /// </summary>
    /// <param name="values">One image, [3, height, width].</param>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <exception cref="ArgumentException">The number of values does not match the size.</exception>
    /// <exception cref="ArithmeticException">A value is NaN.</exception>
    public static Image FromNchw(ReadOnlySpan<float> values, int width, int height)
    {
        int count = Count(values.Length, width, height, 3);
        byte[] pixels = new byte[count * 3];
        for (int channel = 0; channel < 3; channel++)
        {
            var plane = values.Slice(channel * count, count);
            for (int i = 0; i < count; i++) pixels[i * 3 + channel] = Level(plane[i] * 0.5f + 0.5f);
        }

        return Checked(new Image(width, height, pixels), values);
    }

    /// <summary>As <see cref="FromNchw"/>, from interleaved channels.</summary>
    /// <param name="values">One image, [height, width, pitch], of which the first three values of each pixel are used.</param>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="pitch">Values per pixel.</param>
    /// <exception cref="ArgumentException">The number of values does not match the size, or the pitch is below 3.</exception>
    /// <exception cref="ArithmeticException">A value is NaN.</exception>
    public static Image FromNhwc(ReadOnlySpan<float> values, int width, int height, int pitch = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pitch, 3);
        int count = Count(values.Length, width, height, pitch);
        byte[] pixels = new byte[count * 3];
        bool nan = false;
        for (int i = 0; i < count; i++)
            for (int channel = 0; channel < 3; channel++)
            {
                float value = values[i * pitch + channel];
                nan |= float.IsNaN(value);
                pixels[i * 3 + channel] = Level(value * 0.5f + 0.5f);
            }

        return nan ? throw NotANumber() : new Image(width, height, pixels);
    }

    /// <summary>Fills [3, height, width] with 2 · level/255 − 1, the input of an autoencoder.</summary>
    public void ToNchw(Span<float> values)
    {
        int count = Width * Height;
        if (values.Length != count * 3)
            throw new ArgumentException($"{values.Length} values are given for [3, {Height}, {Width}]; it must be {count * 3}.",
                nameof(values));
        for (int i = 0; i < count; i++)
            for (int channel = 0; channel < 3; channel++) values[channel * count + i] = Value(Pixels[i * 3 + channel]);
    }

    /// <summary>Fills [height, width, 3] with 2 · level/255 − 1.</summary>
    public void ToNhwc(Span<float> values)
    {
        if (values.Length != Pixels.Length)
            throw new ArgumentException($"{values.Length} values are given for [{Height}, {Width}, 3]; it must be {Pixels.Length}.",
                nameof(values));
        for (int i = 0; i < values.Length; i++) values[i] = Value(Pixels[i]);
    }

    /// <summary>The 8-bit level of a value in [0, 1].</summary>
    internal static byte Level(float unit) => (byte)MathF.Round(Math.Clamp(unit, 0f, 1f) * 255f, MidpointRounding.ToEven);

    private static float Value(byte level) => 2f * (level / 255f) - 1f;

    private static int Count(int values, int width, int height, int pitch)
    {
        if (width < 1 || height < 1 || (long)width * height > MaxPixels || values != (long)width * height * pitch)
            throw new ArgumentException($"{values} values are given for {width}×{height} pixels of {pitch} values.", nameof(values));
        return width * height;
    }

    private static Image Checked(Image image, ReadOnlySpan<float> values)
    {
        foreach (float value in values)
            if (float.IsNaN(value)) throw NotANumber();
        return image;
    }

    // NaN would be black pixels: some autoencoders overflow in float16.
    private static ArithmeticException NotANumber() =>
        new("The decoded image has values that are not numbers. The model overflowed in this element type: run it, or at least its "
            + "autoencoder, in float32.");
}
