namespace ILGpuDiffusion.Compute.Files;

/// <summary>
/// Files whose contents are executed, such as compiled kernels. They are used only if they belong to the user (or to root), in a folder
/// that no other user can write to: otherwise another user could have code run. On Windows the access rights of the user profile ensure
/// this.
/// </summary>
internal static class OwnFiles
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const uint Root = 0;
    private const int WritableByOthers = 0x12, ReachableByOthers = 0x09; // group and others: write; execute

    /// <summary>Why files in a folder are not used, and what to do; null if they are, or if there is no folder.</summary>
    public static string? FolderProblem(string folder)
    {
        if (OperatingSystem.IsWindows() || !Directory.Exists(folder)) return null;
        return UnixFiles.Look(folder) is { } found ? FolderProblem(folder, found, UnixFiles.User)
            : $"{folder}: its owner cannot be determined";
    }

    /// <summary>Why a file is not used, and what to do; null if it is, or if there is no file.</summary>
    public static string? FileProblem(string file)
    {
        if (OperatingSystem.IsWindows() || !Path.Exists(file)) return null;
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        if (FolderProblem(folder) is { } problem) return problem;
        return UnixFiles.Look(file) is { } found && UnixFiles.Look(folder) is { } around
            ? FileProblem(file, found, around, UnixFiles.User)
            : $"{file}: its owner cannot be determined";
    }

    /// <summary>Creates a folder that only the user can access; an existing one is unchanged.</summary>
    public static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, Private);
    }

    /// <summary>Restricts a file to the user.</summary>
    public static void Claim(string file)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Options that create a file that only the user can write.</summary>
    public static FileStreamOptions Creation
    {
        get
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            return options;
        }
    }

    internal static string? FolderProblem(string folder, UnixFiles.Entry found, uint user) =>
        found.Kind != FileKind.Folder ? $"{folder} is not a folder"
        : Foreign(found, user) ? $"{folder} belongs to another user (id {found.Owner}; this process runs as {user}). Name a folder of your "
            + "own"
        : (found.Mode & WritableByOthers) == 0 ? null
        : $"other users can write to {folder} (its mode is {Octal(found.Mode)}). Delete it, or remove that permission (chmod -R go-w)";

    internal static string? FileProblem(string file, UnixFiles.Entry found, UnixFiles.Entry folder, uint user) =>
        found.Kind != FileKind.Regular
            ? $"{file} is a {found.Kind.ToString().ToLowerInvariant()}, and only regular files are read. Delete it"
        : Foreign(found, user) ? $"{file} belongs to another user (id {found.Owner}; this process runs as {user}). Delete it"
        : (found.Mode & WritableByOthers) == 0 || (folder.Mode & ReachableByOthers) == 0 ? null
        : $"other users can write to {file} (its mode is {Octal(found.Mode)}). Delete it";

    private static bool Foreign(UnixFiles.Entry found, uint user) => found.Owner != user && found.Owner != Root;

    private static string Octal(int mode) => Convert.ToString(mode & 0xFFF, 8).PadLeft(3, '0');
}
