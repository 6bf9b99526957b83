using System.Globalization;
using System.Text;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.LatentSpace;

namespace ILGpuDiffusion.Cli.Output;

/// <summary>Names of images that were given none: prompt and seed, valid on every file system, and never an existing file.</summary>
internal static class ImageNames
{
    private const int MostBytes = 80, MostTries = 10_000;

    /// <summary>The prompt's letters and digits, of any script, and the seed: <c>a-red-fox-7.png</c>.</summary>
    public static string Of(string prompt, Seed seed) => $"{Slug(prompt)}-{seed}.png";

    /// <summary>
    /// Writes an image under a name, or the next free one: <c>a-red-fox-7-2.png</c>. Files of processes that write at the same time are not
    /// overwritten.
    /// </summary>
    /// <returns>The name used.</returns>
    public static string Save(Image image, string name)
    {
        string stem = Path.GetFileNameWithoutExtension(name), folder = Path.GetDirectoryName(name) ?? "",
            whole = Path.Combine(folder, $".{Guid.NewGuid():n}.png");
        image.Save(whole);
        try
        {
            for (int number = 1; number <= MostTries; number++)
            {
                string free = number == 1 ? name : Path.Combine(folder, $"{stem}-{number}.png");
                if (TryMove(whole, free)) return free;
            }

            throw new IOException($"'{name}' and the {MostTries - 1} names after it are taken. Name a file with --output.");
        }
        catch
        {
            File.Delete(whole);
            throw;
        }
    }

    // File.Move without overwriting checks first and then renames, so two writers may both find a name free. Creating a file is exclusive.
    private static bool TryMove(string from, string to)
    {
        try
        {
            new FileStream(to, FileMode.CreateNew, FileAccess.Write).Dispose();
        }
        catch (IOException) when (Path.Exists(to))
        {
            return false;
        }

        try
        {
            File.Move(from, to, overwrite: true);
            return true;
        }
        catch
        {
            File.Delete(to);
            throw;
        }
    }

    private static string Slug(string prompt)
    {
        var slug = new StringBuilder();
        int bytes = 0;
        bool gap = false;
        foreach (var rune in prompt.EnumerateRunes())
        {
            // vowel signs of many scripts
            bool mark = Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
            if (!Rune.IsLetterOrDigit(rune) && !(mark && slug.Length > 0 && !gap))
            {
                gap = slug.Length > 0;
                continue;
            }

            var small = Rune.ToLowerInvariant(rune);
            bytes += small.Utf8SequenceLength + (gap ? 1 : 0);
            if (bytes > MostBytes) break;
            if (gap) slug.Append('-');
            slug.Append(small.ToString());
            gap = false;
        }

        return slug.Length == 0 ? "image" : slug.ToString();
    }
}
