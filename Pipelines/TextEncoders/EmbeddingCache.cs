using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>What the embeddings of a text encoder depend on, besides its weights.</summary>
/// <param name="Ids">Token ids of all prompts.</param>
/// <param name="Count">Number of prompts.</param>
/// <param name="State">The hidden state.</param>
/// <param name="Pooled">Whether there is a pooled embedding.</param>
internal sealed record EmbeddingKey(ValueArray<int> Ids, int Count, ClipHiddenState State, bool Pooled);

/// <summary>
/// The latest embeddings of a text encoder, on the device, so that equal prompts are encoded once: a few hundred kilobytes each.
/// Thread-safe: results are copied in and out under a lock, and memory is freed only after the copies that are queued before.
/// </summary>
internal sealed class EmbeddingCache(Device device)
{
    private const int Capacity = 8;
    private readonly LinkedList<(EmbeddingKey Key, DeviceScope Scope, TextEmbeddings Value)> entries = []; // latest first
    private readonly Lock gate = new();

    /// <summary>A copy of the embeddings of a key; null if they are not kept.</summary>
    public TextEmbeddings? Find(EmbeddingKey key, DeviceScope scope, CancellationToken cancellation)
    {
        lock (gate)
        {
            for (var node = entries.First; node is not null; node = node.Next)
            {
                if (node.Value.Key != key) continue;
                entries.Remove(node);
                entries.AddFirst(node);
                return node.Value.Value.CopyTo(scope, cancellation);
            }

            return null;
        }
    }

    /// <summary>Keeps a copy, and frees the least recently used one if there are too many.</summary>
    public void Add(EmbeddingKey key, TextEmbeddings embeddings, CancellationToken cancellation)
    {
        var scope = new DeviceScope(device);
        try
        {
            var copy = embeddings.CopyTo(scope, cancellation);
            lock (gate)
            {
                entries.AddFirst((key, scope, copy));
                if (entries.Count <= Capacity) return;
                entries.Last!.Value.Scope.Dispose();
                entries.RemoveLast();
            }
        }
        catch (DeviceException)
        {
            scope.Dispose(); // no memory to keep them: the next request encodes again
        }
        catch
        {
            scope.Dispose();
            throw;
        }
    }

    /// <summary>Frees all.</summary>
    public void Clear()
    {
        lock (gate)
        {
            foreach (var (_, scope, _) in entries) scope.Dispose();
            entries.Clear();
        }
    }
}
