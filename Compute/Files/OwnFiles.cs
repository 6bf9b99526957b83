namespace ILGpuDiffusion.Compute.Files;

/// <summary>
/// Files whose content decides what this process does, such as compiled kernels. They are used only where they are the user's own (or the
/// administrator's, who decides anyway), in a folder that nobody else can write to: whoever else could put a file there would have his code run.
/// On Windows the profile's access rights see to that.
/// </summary>
internal static class OwnFiles
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const uint Root = 0;
    private const int WritableByOthers = 0x12, ReachableByOthers = 0x09; // group and others: write; execute

    /// <summary>Why files in a folder are not to be used, with what to do; null where they are, or where there is no folder.</summary>
    public static string? FolderProblem(string folder)
    {
        if (OperatingSystem.IsWindows() || !Directory.Exists(folder)) return null;
        return UnixFiles.Look(folder) is { } found ? FolderProblem(folder, found, UnixFiles.User) : $"{folder}: its owner cannot be found out";
    }

    /// <summary>Why a file is not to be used, with what to do; null where it is, or where there is no file.</summary>
    public static string? FileProblem(string file)
    {
        if (OperatingSystem.IsWindows() || !Path.Exists(file)) return null;
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        if (FolderProblem(folder) is { } problem) return problem;
        return UnixFiles.Look(file) is { } found && UnixFiles.Look(folder) is { } around
            ? FileProblem(file, found, around, UnixFiles.User)
            : $"{file}: its owner cannot be found out";
    }

    /// <summary>Makes a folder for the user alone; one that is there stays as it is.</summary>
    public static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, Private);
    }

    /// <summary>Makes a file one that only the user can read and write.</summary>
    public static void Claim(string file)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>How to make a file that only the user can write.</summary>
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
        found.Kind != FileKind.Folder ? $"{folder} is no folder"
        : Foreign(found, user) ? $"{folder} belongs to another user (number {found.Owner}; this one is {user}). Name a folder of your own"
        : (found.Mode & WritableByOthers) == 0 ? null
        : $"other users can write to {folder} (its mode is {Octal(found.Mode)}). Delete it, or take that right away (chmod -R go-w)";

    internal static string? FileProblem(string file, UnixFiles.Entry found, UnixFiles.Entry folder, uint user) =>
        found.Kind != FileKind.Regular ? $"{file} is a {found.Kind.ToString().ToLowerInvariant()}, and only regular files are read. Delete it"
        : Foreign(found, user) ? $"{file} belongs to another user (number {found.Owner}; this one is {user}). Delete it"
        : (found.Mode & WritableByOthers) == 0 || (folder.Mode & ReachableByOthers) == 0 ? null
        : $"other users can write to {file} (its mode is {Octal(found.Mode)}). Delete it";

    private static bool Foreign(UnixFiles.Entry found, uint user) => found.Owner != user && found.Owner != Root;

    private static string Octal(int mode) => Convert.ToString(mode & 0xFFF, 8).PadLeft(3, '0');
}
