namespace ILGpuDiffusion.Compute.Files;

/// <summary>What a path leads to.</summary>
public enum FileKind
{
    /// <summary>Nothing, or something that the process may not look at.</summary>
    Missing,

    /// <summary>A file with a length, whose bytes can be read again.</summary>
    Regular,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A device, such as /dev/null or a terminal.</summary>
    Device,

    /// <summary>A pipe, with or without a name.</summary>
    Pipe,

    /// <summary>A socket.</summary>
    Socket,
}
