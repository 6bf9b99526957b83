using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>
/// One component of a file in an original naming, under diffusers' names. Tensors are views of the file, but for transposed ones, which are
/// copies. A tensor below the prefix that the map does not know keeps its name in the file, so that it is reported.
/// </summary>
/// <param name="file">The file; disposed with this.</param>
/// <param name="prefix">What the component's names begin with, dot included.</param>
/// <param name="map">Their names without it.</param>
internal sealed class RenamedWeights(Checkpoint file, string prefix, NameMap map) : IModelWeights
{
    private readonly Dictionary<string, byte[]> copies = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Location => file.Source;

    /// <inheritdoc/>
    public IEnumerable<string> Names => file.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
        .SelectMany(name => map.ToDiffusers(name[prefix.Length..]) is { Count: > 0 } found ? found.Select(f => f.Name)
            : map.IsUnused(name[prefix.Length..]) ? [] : [name]);

    /// <inheritdoc/>
    public string? StoredNameOf(string name) => map.ToOriginal(name) is { } original ? prefix + original.Name : null;

    /// <inheritdoc/>
    public Tensor? Find(string name)
    {
        if (map.ToOriginal(name) is not { } original || file.Find(prefix + original.Name) is not { } weight) return null;
        var (stored, form) = (weight.ToTensor(), original.Form);
        var shape = form.Of(stored.Shape) ?? throw form.Wrong(Location, weight.Name, stored.Shape);
        return form switch
        {
            TensorForm.FirstThird or TensorForm.SecondThird or TensorForm.LastThird => new Tensor(stored.Buffer,
                stored.Offset + form.Third() * shape.Count * stored.DType.Size(), stored.DType, shape),
            TensorForm.Transposed => Transpose(name, stored, shape, weight.File),
            _ => stored.Reshape(shape),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private Tensor Transpose(string name, Tensor stored, Shape shape, SafetensorsFile owner)
    {
        lock (copies)
        {
            if (!copies.TryGetValue(name, out byte[]? copy))
            {
                int size = stored.DType.Size(), rows = stored.Shape[0], columns = stored.Shape[1];
                // Pinned, because tensors hold its address; kept here as long as the file is open.
                copies[name] = copy = GC.AllocateUninitializedArray<byte>(checked((int)(shape.Count * size)), pinned: true);
                unsafe
                {
                    var source = new ReadOnlySpan<byte>((void*)(((HostBuffer)stored.Buffer).Address + (nint)stored.Offset), copy.Length);
                    for (int row = 0; row < rows; row++)
                        for (int column = 0; column < columns; column++)
                            source.Slice((row * columns + column) * size, size).CopyTo(copy.AsSpan((column * rows + row) * size));
                }
            }

            return new Tensor(HostBuffer.Borrow(Marshal.UnsafeAddrOfPinnedArrayElement(copy, 0), copy.Length, owner), 0, stored.DType,
                shape);
        }
    }
}
