namespace ILGpuDiffusion.Cases;

/// <summary>An empty folder that is deleted when the test ends.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>The folder's full path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("ilgpudiffusion-").FullName;

    /// <summary>Writes a file and returns its full path.</summary>
    public string Write(string name, string text)
    {
        string path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>
    /// Deletes the folder. A folder that the test deleted or moved is no error, which would hide why the test failed or was skipped.
    /// </summary>
    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }
}
