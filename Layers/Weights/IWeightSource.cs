using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>A source of model weights.</summary>
public interface IWeightSource
{
    /// <summary>The file or folder, for messages.</summary>
    string Location { get; }

    /// <summary>Names of all tensors that a model should use.</summary>
    IEnumerable<string> Names { get; }

    /// <summary>A tensor in host memory, valid as long as the source; null if there is none with that name.</summary>
    Tensor? Find(string name);

    /// <summary>The name in the file of a tensor that is renamed, present or not, for messages; null if the name is the file's.</summary>
    string? StoredNameOf(string name) => null;
}
