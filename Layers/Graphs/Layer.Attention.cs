using ILGpuDiffusion.Compute.Ops;

namespace ILGpuDiffusion.Layers.Graphs;

public abstract partial class Layer
{
    private AttentionOptions? attention;

    /// <summary>
    /// Chooses the implementation of attention in this layer and all below, or in some of them; diffusers' <c>set_attention_backend</c>.
    /// Earlier choices for the same layers are replaced. The graphs that contain them are traced again when they are next used. A scope
    /// (<c>Attention.Use</c>) takes precedence.
    /// </summary>
    /// <param name="options">The implementation; null leaves it to the layer above, and at the top to the device.</param>
    /// <param name="where">
    /// Which layers are meant, by <see cref="Path"/> or type, with all below each; null for this one. The nearest choice applies to an
    /// attention layer.
    /// </param>
    /// <remarks>A choice that the device does not support is an error when a plan is made.</remarks>
    public void SetAttentionBackend(AttentionOptions? options, Func<Layer, bool>? where = null)
    {
        Layer[] all = [.. SelfAndBelow];
        Change(() =>
        {
            foreach (var layer in all)
            {
                if (where is null) layer.attention = layer == this ? options : null;
                else if (where(layer)) layer.attention = options;
            }
        });
        foreach (var layer in all.Skip(1)) Interlocked.Increment(ref layer.version); // graphs of layers below, traced by themselves
    }

    /// <summary>The choice for this layer's own attention: the nearest one upwards.</summary>
    internal AttentionOptions EffectiveAttention => attention ?? parent?.EffectiveAttention ?? default;

    private IEnumerable<Layer> SelfAndBelow => children.SelectMany(child => child.SelfAndBelow).Prepend(this);
}
