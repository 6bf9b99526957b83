using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Ops;

/// <summary>
/// Tensors, and launches of single ops on them, that live as long as one piece of work on a device; for what happens between graphs.
/// Disposing frees the memory once the queued work is done. Not thread-safe.
/// </summary>
/// <param name="device">The device.</param>
public sealed class DeviceScope(Device device) : IDisposable
{
    private readonly List<DeviceBuffer> buffers = [];

    /// <summary>The device.</summary>
    public Device Device => device;

    /// <summary>Allocates a tensor of zeros.</summary>
    /// <exception cref="DeviceException">Out of memory.</exception>
    public Tensor Allocate(DType dtype, Shape shape)
    {
        buffers.Add(device.Allocate(Math.Max(1, shape.Count) * dtype.Size()));
        return new Tensor(buffers[^1], 0, dtype, shape);
    }

    /// <summary>Allocates a tensor and queues the upload of its values.</summary>
    /// <exception cref="ShapeException">The number of values is not that of the shape.</exception>
    public Tensor Upload(ReadOnlySpan<float> values, Shape shape)
    {
        ShapeException.ThrowUnless(values.Length == shape.Count, "upload", "values", $"{values.Length} numbers", $"{shape}");
        var tensor = Allocate(DType.Float32, shape);
        device.Upload(MemoryMarshal.AsBytes(values), tensor);
        return tensor;
    }

    /// <summary>Prepares a launch that can run any number of times without allocating.</summary>
    /// <param name="op">The op.</param>
    /// <param name="inputs">Its arguments.</param>
    /// <param name="output">Its result; for ops that may run in place also one of the arguments.</param>
    /// <param name="cancellation">Cancels the compilation of the kernel.</param>
    /// <exception cref="ShapeException">The op does not take these arguments.</exception>
    public Launch Bind(Op op, Tensor[] inputs, Tensor output, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(op);
        TensorType[] types = [.. inputs.Select(i => i.Type)];
        var signature = new OpSignature(op, types, op.Infer(types));
        var kernel = device.Kernels.Get(signature);
        var scratch = kernel.ScratchBytes(signature) is > 0 and var bytes ? Allocate(DType.Int8, [checked((int)bytes)]) : null;
        return kernel.Bind(new OpCall(device, op, inputs, output, scratch) { Cancellation = cancellation });
    }

    /// <summary>Queues a copy between tensors of one type and size; either may be a column view.</summary>
    public void Copy(Tensor source, Tensor target, CancellationToken cancellation = default) =>
        Join(0, [source], target, cancellation);

    /// <summary>Queues the concatenation of tensors along a dimension; −1 is the innermost.</summary>
    public void Join(int axis, Tensor[] sources, Tensor target, CancellationToken cancellation = default) =>
        Bind(new Concat(axis), sources, target, cancellation).Run();

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach (var buffer in buffers) buffer.Dispose();
        buffers.Clear();
    }
}
