namespace ILGpuDiffusion.Cases;

/// <summary>An empty folder that exists from here on and is deleted when the test ends, however it ends.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>The folder's full path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("ilgpudiffusion-").FullName;

    /// <summary>Writes a file and gives its full path.</summary>
    public string Write(string name, string text)
    {
        string path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>
    /// Deletes the folder. One that the test itself deleted or moved is no error: it would hide why the test failed or was skipped.
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
