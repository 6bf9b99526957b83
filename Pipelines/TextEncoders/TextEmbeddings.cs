using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>Prompt embeddings from text encoders, in host memory: a few hundred kilobytes that are uploaded once.</summary>
/// <param name="Count">Number of prompts, n.</param>
/// <param name="Tokens">Tokens per prompt, padding included.</param>
/// <param name="Hidden">The token embeddings, [n, tokens, width].</param>
/// <param name="Pooled">One embedding per prompt, [n, pooled width]; empty when none was requested.</param>
internal sealed record TextEmbeddings(int Count, int Tokens, float[] Hidden, float[] Pooled)
{
    /// <summary>
    /// Both encoders' token embeddings concatenated, as for SDXL: [n, tokens, width + other width]. The pooled embeddings are concatenated
    /// too; where only one side has any, they are used unchanged.
    /// </summary>
    /// <exception cref="ShapeException">The numbers of prompts or tokens differ.</exception>
    public TextEmbeddings Beside(TextEmbeddings other)
    {
        ShapeException.ThrowUnless((other.Count, other.Tokens) == (Count, Tokens), "text_embeddings", "the second encoder's result",
            $"[{other.Count}, {other.Tokens}, …]", $"[{Count}, {Tokens}, …] like the first's");
        return this with { Hidden = Columns(Hidden, other.Hidden, Count * Tokens), Pooled = Columns(Pooled, other.Pooled, Count) };
    }

    private static float[] Columns(float[] left, float[] right, int rows)
    {
        var joined = new float[left.Length + right.Length];
        int leftWidth = left.Length / rows, rightWidth = right.Length / rows, width = leftWidth + rightWidth;
        for (int row = 0; row < rows; row++)
        {
            left.AsSpan(row * leftWidth, leftWidth).CopyTo(joined.AsSpan(row * width));
            right.AsSpan(row * rightWidth, rightWidth).CopyTo(joined.AsSpan(row * width + leftWidth));
        }

        return joined;
    }
}
