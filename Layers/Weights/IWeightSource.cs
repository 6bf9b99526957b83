using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Layers.Weights;

/// <summary>Where a model's weights come from.</summary>
public interface IWeightSource
{
    /// <summary>The file or folder, for messages.</summary>
    string Location { get; }

    /// <summary>Names of all tensors that a model should use.</summary>
    IEnumerable<string> Names { get; }

    /// <summary>A tensor in host memory, which stays valid as long as the source, or null when there is none of that name.</summary>
    Tensor? Find(string name);
}
