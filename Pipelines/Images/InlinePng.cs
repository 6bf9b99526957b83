using System.Globalization;
using System.Text;

namespace ILGpuDiffusion.Pipelines.Images;

/// <summary>Encodes images for terminals that take a PNG file inside a control sequence.</summary>
internal static class InlinePng
{
    private const int Chunk = 4096; // characters of base64 in one of kitty's sequences

    /// <summary>iTerm2's inline images (iterm2.com/documentation-images.html).</summary>
    public static string ITerm2(Image image, int columns)
    {
        byte[] png = image.EncodePng();
        return string.Create(CultureInfo.InvariantCulture,
            $"\e]1337;File=inline=1;size={png.Length};width={columns};preserveAspectRatio=1:{Convert.ToBase64String(png)}\a");
    }

    /// <summary>
    /// kitty's graphics protocol (sw.kovidgoyal.net/kitty/graphics-protocol): sent and shown at once (a=T), as PNG (f=100), without an
    /// answer (q=2).
    /// </summary>
    public static string Kitty(Image image, int columns)
    {
        string data = Convert.ToBase64String(image.EncodePng());
        var text = new StringBuilder();
        for (int at = 0; at < data.Length; at += Chunk)
        {
            string more = at + Chunk < data.Length ? "m=1" : "m=0";
            string head = at == 0 ? string.Create(CultureInfo.InvariantCulture, $"a=T,f=100,q=2,c={columns},{more}") : more;
            text.Append($"\e_G{head};").Append(data, at, Math.Min(Chunk, data.Length - at)).Append("\e\\");
        }

        return text.ToString();
    }
}
