using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Layers.Modules;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>The sum of each token's vector and its position's: transformers' CLIPTextEmbeddings.</summary>
internal sealed class ClipTextEmbeddings : Layer
{
    private readonly Embedding token, position;

    /// <summary>Declares <c>token_embedding</c> and <c>position_embedding</c>.</summary>
    public ClipTextEmbeddings(ClipTextConfig config)
    {
        token = Child("token_embedding", new Embedding(config.VocabSize, config.HiddenSize));
        position = Child("position_embedding", new Embedding(config.MaxPositions, config.HiddenSize));
    }

    /// <summary>Records the look-ups.</summary>
    /// <param name="ids">Token ids, Int32 [n, tokens].</param>
    /// <param name="positions">0, 1, 2 …, Int32 [tokens]: an input, so that one graph is enough for prompts of any length.</param>
    /// <returns>[n, tokens, width].</returns>
    public Value Forward(Value ids, Value positions) => Record(ids, () => token.Forward(ids) + position.Forward(positions));
}
