using ILGpuDiffusion.Compute.Files;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Pipelines.Checkpoints;

/// <summary>How a model's tensor lies in a stored one.</summary>
internal enum TensorForm
{
    /// <summary>As stored.</summary>
    Whole,

    /// <summary>The first third of the rows: queries of a fused projection.</summary>
    FirstThird,

    /// <summary>The second third of the rows: keys of a fused projection.</summary>
    SecondThird,

    /// <summary>The last third of the rows: values of a fused projection.</summary>
    LastThird,

    /// <summary>[in, out] for a matrix [out, in].</summary>
    Transposed,

    /// <summary>A convolution of one pixel [out, in, 1, 1] for a matrix [out, in].</summary>
    OnePixel,
}

/// <summary>Shapes and views of each form.</summary>
internal static class TensorForms
{
    /// <summary>The shape of the model's tensor; null where the stored one cannot have this form.</summary>
    public static Shape? Of(this TensorForm form, Shape stored) => form switch
    {
        TensorForm.FirstThird or TensorForm.SecondThird or TensorForm.LastThird =>
            stored.Rank > 0 && stored[0] > 0 && stored[0] % 3 == 0
                ? Shape.Create([stored[0] / 3, .. stored.Sizes.ToArray().Skip(1)]) : null,
        TensorForm.Transposed => stored.Rank == 2 ? Shape.Create([stored[1], stored[0]]) : null,
        TensorForm.OnePixel => stored.Rank > 2 && stored.Sizes.ToArray().Skip(2).All(size => size == 1)
            ? Shape.Create([stored[0], stored[1]]) : stored,
        _ => stored,
    };

    /// <summary>Which third of the rows a form is, counted from 0.</summary>
    public static int Third(this TensorForm form) => form - TensorForm.FirstThird;

    /// <exception cref="ModelFileException">Always: the stored tensor cannot have the form.</exception>
    public static ModelFileException Wrong(this TensorForm form, string file, string name, Shape stored) =>
        new(file, $"tensor {OutsideText.Quote(name)} has the shape {stored}; it must "
            + (form == TensorForm.Transposed ? "be a matrix." : "have three equal parts of rows: queries, keys and values."))
        { Tensor = name };
}
