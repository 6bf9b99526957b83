namespace ILGpuDiffusion.Layers.Graphs;

/// <summary>The unit of compilation. Results are the same bit for bit; passes do not cross the borders of a unit.</summary>
public enum CompileScope
{
    /// <summary>The whole model as one graph: the most fusion. <c>torch.compile(model)</c>.</summary>
    Full,

    /// <summary>
    /// The classes that the model lists as its repeated blocks, once per distinct signature; everything else runs as recorded. Diffusers'
    /// <c>compile_repeated_blocks</c>. A model that lists none is compiled as a whole.
    /// </summary>
    Blocks,

    /// <summary>
    /// Repeated parts are detected and compiled once per distinct signature, and the rest separately. Accelerate's <c>compile_regions</c>.
    /// </summary>
    Regions,
}
