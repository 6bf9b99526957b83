namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>How much of a model is compiled at a time. Results are the same to the bit; a pass does not reach across the border of what is compiled by itself.</summary>
public enum CompileScope
{
    /// <summary>The whole model as one graph: the most fusion. <c>torch.compile(model)</c>.</summary>
    Full,

    /// <summary>The classes that the model lists as its repeated blocks, once per distinct signature; everything else runs as recorded. Diffusers' <c>compile_repeated_blocks</c>. A model that lists none is compiled whole.</summary>
    Blocks,

    /// <summary>Repeated parts are found and compiled once per distinct signature, the rest by itself. Accelerate's <c>compile_regions</c>.</summary>
    Regions,
}
