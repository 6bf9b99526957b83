using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>
/// A text encoder's values, each recorded on first use: a prompt embedding from an early layer does not compute later layers.
/// </summary>
/// <param name="model">The encoder.</param>
/// <param name="ids">Token ids, Int32 [n, tokens].</param>
/// <param name="positions">0, 1, 2 …, Int32 [tokens].</param>
/// <param name="dtype">The type that the model computes in, from the sum of the embeddings on.</param>
internal sealed class ClipTextTrace(ClipTextModel model, Value ids, Value positions, DType dtype)
{
    private readonly List<Value> hidden = [];
    private readonly Dictionary<int, Value> normalised = [];

    /// <summary>
    /// transformers' <c>hidden_states[index]</c>: 0 is the embeddings, i the result of layer i − 1, without the final norm. [n, tokens,
    /// width].
    /// </summary>
    public Value Hidden(int index)
    {
        while (hidden.Count <= index)
            hidden.Add(hidden.Count == 0 ? Functional.Cast(model.Transformer.Embeddings.Forward(ids, positions), dtype)
                : model.Transformer.Layers[hidden.Count - 1].Forward(hidden[^1]));
        return hidden[index];
    }

    /// <summary><see cref="Hidden"/> after the final norm; at the last layer transformers' <c>last_hidden_state</c>.</summary>
    public Value Normalised(int index)
    {
        if (!normalised.TryGetValue(index, out var value))
            normalised.Add(index, value = model.Transformer.FinalLayerNorm.Forward(Hidden(index)));
        return value;
    }

    /// <summary>
    /// The pooled embedding: the last hidden state of one token per prompt, through the projection if the model has one
    /// (<c>text_embeds</c>).
    /// </summary>
    /// <param name="end">That token's index, Int32 [n].</param>
    /// <returns>[n, width], or [n, projection width].</returns>
    public Value Pooled(Value end)
    {
        var last = Normalised(model.Config.Layers);
        var token = last.Graph.Add(new SelectToken(), last, end);
        return model.Projection is { } projection ? projection.Forward(token) : token;
    }
}
