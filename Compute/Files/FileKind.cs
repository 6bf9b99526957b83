namespace ILGpuDiffusion.Compute.Files;

/// <summary>Kind of file that a path refers to.</summary>
public enum FileKind
{
    /// <summary>Nothing, or something that the process may not access.</summary>
    Missing,

    /// <summary>A file with a length, whose bytes can be read again.</summary>
    Regular,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A device, such as /dev/null or a terminal.</summary>
    Device,

    /// <summary>A named or unnamed pipe.</summary>
    Pipe,

    /// <summary>A socket.</summary>
    Socket,
}
