using System.Runtime.InteropServices;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Pipelines.Families;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines;

/// <summary>
/// What a request gives the denoiser besides latents and timestep, by input name, on the device: for each the entries of the batch, the
/// negative prompts' first, each prompt's once per image.
/// </summary>
internal static class RequestConditioning
{
    /// <summary>Encodes the request's prompts, or takes its embeddings.</summary>
    public static Dictionary<string, IReadOnlyList<Tensor>> Of(DiffusionModel model, ResolvedRequest form, EncodeContext context)
    {
        var result = new Dictionary<string, IReadOnlyList<Tensor>>();
        foreach (bool negative in form.Guided ? [true, false] : new[] { false })
        {
            foreach (var (name, tensor) in Embeddings(model, form, negative, context))
                Append(name, Enumerable.Range(0, form.Images).Select(i => tensor.Slice(i / form.Request.Count, 1)));
            foreach (var (name, numbers) in model.Numbers(form.Request, form.Size, negative))
                Append(name, Enumerable.Repeat(context.Scope.Upload(numbers, [1, numbers.Length]), form.Images));
        }

        return result;

        void Append(string name, IEnumerable<Tensor> entries) => result[name] = [.. result.GetValueOrDefault(name, []), .. entries];
    }

    /// <summary>The encoded prompts in host memory.</summary>
    public static PromptEmbeddings Download(DiffusionModel model, ResolvedRequest form, Device device, CancellationToken cancellation)
    {
        using var scope = new DeviceScope(device);
        var context = new EncodeContext(scope, [], cancellation);
        return new PromptEmbeddings(Side(false), form.Guided ? Side(true) : null);

        Dictionary<string, HostTensor> Side(bool negative) => Embeddings(model, form, negative, context).ToDictionary(e => e.Key, e =>
        {
            var values = new float[e.Value.Shape.Count];
            device.Download(e.Value, MemoryMarshal.AsBytes(values.AsSpan()));
            return new HostTensor([.. e.Value.Shape.Sizes], values);
        });
    }

    private static IReadOnlyDictionary<string, Tensor> Embeddings(DiffusionModel model, ResolvedRequest form, bool negative,
        EncodeContext context)
    {
        var request = form.Request;
        if (request.Embeddings is { } given)
            return (negative ? given.Negative! : given.Prompt).ToDictionary(e => e.Key,
                e => context.Scope.Upload(e.Value.Values, Shape.Create([.. e.Value.Shape])));
        int count = form.Prompts;
        // as in diffusers, clip skip applies to the prompt only
        return model.Encode(negative
            ? new PromptBatch(ResolvedRequest.PerPrompt(request.NegativePrompts, [], count),
                ResolvedRequest.PerPrompt(request.NegativePrompts2, request.NegativePrompts, count), 0, Negative: true,
                Given: request.NegativePrompts.Count > 0 || request.NegativePrompts2.Count > 0)
            : new PromptBatch(request.Prompts, ResolvedRequest.PerPrompt(request.Prompts2, request.Prompts, count), request.ClipSkip,
                Negative: false, Given: true), context);
    }
}
