using System.Text.Json.Serialization;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>A model that a pack was made for.</summary>
/// <param name="Name">The model's name, for people.</param>
/// <param name="PipelineClass">Its pipeline class, such as <c>StableDiffusionXLPipeline</c>.</param>
/// <param name="DType">Type that it computes in, such as <c>Float16</c>.</param>
/// <param name="Options">Compilation and quantization, in words.</param>
/// <param name="Architecture">Hash of its computation as traced, with the types of stored weights: models that differ only in the values of
/// their weights share it.</param>
/// <param name="Plans">The plans whose kernels the pack has: graph and sizes.</param>
public sealed record PackedModel(string Name, string PipelineClass, [property: JsonPropertyName("dtype")] string DType, string Options,
    string Architecture, IReadOnlyList<string> Plans);

/// <summary>The head of a pack: everything but texts and binaries.</summary>
/// <param name="Library">Version of the library that made it.</param>
/// <param name="Models">The models.</param>
/// <param name="Targets">The devices.</param>
/// <param name="Blobs">Sizes in bytes of the texts and binaries that follow, in order.</param>
internal sealed record PackManifest(string Library, IReadOnlyList<PackedModel> Models, IReadOnlyList<PackManifestTarget> Targets,
    IReadOnlyList<int> Blobs)
{
    /// <summary>Whether every value is there.</summary>
    public bool IsSound => Library is not null && Models is not null && Targets is not null && Blobs is not null
        && Models.All(m => m is
        {
            Name: not null, PipelineClass: not null, DType: not null, Options: not null, Architecture: not null,
            Plans: not null
        } && m.Plans.All(plan => plan is not null))
        && Targets.All(t => t is { IsSound: true });
}

/// <summary>What a pack has for one kind of device.</summary>
/// <param name="Kind">cuda, opencl or cpu.</param>
/// <param name="Architecture">The architecture of its code, such as <c>sm_80</c>.</param>
/// <param name="Features">What else the code depends on.</param>
/// <param name="Device">The device at hand when it was made; empty for none.</param>
/// <param name="Kernels">The kernels.</param>
/// <param name="Choices">The variant and tiles of each size class.</param>
internal sealed record PackManifestTarget(string Kind, string Architecture, string Features, string Device,
    IReadOnlyList<PackManifestKernel> Kernels, IReadOnlyList<TuningEntry> Choices)
{
    /// <summary>Whether every value is there.</summary>
    public bool IsSound => Kind is not null && Architecture is not null && Features is not null && Device is not null
        && Kernels is not null && Choices is not null && Kernels.All(kernel => kernel is { IsSound: true })
        && Choices.All(choice => choice is { IsSoundChoice: true });
}

/// <summary>One kernel of a pack.</summary>
/// <param name="Id">Hash of its identity: code, settings and compiler.</param>
/// <param name="Name">Its name, for people.</param>
/// <param name="Entry">Its name in the text.</param>
/// <param name="Parameters">Kind and bytes of each parameter: <c>v4 i4 l8 f4</c>.</param>
/// <param name="Shared">Shared memory in bytes.</param>
/// <param name="Group">Work items per group.</param>
/// <param name="Text">Index of its text.</param>
/// <param name="Binary">Index of its driver binary, if there is one.</param>
/// <param name="Driver">The driver that the binary is for.</param>
internal sealed record PackManifestKernel(string Id, string Name, string Entry, string Parameters, int Shared, int Group, int Text,
    int? Binary = null, string? Driver = null)
{
    /// <summary>Whether every value is there and possible.</summary>
    public bool IsSound => Id is not null && Name is not null && Parameters is not null && Shared is >= 0 and <= 1 << 24
        && Group is > 0 and <= 1 << 16 && Text >= 0 && Binary is null or >= 0 && Entry is { Length: > 0 and <= 1024 }
        && Entry.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '$');
}

/// <summary>JSON of manifests, generated at build time: trimmed programs have no reflection for it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IgnoreReadOnlyProperties = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PackManifest))]
internal sealed partial class PackJson : JsonSerializerContext;
