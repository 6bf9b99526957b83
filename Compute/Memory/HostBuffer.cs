using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Memory;

/// <summary>Host memory: allocated here (aligned to 64 bytes, zeroed), or borrowed, such as a memory-mapped file.</summary>
public sealed unsafe class HostBuffer : DeviceBuffer
{
    private const int Alignment = 64; // one cache line, and one 512-bit vector
    private readonly Action<long>? released;
    private nint allocation;

    private HostBuffer(void* allocation, long bytes, Action<long>? released) : base(bytes)
    {
        this.allocation = HostAddress = (nint)allocation;
        this.released = released;
    }

    private HostBuffer(nint address, long bytes, object owner) : base(bytes) => (HostAddress, Owner) = (address, owner);

    /// <summary>Owner of borrowed memory, such as a mapped file; null if the buffer owns its memory.</summary>
    public object? Owner { get; }

    /// <summary>Address of the first byte.</summary>
    public nint Address => HostAddress;

    /// <summary>Allocates memory owned by the buffer.</summary>
    /// <param name="bytes">Size in bytes.</param>
    /// <param name="released">Called with the size when the memory is freed.</param>
    /// <exception cref="OutOfMemoryException">The system cannot allocate that much.</exception>
    internal static HostBuffer Allocate(long bytes, Action<long>? released)
    {
        void* memory = NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), Alignment);
        NativeMemory.Clear(memory, (nuint)bytes);
        return new HostBuffer(memory, bytes, released);
    }

    /// <summary>
    /// A view of memory owned by <paramref name="owner"/>, which it keeps alive; disposing the buffer does not free the memory.
    /// </summary>
    public static HostBuffer Borrow(nint address, long bytes, object owner) => new(address, bytes, owner);

    /// <inheritdoc/>
    protected override void Free()
    {
        GC.KeepAlive(Owner);
        nint freed = Interlocked.Exchange(ref allocation, 0);
        if (freed == 0) return;
        HostAddress = 0;
        NativeMemory.AlignedFree((void*)freed);
        released?.Invoke(Bytes);
    }

    /// <summary>Frees memory that was not disposed.</summary>
    ~HostBuffer() => Free();
}
