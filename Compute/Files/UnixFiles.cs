using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ILGpuDiffusion.Compute.Files;

/// <summary>Unix file information that .NET does not provide: kind, owner, and errors of flushing to disk.</summary>
internal static unsafe partial class UnixFiles
{
    private const int RecordBytes = 256; // as struct statx; macOS's struct stat has 144
    private const int KindMask = 0xF000, PipeBits = 0x1000, CharacterBits = 0x2000, FolderBits = 0x4000, BlockBits = 0x6000,
        RegularBits = 0x8000, SocketBits = 0xC000;

    // Errors of files that cannot be flushed: EROFS, EINVAL, and ENOTSUP on Linux and on macOS.
    private static readonly int[] NothingToFlush = [30, 22, 95, 45];

    /// <summary>Owner and mode (kind and permissions) of a file.</summary>
    internal readonly record struct Entry(uint Owner, int Mode)
    {
        /// <summary>Kind of the file.</summary>
        public FileKind Kind => KindOf(Mode);
    }

    /// <summary>The effective user of the process.</summary>
    public static uint User => EffectiveUser();

    /// <summary>The kind of file that a path refers to, following links; null if unknown.</summary>
    public static FileKind? Kind(string path) => Look(path)?.Kind;

    /// <summary>Owner and mode of the file that a path refers to, following links; null if unknown.</summary>
    public static Entry? Look(string path)
    {
        byte* record = stackalloc byte[RecordBytes];
        try
        {
            if (OperatingSystem.IsLinux())
                return Statx(WorkingFolder, path, 0, Fields, record) == 0 ? new(*(uint*)(record + 20), *(ushort*)(record + 28)) : null;
            if (!OperatingSystem.IsMacOS()) return null;
            int failed = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? StatOfX64(path, record) : Stat(path, record);
            return failed == 0 ? new(*(uint*)(record + 16), *(ushort*)(record + 4)) : null;
        }
        catch (EntryPointNotFoundException) // a C library older than the call
        {
            return null;
        }
    }

    /// <summary>Flushes a file to disk. .NET's own method (<see cref="RandomAccess.FlushToDisk"/>) ignores every error.</summary>
    /// <exception cref="IOException">The disk failed or is full.</exception>
    public static void FlushToDisk(SafeFileHandle file)
    {
        if (Fsync(file) == 0) return;
        int error = Marshal.GetLastPInvokeError();
        if (!NothingToFlush.Contains(error))
            throw new IOException($"the disk did not take it: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    private static FileKind KindOf(int mode) => (mode & KindMask) switch
    {
        RegularBits => FileKind.Regular,
        FolderBits => FileKind.Folder,
        PipeBits => FileKind.Pipe,
        SocketBits => FileKind.Socket,
        CharacterBits or BlockBits => FileKind.Device,
        _ => FileKind.Missing,
    };

    private const int WorkingFolder = -100; // AT_FDCWD
    private const uint Fields = 0b1011; // STATX_TYPE, STATX_MODE, STATX_UID

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint fields, byte* record);

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(string path, byte* record);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatOfX64(string path, byte* record);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);
}
