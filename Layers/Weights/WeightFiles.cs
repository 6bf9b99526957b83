using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>Finds a component's weight file by diffusers' and transformers' naming.</summary>
internal static partial class WeightFiles
{
    private const string Ending = ".safetensors";
    private const string Index = ".index.json";
    private static readonly string[] Stems = ["diffusion_pytorch_model", "model"];
    private static readonly string[] PreferredVariants = ["fp16", "bf16", "fp32"];
    private static readonly string[] OtherFormats = [".bin", ".ckpt", ".pt", ".pth", ".pkl", ".msgpack", ".h5", ".onnx"];

    /// <summary>
    /// The file to open, a .safetensors or an index. Order: <c>diffusion_pytorch_model</c> before <c>model</c>, one file before
    /// shards. Without a variant the plain files come first, then variants fp16, bf16, fp32, then others by name.
    /// </summary>
    /// <param name="folder">The component's folder.</param>
    /// <param name="variant">The variant to take; null or empty for any.</param>
    /// <param name="orPlain">Whether to fall back to the plain files if there are none of the variant.</param>
    /// <exception cref="ModelFileException">The folder is missing or has no such file; the message says what it has instead.</exception>
    public static string Find(string folder, string? variant, bool orPlain = false)
    {
        string[] files = List(folder);
        if (!string.IsNullOrEmpty(variant))
            return Candidates(variant).Concat(orPlain ? Candidates("") : []).FirstOrDefault(files.Contains) is { } named
                ? Path.Combine(folder, named) : throw NoVariant(folder, variant, files);
        return Variants(files).Prepend("").SelectMany(Candidates).FirstOrDefault(files.Contains) is { } found ? Path.Combine(folder, found)
            : throw Nothing(folder, files);
    }

    /// <summary>Whether the folder has weights of this variant.</summary>
    public static bool Has(string folder, string variant) => List(folder) is var files && Candidates(variant).Any(files.Contains);

    /// <summary>Possible names of a variant's weights, best first; an empty variant is the plain one.</summary>
    private static IEnumerable<string> Candidates(string variant)
    {
        string middle = variant.Length == 0 ? "" : "." + variant;
        foreach (string stem in Stems)
        {
            yield return stem + middle + Ending;
            yield return stem + middle + Ending + Index;
            if (middle.Length > 0) yield return $"{stem}{Ending}.index{middle}.json"; // older diffusers
        }
    }

    /// <summary>The variants in the folder's file names, preferred ones first, then by name.</summary>
    private static string[] Variants(string[] files) =>
    [
        .. files.Select(VariantOf).Where(v => v.Length > 0).Distinct().OrderBy(v => v, StringComparer.Ordinal)
            .OrderBy(v => Array.IndexOf(PreferredVariants, v) is var i and >= 0 ? i : PreferredVariants.Length),
    ];

    /// <summary>The part of the name between stem and ending; empty for plain files and other names.</summary>
    private static string VariantOf(string file)
    {
        if (Shard().IsMatch(file) || Stems.FirstOrDefault(stem => file.StartsWith(stem + ".", StringComparison.Ordinal)) is not { } stem)
            return "";
        string rest = file[stem.Length..];
        if (rest.StartsWith(Ending + ".index.", StringComparison.Ordinal) && rest.EndsWith(".json", StringComparison.Ordinal)
            && rest != Ending + Index)
            return rest[(Ending.Length + 7)..^5]; // ".index." is 7 long
        string? ending = new[] { Ending, Ending + Index }.FirstOrDefault(e => rest.EndsWith(e, StringComparison.Ordinal));
        return ending is null ? "" : rest[..^ending.Length].TrimStart('.');
    }

    private static string[] List(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException e)
        {
            throw new ModelFileException(folder, "the folder does not exist.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ModelFileException(folder, $"cannot be read as a folder ({e.Message})", e);
        }
    }

    private static ModelFileException NoVariant(string folder, string variant, string[] files)
    {
        string[] others = Variants(files);
        string plain = Candidates("").Any(files.Contains) ? "the plain files are there" : "there are no plain files";
        return new ModelFileException(folder, $"has no weights of the variant {Text.Quote(variant)}; {plain}"
            + (others.Length > 0 ? $", and the variants {Text.List(others)}." : ", and no variant."));
    }

    private static ModelFileException Nothing(string folder, string[] files)
    {
        string[] pickles = [.. files.Where(f => OtherFormats.Contains(Path.GetExtension(f)))];
        if (pickles.Length > 0)
            return new ModelFileException(folder,
                $"has only {Text.List(pickles)}; pickle files are not read, for they can run code. Convert to safetensors: "
                + "in Python, load the model with diffusers or transformers and call save_pretrained(folder, safe_serialization=True).");
        string[] rest = [.. files.Where(f => f.EndsWith(Ending, StringComparison.Ordinal))];
        return new ModelFileException(folder,
            $"has no weights: expected {Stems[0]}{Ending}, {Stems[1]}{Ending}, or one of them in shards with {Ending}{Index}"
            + (rest.Length == 0 ? "."
                : $"; found {Text.List(rest)}{(rest.Any(f => Shard().IsMatch(f)) ? ", shards without their index" : "")}."));
    }

    [GeneratedRegex(@"-\d+-of-\d+\.", RegexOptions.CultureInvariant)]
    private static partial Regex Shard();
}
