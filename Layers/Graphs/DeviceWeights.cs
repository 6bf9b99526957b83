using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// A pipeline's weights for its device. A CPU reads them in place, in the mapped files. A GPU gets a copy of each weight when a plan first
/// needs it, shared by all plans and freed with the pipeline; with offloading, a model's copies are also freed when another model needs the
/// memory.
/// </summary>
/// <remarks>
/// Convolution filters are copied in the order in which GPU kernels read them, [co, kh, kw, ci], instead of the file's: the device reorders
/// them once, which takes no permanent memory.
/// </remarks>
/// <param name="device">Device of the copies.</param>
/// <param name="packed">Weights packed by kernels; freed with the copies.</param>
internal sealed class DeviceWeights(Device device, PackedWeights packed) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<Layer, Model> models = [];
    private bool disposed;

    /// <summary>Whether models that are not in use free their copies when another model needs memory.</summary>
    public bool Offload { get; set; }

    /// <summary>Total size of the copies at present, in bytes.</summary>
    public long Bytes
    {
        get
        {
            lock (gate) return models.Values.Sum(m => m.Bytes);
        }
    }

    /// <summary>Starts using weights for one plan; disposed when the plan is returned.</summary>
    public Lease Begin() => new(this);

    /// <summary>Frees the copies that no plan uses at present.</summary>
    public void Trim()
    {
        lock (gate)
            foreach (var model in models.Values.Where(m => m.Leases == 0)) model.Free();
    }

    /// <summary>As <see cref="Trim"/>, but does nothing if another thread is acquiring weights.</summary>
    public void TryTrim()
    {
        if (!gate.TryEnter()) return;
        try
        {
            Trim();
        }
        finally
        {
            gate.Exit();
        }
    }

    /// <summary>Frees all copies. No plan may be running.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            foreach (var model in models.Values) model.Free();
        }
    }

    /// <summary>The weights used by one plan.</summary>
    internal sealed class Lease(DeviceWeights owner) : IDisposable
    {
        private readonly Dictionary<Model, int> used = []; // and the generation that the plan is bound to
        private readonly HashSet<SafetensorsFile> files = [];
        private bool open = true;

        /// <summary>A weight on the device.</summary>
        /// <param name="parameter">The weight.</param>
        /// <param name="kernelPositionsFirst">Whether it is a filter to be stored as [co, kh, kw, ci], although its shape stays
        /// [co, ci, kh, kw] (<see cref="OpCall.KernelPositionsFirst"/>).</param>
        /// <param name="cancellation">Cancels compilation of a kernel that converts the weight.</param>
        /// <exception cref="InvalidOperationException">It was not loaded.</exception>
        /// <exception cref="ModelFileException">Its file changed, or it has a NaN or infinite value.</exception>
        /// <exception cref="DeviceException">Out of memory.</exception>
        public Tensor Get(Parameter parameter, bool kernelPositionsFirst = false, CancellationToken cancellation = default)
        {
            var host = parameter.Checked();
            if (host.Buffer is HostBuffer { Owner: SafetensorsFile file } && files.Add(file)) file.RequireIntact();
            if (!kernelPositionsFirst && owner.Reads(host)) return host;
            lock (owner.gate)
            {
                ObjectDisposedException.ThrowIf(owner.disposed, owner);
                var model = owner.ModelOf(parameter.Root);
                if (!used.ContainsKey(model))
                {
                    model.Leases++; // before other models' copies are freed for it
                    if (owner.Offload) owner.MakeRoom();
                    used.Add(model, model.Generation);
                }

                return model.Get(parameter, host, kernelPositionsFirst, cancellation);
            }
        }

        /// <summary>Checks the files whose mapped bytes kernels are about to read; copies on a device need no check.</summary>
        /// <exception cref="ModelFileException">A file changed since it was opened.</exception>
        public void RequireIntact()
        {
            if (!owner.ReadsInPlace) return;
            foreach (var file in files) file.RequireIntact();
        }

        /// <summary>Acquires the same weights again.</summary>
        /// <returns>False if some were freed meanwhile: everything bound to them must be bound again.</returns>
        public bool TryReopen()
        {
            lock (owner.gate)
            {
                if (open || used.Any(u => u.Key.Generation != u.Value)) return false;
                foreach (var model in used.Keys) model.Leases++;
                return open = true;
            }
        }

        /// <summary>Marks the plan as idle; its weights stay until others need the memory.</summary>
        public void Dispose()
        {
            lock (owner.gate)
            {
                if (!open) return;
                open = false;
                foreach (var model in used.Keys) model.Leases--;
            }
        }
    }

    /// <summary>Whether the copy of an op's weight has its kernel positions before the input channels.</summary>
    public static bool PutsKernelPositionsFirst(Device device, Op op, TensorType weight) =>
        device.PutsKernelPositionsFirst && op is Conv2D && (weight.Shape[2].Constant != 1 || weight.Shape[3].Constant != 1);

    private bool ReadsInPlace => device.ReadsHostMemory;

    private bool Reads(Tensor host) => ReadsInPlace || host.Buffer is not HostBuffer;

    private Model ModelOf(Layer root)
    {
        if (!models.TryGetValue(root, out var model))
            models.Add(root, model = new Model(device, packed,
                root.Parameters.Where(p => p.IsLoaded).Sum(p => Model.Rounded(p.Type.Bytes))));
        return model;
    }

    private void MakeRoom()
    {
        foreach (var model in models.Values)
            if (model.Leases == 0) model.Free();
    }

    /// <summary>One model's copies, in few large allocations.</summary>
    internal sealed class Model(Device device, PackedWeights packed, long allBytes)
    {
        // vector loads and sub-buffers require alignment; a span holds 2 GB
        private const long Piece = 64 << 20, Alignment = 256, MostAtOnce = 1 << 30;
        private readonly Dictionary<(Parameter, bool KernelPositionsFirst), Tensor> copies = [];
        private readonly List<DeviceBuffer> pieces = [];
        private long filled, copied;

        /// <summary>Number of plans that use them.</summary>
        public int Leases { get; set; }

        /// <summary>Number of times they were freed.</summary>
        public int Generation { get; private set; }

        public long Bytes => pieces.Sum(p => p.Bytes);

        public static long Rounded(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

        public Tensor Get(Parameter parameter, Tensor host, bool kernelPositionsFirst, CancellationToken cancellation)
        {
            if (copies.TryGetValue((parameter, kernelPositionsFirst), out var copy)) return copy;
            var type = parameter.Type;
            long size = Rounded(type.Bytes);
            if (pieces.Count == 0 || filled + size > pieces[^1].Bytes)
            {
                // the last block is no larger than the remaining weights
                pieces.Add(device.Allocate(Math.Max(size, Math.Min(Piece, allBytes - copied))));
                filled = 0;
            }

            copy = new Tensor(pieces[^1], filled, type.DType, host.Shape);
            if (kernelPositionsFirst) PutKernelPositionsFirst(host, copy, cancellation);
            else if (type.DType == host.DType) Upload(host, pieces[^1], filled);
            else Cast(host, copy, cancellation);
            (filled, copied) = (filled + size, copied + size);
            copies.Add((parameter, kernelPositionsFirst), copy);
            return copy;
        }

        public void Free()
        {
            if (pieces.Count == 0) return;
            foreach (var piece in pieces)
            {
                packed.Forget(piece);
                piece.Dispose();
            }

            pieces.Clear();
            copies.Clear();
            (filled, copied) = (0, 0);
            Generation++;
        }

        /// <summary>
        /// Uploads filters and reorders them on the device: kernel positions are the pixels of an NCHW to NHWC transpose.
        /// </summary>
        private void PutKernelPositionsFirst(Tensor host, Tensor copy, CancellationToken cancellation)
        {
            using var stored = device.Allocate(copy.Type.Bytes); // freed once the queue has passed this point
            // else it is already on the device
            var plain = host.Buffer is HostBuffer ? new Tensor(stored, 0, copy.DType, host.Shape) : host;
            if (plain != host && copy.DType == host.DType) Upload(host, stored, 0);
            else if (plain != host) Cast(host, plain, cancellation);
            Run(new NchwToNhwc(), plain,
                new Tensor(copy.Buffer, copy.Offset, copy.DType, [host.Shape[0], host.Shape[2], host.Shape[3], host.Shape[1]]),
                    cancellation);
        }

        /// <summary>Uploads a weight as stored and casts it on the device.</summary>
        private void Cast(Tensor host, Tensor copy, CancellationToken cancellation)
        {
            using var stored = device.Allocate(host.Type.Bytes); // freed once the queue has passed this point
            Upload(host, stored, 0);
            Run(new Cast(copy.DType), new Tensor(stored, 0, host.DType, host.Shape), copy, cancellation);
        }

        private void Run(Op op, Tensor source, Tensor target, CancellationToken cancellation) =>
            device.Kernels.Get(new OpSignature(op, [source.Type], target.Type))
                .Bind(new OpCall(device, op, [source], target) { Cancellation = cancellation }).Run();

        private unsafe void Upload(Tensor host, DeviceBuffer target, long offset)
        {
            long bytes = host.Type.Bytes;
            byte* source = (byte*)((HostBuffer)host.Buffer).Address + host.Offset;
            for (long at = 0; at < bytes; at += MostAtOnce)
            {
                int part = (int)Math.Min(MostAtOnce, bytes - at);
                device.Upload(new ReadOnlySpan<byte>(source + at, part), new Tensor(target, offset + at, DType.Int8, [part]));
            }

            GC.KeepAlive(host);
        }
    }
}
