using System.Buffers.Binary;
using System.Text;
using TorchSharp;

namespace ILGpuDiffusion.Peers;

/// <summary>
/// Makes libtorch usable. TorchSharp's native library requires version GLIBCXX_3.4.32 of libstdc++, because GCC 13 and later add a symbol
/// of that version to every unit that includes iostream; nothing calls it. Systems with an older libstdc++ (Debian 12) refuse to load the
/// library, so the requirement is marked as weak in the copy beside this program, which makes the loader ignore it.
/// </summary>
internal static class LibTorch
{
    private const string Library = "runtimes/linux-x64/native/libLibTorchSharp.so", Version = "GLIBCXX_3.4.32";
    private const uint VersionNeeds = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort Weak = 2; // VER_FLG_WEAK

    /// <summary>Name and version, for tables.</summary>
    public static string Name => $"libtorch {torch.__version__} (TorchSharp)";

    /// <summary>Must be called before anything else of TorchSharp.</summary>
    public static void Load(int threads)
    {
        string file = Path.Combine(AppContext.BaseDirectory, Library);
        if (File.Exists(file)) MarkWeak(file);
        Start(threads);
    }

    // TorchSharp loads its library when the first method that names it is compiled
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Start(int threads)
    {
        torch.set_num_threads(threads);
        torch.set_grad_enabled(false);
    }

    private static void MarkWeak(string file)
    {
        byte[] elf = File.ReadAllBytes(file);
        if (FindNeed(elf) is not { } flags || BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(flags)) == Weak) return;
        BinaryPrimitives.WriteUInt16LittleEndian(elf.AsSpan(flags), Weak);
        File.WriteAllBytes(file + ".tmp", elf);
        File.Move(file + ".tmp", file, overwrite: true);
    }

    /// <summary>
    /// The offset of the requirement's flags. ELF64, little-endian: section headers at e_shoff, then Elf64_Verneed and Elf64_Vernaux as in
    /// the System V ABI and the LSB.
    /// </summary>
    private static int? FindNeed(byte[] elf)
    {
        int U16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(at));
        int U32(int at) => (int)BinaryPrimitives.ReadUInt32LittleEndian(elf.AsSpan(at));
        int U64(int at) => checked((int)BinaryPrimitives.ReadInt64LittleEndian(elf.AsSpan(at)));
        int sections = U64(0x28), size = U16(0x3a), count = U16(0x3c);
        for (int i = 0; i < count; i++)
        {
            int section = sections + i * size;
            if ((uint)U32(section + 4) != VersionNeeds) continue;
            int strings = U64(sections + U32(section + 0x28) * size + 0x18);
            for (int need = U64(section + 0x18), step = -1; step != 0; need += step)
            {
                for (int entry = need + U32(need + 8), left = U16(need + 2); left > 0; left--, entry += U32(entry + 12))
                    if (Encoding.ASCII.GetString(elf, strings + U32(entry + 8), Version.Length) == Version) return entry + 4;
                step = U32(need + 12);
            }
        }

        return null;
    }
}
