using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Tokenizers;

namespace ILGpuDiffusion.Pipelines.TextEncoders;

/// <summary>
/// A CLIP text encoder ready to run. It is compiled on first use, once per kind of result; further batch sizes and prompt lengths only need
/// plans. Thread-safe.
/// </summary>
/// <param name="model">The loaded model.</param>
/// <param name="arenas">Memory of the device that it runs on.</param>
/// <param name="name">For logs and messages: <c>text_encoder</c>, <c>text_encoder_2</c>.</param>
/// <param name="options">How its graphs are compiled; null for all passes.</param>
/// <param name="dtype">The type that the model computes in; embeddings are always Float32.</param>
internal sealed class ClipTextEncoder(ClipTextModel model, ArenaPool arenas, string name = "text_encoder", CompileOptions? options = null,
    DType dtype = DType.Float32)
{
    private readonly GraphCache<(ClipHiddenState State, bool Pooled)> graphs = new(WithOptions(model, options), arenas);
    private readonly EmbeddingCache kept = new(arenas.Device);

    /// <summary>The model's configuration.</summary>
    public ClipTextConfig Config => model.Config;

    /// <summary>The graphs compiled so far.</summary>
    public IEnumerable<CompiledGraph> Compiled => graphs.Compiled;

    /// <summary>Encodes token ids; equal ids are encoded once, as long as the result is kept.</summary>
    /// <param name="ids">Token ids, [count, tokens].</param>
    /// <param name="count">Number of prompts.</param>
    /// <param name="state">Which hidden state to return.</param>
    /// <param name="pooled">Whether to return the pooled embedding (<c>text_embeds</c> if the model has a projection); needs every
    /// layer.</param>
    /// <param name="scope">Owns the result, which stays on the device.</param>
    /// <param name="cancellation">Checked between kernels.</param>
    /// <exception cref="ShapeException">No prompt, prompts of different length or longer than the model supports, or a state that the model
    /// does not have.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    /// <exception cref="NonFiniteException">The model computed NaN or infinity; checked only where results are in host memory, since
    /// nothing is read back here.</exception>
    public TextEmbeddings Encode(ReadOnlySpan<int> ids, int count, ClipHiddenState state, bool pooled, DeviceScope scope,
        CancellationToken cancellation = default)
    {
        int tokens = Check(ids.Length, count, state);
        foreach (int id in ids) // GPU kernels do not check ids
            if (id < 0 || id >= Config.VocabSize)
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"{name}: ids must be 0 to {Config.VocabSize - 1}.");
        var key = new EmbeddingKey(new ValueArray<int>([.. ids]), count, state, pooled);
        if (kept.Find(key, scope, cancellation) is { } found) return found;
        using var plan = Compile(state, pooled).Rent(new Sizes(("batch", count), ("tokens", tokens)), cancellation: cancellation);
        Upload(ids, plan.Input("ids"));
        Upload([.. Enumerable.Range(0, tokens)], plan.Input("positions"));
        if (pooled) Upload(EndPositions(ids, count), plan.Input("end"));
        plan.Run(cancellation);
        var result = new TextEmbeddings(Checked(plan.Output("hidden")), pooled ? Checked(plan.Output("pooled")) : null);
        kept.Add(key, result, cancellation);
        return result.CopyTo(scope, cancellation);
    }

    /// <summary>Frees the kept results.</summary>
    public void Trim() => kept.Clear();

    /// <summary>The graph for one kind of result.</summary>
    public CompiledGraph Compile(ClipHiddenState state, bool pooled) => graphs.Get((state, pooled), _ => Graph.Trace(name, graph =>
    {
        Dim batch = Dim.Symbol("batch"), tokens = Dim.Symbol("tokens");
        var trace = model.Trace(graph.Input("ids", DType.Int32, batch, tokens), graph.Input("positions", DType.Int32, tokens), dtype);
        int index = Config.Layers - state.Skip;
        graph.Output("hidden", Functional.Cast(state.FinalNorm ? trace.Normalised(index) : trace.Hidden(index), DType.Float32));
        if (pooled) graph.Output("pooled", Functional.Cast(trace.Pooled(graph.Input("end", DType.Int32, batch)), DType.Float32));
    }));

    private static ClipTextModel WithOptions(ClipTextModel model, CompileOptions? options)
    {
        model.Compile(options);
        return model;
    }

    private int Check(int ids, int count, ClipHiddenState state)
    {
        ShapeException.ThrowUnless(count > 0 && ids > 0 && ids % count == 0, name, "ids", $"{ids} for {count} prompt(s)",
            "the same positive number for every prompt");
        ShapeException.ThrowUnless(ids / count <= Config.MaxPositions, name, "the prompt's length", $"{ids / count} tokens",
            $"at most {Config.MaxPositions}");
        ShapeException.ThrowUnless(state.Skip >= 0 && state.Skip <= Config.Layers, name, "the number of layers left out (clip skip)",
            state.Skip, $"0 to {Config.Layers}");
        return ids / count;
    }

    /// <summary>Throws for a value that is not finite, where values can be seen without a read-back.</summary>
    private Tensor Checked(Tensor embeddings) =>
        arenas.Device.ReadsHostMemory && NotFinite.IndexIn(embeddings.Span<float>()) is >= 0 and var bad
            ? throw NotFinite.Error(name, dtype, embeddings.Span<float>()[bad], "in the prompt's embeddings") : embeddings;

    private int[] EndPositions(ReadOnlySpan<int> ids, int count)
    {
        var end = new int[count];
        int tokens = ids.Length / count;
        for (int i = 0; i < count; i++) end[i] = PromptTokens.EndPosition(ids.Slice(i * tokens, tokens), Config.EosTokenId);
        return end;
    }

    private void Upload(ReadOnlySpan<int> values, Tensor target) => arenas.Device.Upload(MemoryMarshal.AsBytes(values), target);
}
