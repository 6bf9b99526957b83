using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>A weight in its mapped file. Valid until its checkpoint is disposed.</summary>
public sealed class WeightTensor
{
    private readonly SafetensorsEntry entry;

    internal WeightTensor(SafetensorsFile file, SafetensorsEntry entry) => (File, this.entry) = (file, entry);

    /// <summary>The file that contains it.</summary>
    public SafetensorsFile File { get; }

    /// <summary>Its name in the file.</summary>
    public string Name => entry.Name;

    /// <summary>Its sizes as PyTorch stores them (a convolution: [out, in, height, width]).</summary>
    public Shape Shape => entry.Shape;

    /// <summary>Its element type as named in the file: <c>F32</c>, <c>F8_E4M3</c> …</summary>
    public string StoredType => entry.StoredType;

    /// <summary>Its element type for kernels: 8-bit floats become Float16, exactly, and F64 is rounded to Float32.</summary>
    /// <exception cref="ModelFileException">The file's type has no counterpart (U8, BOOL …).</exception>
    public DType DType => File.RequireDType(entry);

    /// <summary>Its stored size in bytes.</summary>
    public long Bytes => entry.Bytes;

    /// <summary>Address of its first byte, which may be unaligned.</summary>
    public unsafe byte* Pointer => File.Pointer(entry);

    /// <summary>Its bytes, if no more than 2 GB.</summary>
    public ReadOnlySpan<byte> Span => File.Bytes(entry);

    /// <summary>
    /// The mapped bytes as a tensor in host memory, valid as long as the file is open. Nothing is copied, unless no kernel reads the stored
    /// type: then the tensor is a converted copy, made on first use.
    /// </summary>
    /// <exception cref="ModelFileException">The file's type has no counterpart.</exception>
    /// <exception cref="DeviceException">Out of memory for a copy.</exception>
    public Tensor ToTensor() => File.ToTensor(entry);

    /// <summary>A copy of its values as floats.</summary>
    /// <exception cref="ModelFileException">It is not of a float type.</exception>
    public float[] ReadFloats() => File.ReadFloats(Name);

    /// <summary>Name, stored type and sizes.</summary>
    public override string ToString() => $"{Name} {entry.StoredType} {Shape}";
}
