using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Memory;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>
/// A pipeline's weights where its device reads them. A CPU reads them where they lie, in the mapped files. A GPU gets a copy of each weight when a plan first needs it,
/// shared by all plans and freed with the pipeline; with offloading, a model's copies also make room when another model needs the memory.
/// </summary>
/// <remarks>
/// A convolution's filters are copied in the order in which GPU kernels read them, each place of the filter with all its channels side by side, and not in the file's: they are
/// reordered once, by the device, and take no memory beside that.
/// </remarks>
/// <param name="device">Where the copies lie.</param>
/// <param name="packed">What kernels packed of them; freed with them.</param>
internal sealed class DeviceWeights(Device device, PackedWeights packed) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<Layer, Model> models = [];
    private bool disposed;

    /// <summary>Whether models that are not at work give up their copies when another model needs some.</summary>
    public bool Offload { get; set; }

    /// <summary>Bytes of all copies at this moment.</summary>
    public long Bytes
    {
        get
        {
            lock (gate) return models.Values.Sum(m => m.Bytes);
        }
    }

    /// <summary>Takes weights into use for one plan; disposed when the plan is given back.</summary>
    public Lease Begin() => new(this);

    /// <summary>Frees the copies that no plan uses at this moment.</summary>
    public void Trim()
    {
        lock (gate)
            foreach (var model in models.Values.Where(m => m.Leases == 0)) model.Free();
    }

    /// <summary>As <see cref="Trim"/>, unless another thread is taking weights into use.</summary>
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

    /// <summary>Frees all copies. No plan may be at work.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            foreach (var model in models.Values) model.Free();
        }
    }

    /// <summary>The weights that one plan uses.</summary>
    internal sealed class Lease(DeviceWeights owner) : IDisposable
    {
        private readonly Dictionary<Model, int> used = []; // with the generation that the plan is bound to
        private readonly HashSet<SafetensorsFile> files = [];
        private bool open = true;

        /// <summary>A weight on the device.</summary>
        /// <param name="parameter">The weight.</param>
        /// <param name="kernelPositionsFirst">Whether it is a filter that is to lie as [co, kh, kw, ci], whatever its shape says (<see cref="OpCall.KernelPositionsFirst"/>).</param>
        /// <param name="cancellation">Obeyed while a kernel that brings it into its form is compiled.</param>
        /// <exception cref="InvalidOperationException">It was not loaded.</exception>
        /// <exception cref="ModelFileException">Its file changed, or it holds NaN or infinity.</exception>
        /// <exception cref="DeviceException">Memory is short.</exception>
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
                    model.Leases++; // before anything is freed for it
                    if (owner.Offload) owner.MakeRoom();
                    used.Add(model, model.Generation);
                }

                return model.Get(parameter, host, kernelPositionsFirst, cancellation);
            }
        }

        /// <summary>Checks the files whose bytes kernels are about to read where they lie; copies on a device need none.</summary>
        /// <exception cref="ModelFileException">One changed since it was opened.</exception>
        public void RequireIntact()
        {
            if (!owner.ReadsInPlace) return;
            foreach (var file in files) file.RequireIntact();
        }

        /// <summary>Takes the same weights into use again.</summary>
        /// <returns>False when some were freed meanwhile: whatever is bound to them must be bound anew.</returns>
        public bool TryReopen()
        {
            lock (owner.gate)
            {
                if (open || used.Any(u => u.Key.Generation != u.Value)) return false;
                foreach (var model in used.Keys) model.Leases++;
                return open = true;
            }
        }

        /// <summary>The plan is idle; the weights stay unless others need the memory.</summary>
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

    /// <summary>Whether the copy of an op's weight is made with the positions of its filters first.</summary>
    public static bool PutsKernelPositionsFirst(Device device, Op op, TensorType weight) =>
        device.Backend != Backends.Cpu && op is Conv2D && (weight.Shape[2].Constant != 1 || weight.Shape[3].Constant != 1);

    private bool ReadsInPlace => device.Backend == Backends.Cpu;

    private bool Reads(Tensor host) => ReadsInPlace || host.Buffer is not HostBuffer;

    private Model ModelOf(Layer root)
    {
        if (!models.TryGetValue(root, out var model)) models.Add(root, model = new Model(device, packed, root.Parameters.Where(p => p.IsLoaded).Sum(p => Model.Rounded(p.Type.Bytes))));
        return model;
    }

    private void MakeRoom()
    {
        foreach (var model in models.Values)
            if (model.Leases == 0) model.Free();
    }

    /// <summary>One model's copies, side by side in few large pieces of memory.</summary>
    internal sealed class Model(Device device, PackedWeights packed, long allBytes)
    {
        private const long Piece = 64 << 20, Alignment = 256, MostAtOnce = 1 << 30; // vector loads and sub-buffers want alignment; a span holds 2 GB
        private readonly Dictionary<(Parameter, bool KernelPositionsFirst), Tensor> copies = [];
        private readonly List<DeviceBuffer> pieces = [];
        private long filled, copied;

        /// <summary>How many plans use them.</summary>
        public int Leases { get; set; }

        /// <summary>How often they were freed.</summary>
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
                pieces.Add(device.Allocate(Math.Max(size, Math.Min(Piece, allBytes - copied)))); // the last piece is no larger than what can still come
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

        /// <summary>Uploads filters and reorders them there: images in NCHW and NHWC lie as their channels and positions do.</summary>
        private void PutKernelPositionsFirst(Tensor host, Tensor copy, CancellationToken cancellation)
        {
            using var stored = device.Allocate(copy.Type.Bytes); // freed when the queue has come by
            var plain = host.Buffer is HostBuffer ? new Tensor(stored, 0, copy.DType, host.Shape) : host; // or it lies on the device already
            if (plain != host && copy.DType == host.DType) Upload(host, stored, 0);
            else if (plain != host) Cast(host, plain, cancellation);
            Run(new NchwToNhwc(), plain, new Tensor(copy.Buffer, copy.Offset, copy.DType, [host.Shape[0], host.Shape[2], host.Shape[3], host.Shape[1]]), cancellation);
        }

        /// <summary>Uploads a weight as it is stored and casts it there.</summary>
        private void Cast(Tensor host, Tensor copy, CancellationToken cancellation)
        {
            using var stored = device.Allocate(host.Type.Bytes); // freed when the queue has come by
            Upload(host, stored, 0);
            Run(new Cast(copy.DType), new Tensor(stored, 0, host.DType, host.Shape), copy, cancellation);
        }

        private void Run(Op op, Tensor source, Tensor target, CancellationToken cancellation) =>
            device.Kernels.Get(new OpSignature(op, [source.Type], target.Type)).Bind(new OpCall(device, op, [source], target) { Cancellation = cancellation }).Run();

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
