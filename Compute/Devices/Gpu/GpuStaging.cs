using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Host staging memory of uploads, so that the caller's memory is free immediately and nothing waits for the device: two chunks, filled in
/// turn. A chunk is reused once the device has read it, which only long uploads, such as a model's weights, ever wait for.
/// </summary>
internal sealed unsafe class GpuStaging(IDeviceQueue device, int chunkBytes = GpuStaging.DefaultChunkBytes) : IDisposable
{
    /// <summary>Large enough for the copy to outweigh the call overhead.</summary>
    public const int DefaultChunkBytes = 16 << 20;

    private const int Alignment = 64;
    private readonly Lock gate = new();
    private readonly Chunk[] chunks = [new(), new()];
    private int current, filled;
    private bool disposed;

    /// <summary>Queues a copy. The source may change after it returns.</summary>
    public void Copy(ReadOnlySpan<byte> source, GpuBuffer target, long offset)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            while (!source.IsEmpty)
            {
                if (filled == chunkBytes) Turn();
                var chunk = chunks[current];
                if (chunk.Memory == 0) chunk.Memory = device.AllocateStaging(chunkBytes);
                var part = source[..Math.Min(source.Length, chunkBytes - filled)];
                nint at = chunk.Memory + filled;
                part.CopyTo(new Span<byte>((void*)at, part.Length));
                device.QueueWrite(at, target, offset, part.Length);
                filled = Math.Min(chunkBytes, IntegerMath.RoundUp(filled + part.Length, Alignment));
                source = source[part.Length..];
                offset += part.Length;
            }
        }
    }

    /// <summary>Frees the chunks. The device must have finished with them.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (disposed) return;
            disposed = true;
            foreach (var chunk in chunks)
            {
                if (chunk.Mark != 0) device.ReleaseMark(chunk.Mark);
                if (chunk.Memory != 0) device.FreeStaging(chunk.Memory);
                (chunk.Mark, chunk.Memory) = (0, 0);
            }
        }
    }

    private void Turn()
    {
        chunks[current].Mark = device.Mark();
        current ^= 1;
        var next = chunks[current];
        if (next.Mark != 0)
        {
            nint mark = next.Mark;
            next.Mark = 0;
            device.WaitAndRelease(mark);
        }

        filled = 0;
    }

    private sealed class Chunk
    {
        public nint Memory, Mark;
    }
}
