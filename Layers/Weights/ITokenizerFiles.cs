using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>
/// The files of a tokenizer, under transformers' names: <c>vocab.json</c>, <c>merges.txt</c>, <c>tokenizer_config.json</c> …
/// </summary>
public interface ITokenizerFiles
{
    /// <summary>The folder, or what stands for it, for messages.</summary>
    string Location { get; }

    /// <summary>True when there is a file of that name.</summary>
    bool Has(string name);

    /// <summary>Where a file is or would be, for messages.</summary>
    string PathOf(string name);

    /// <summary>A file's bytes.</summary>
    /// <param name="name">The file.</param>
    /// <param name="most">Files with more bytes are rejected.</param>
    /// <exception cref="ModelFileException">The file is missing, no regular file, or larger.</exception>
    byte[] Read(string name, int most);
}

/// <summary>A tokenizer's files in a folder.</summary>
/// <param name="folder">The folder.</param>
public sealed class TokenizerFolder(string folder) : ITokenizerFiles
{
    /// <inheritdoc/>
    public string Location => folder;

    /// <inheritdoc/>
    public bool Has(string name) => File.Exists(PathOf(name));

    /// <inheritdoc/>
    public string PathOf(string name) => Path.Combine(folder, name);

    /// <inheritdoc/>
    public byte[] Read(string name, int most)
    {
        string path = PathOf(name);
        try
        {
            if (!File.Exists(path)) throw new ModelFileException(path, "the file does not exist.");
            return InputFile.ReadAllBytes(path, most);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ModelFileException(path, $"cannot be read ({e.Message})", e);
        }
    }
}
