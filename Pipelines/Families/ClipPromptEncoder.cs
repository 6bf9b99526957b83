using ILGpuDiffusion.Pipelines.TextEncoders;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.Families;

/// <summary>A CLIP text encoder with its tokenizer.</summary>
internal sealed record ClipPromptEncoder(ClipTokenizer Tokenizer, ClipTextEncoder Encoder)
{
    /// <summary>The encoder's configuration.</summary>
    public ClipTextConfig Config => Encoder.Config;

    /// <summary>Encodes prompts; text that does not fit is left out with a warning.</summary>
    public TextEmbeddings Encode(IReadOnlyList<string> prompts, ClipHiddenState state, bool pooled, EncodeContext context)
    {
        PromptTokens[] tokens = [.. prompts.Select(Tokenizer.Encode)];
        context.Warn(tokens.Select(t => t.Warning));
        return Encoder.Encode([.. tokens.SelectMany(t => t.Ids)], prompts.Count, state, pooled, context.Scope, context.Cancellation);
    }
}
