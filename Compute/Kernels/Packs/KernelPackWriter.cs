using System.Security.Cryptography;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Writes kernel packs.</summary>
public static class KernelPackWriter
{
    /// <summary>Writes what was recorded, atomically. The same recordings give the same file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="recorders">The devices, each recorded already.</param>
    /// <param name="models">The models whose work was recorded.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static KernelPack Write(string path, IEnumerable<KernelRecorder> recorders, IEnumerable<PackedModel> models)
    {
        byte[] file = ToBytes(recorders, models);
        AtomicFile.Write(path, stream => stream.Write(file));
        return KernelPack.Read(path, file);
    }

    internal static byte[] ToBytes(IEnumerable<KernelRecorder> recorders, IEnumerable<PackedModel> models)
    {
        var (blobs, indices) = (new List<byte[]>(), new Dictionary<string, int>());
        PackManifestTarget[] targets = [.. recorders.Select(recorder => recorder.Finish(Add))];
        return PackFile.Write(new(KernelPack.ThisLibrary, [.. models], targets, [.. blobs.Select(blob => blob.Length)]), blobs);

        int Add(byte[] blob)
        {
            string hash = Convert.ToHexString(SHA256.HashData(blob));
            if (!indices.TryGetValue(hash, out int index))
            {
                indices.Add(hash, index = blobs.Count);
                blobs.Add(blob);
            }

            return index;
        }
    }
}
