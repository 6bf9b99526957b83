using System.Runtime.Versioning;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Checks that only the user can write to a file. Permissions are those of Unix.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class OwnFilesTests : IDisposable
{
    private const int Folder = 0x4000, Regular = 0x8000;
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"ilgd-own-{Guid.NewGuid():n}", "kernels");

    public OwnFilesTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes.");

    public void Dispose()
    {
        if (Directory.Exists(folder)) Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
    }

    [Fact]
    public void CreateFolder_NewFolder_IsForTheUserOnly()
    {
        Assert.Null(OwnFiles.FolderProblem(folder)); // it does not exist yet
        OwnFiles.CreateFolder(folder);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        Assert.Null(OwnFiles.FolderProblem(folder));
        Directory.CreateSymbolicLink(folder + ".link", folder);
        Assert.Null(OwnFiles.FolderProblem(folder + ".link")); // the link's target counts
    }

    [Theory, InlineData("770", "770"), InlineData("777", "777"), InlineData("1777", "1777"), InlineData("702", "702")]
    public void Folder_ThatOthersCanWriteTo_IsRefused(string mode, string shown)
    {
        OwnFiles.CreateFolder(folder);
        File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32(mode, 8));
        string file = Path.Combine(folder, "a");
        File.WriteAllText(file, "");
        foreach (string? problem in new[] { OwnFiles.FolderProblem(folder), OwnFiles.FileProblem(file) })
        {
            Assert.StartsWith($"other users can write to {folder} (its mode is {shown}). ", problem, StringComparison.Ordinal);
            Assert.Contains("chmod -R go-w", problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void File_ThatOthersCanWriteTo_IsRefusedWhereTheyReachIt()
    {
        OwnFiles.CreateFolder(folder);
        string file = Path.Combine(folder, "a");
        Assert.Null(OwnFiles.FileProblem(file));
        File.WriteAllText(file, "");
        File.SetUnixFileMode(file, (UnixFileMode)0b110_110_110);
        Assert.Null(OwnFiles.FileProblem(file)); // nobody else can reach it
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        Assert.StartsWith($"other users can write to {file} (its mode is 666). Delete it", OwnFiles.FileProblem(file),
            StringComparison.Ordinal);
        OwnFiles.Claim(file);
        Assert.Null(OwnFiles.FileProblem(file));
        Assert.Contains("is a folder, and only regular files are read. Delete it",
            OwnFiles.FileProblem(Directory.CreateDirectory(Path.Combine(folder, "b")).FullName), StringComparison.Ordinal);
    }

    [Fact]
    public void Problem_OwnedByAnotherUser_IsRefused()
    {
        UnixFiles.Entry mine = new(1000, Folder | 0b111_000_000), roots = mine with { Owner = 0 }, theirs = mine with { Owner = 1001 };
        Assert.Null(OwnFiles.FolderProblem("f", mine, user: 1000));
        Assert.Null(OwnFiles.FolderProblem("f", roots, user: 1000)); // root can run anything anyway
        Assert.Equal("f belongs to another user (id 1001; this process runs as 1000). Name a folder of your own",
            OwnFiles.FolderProblem("f", theirs, user: 1000));
        Assert.NotNull(OwnFiles.FolderProblem("f", mine, user: 0)); // root does not run files of others
        var file = new UnixFiles.Entry(1001, Regular | 0b110_100_100);
        Assert.Equal("f/a belongs to another user (id 1001; this process runs as 1000). Delete it",
            OwnFiles.FileProblem("f/a", file, mine, user: 1000));
        Assert.Null(OwnFiles.FileProblem("f/a", file with { Owner = 1000 }, mine, user: 1000));
    }
}
