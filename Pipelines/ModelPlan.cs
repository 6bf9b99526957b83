using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>A compiled plan of a model: what the device runs for one step, or for decoding one image.</summary>
/// <param name="Name"><c>denoiser</c> or <c>decoder</c>.</param>
/// <param name="Size">Size of the image.</param>
/// <param name="Guided">Whether the plan evaluates negative prompts too.</param>
/// <param name="Compilation">How the graph was compiled.</param>
/// <param name="Report">The plan's steps, with the least time of each where the device's ceilings are known, and measured times where they
/// were asked for.</param>
/// <param name="Plain">The plan of the graph as recorded, without any pass.</param>
public sealed record ModelPlan(string Name, PixelSize Size, bool Guided, CompileReport Compilation, PlanReport Report, PlanReport Plain);
