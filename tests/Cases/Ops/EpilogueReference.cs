using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>Epilogues in float64, and their arguments.</summary>
internal static class EpilogueReference
{
    /// <summary>y = f(z + e) · scale + r, with z as given and the further arguments last.</summary>
    public static double[] Apply(Epilogue epilogue, double[] z, ReferenceTensor[] inputs, Shape output)
    {
        ReferenceTensor? e = epilogue.BatchBias ? inputs[^epilogue.Arguments] : null, r = epilogue.Residual ? inputs[^1] : null;
        int rowsPerEntry = output.Rows / (e?.Rows ?? 1);
        double[] y = new double[z.Length];
        for (int i = 0; i < y.Length; i++)
        {
            double value = z[i];
            if (e is not null) value += e.Row(i / output.Last / rowsPerEntry)[i % output.Last];
            if (epilogue.Activation is { } f) value = UnaryCases.Apply(f, value);
            y[i] = value * (epilogue.Scale ?? 1) + (r?.Values[i] ?? 0);
        }

        return y;
    }

    /// <summary>Normal arguments for a result; the residual is a column view.</summary>
    public static CaseTensor[] Arguments(Epilogue epilogue, Shape output)
    {
        var arguments = new List<CaseTensor>();
        int[] entry = [output[0], .. Enumerable.Repeat(1, output.Rank - 2), output.Last];
        if (epilogue.BatchBias) arguments.Add(CaseTensor.Normal(Shape.Create(entry), 11, padding: 5));
        if (epilogue.Residual) arguments.Add(CaseTensor.Normal(output, 12, padding: 7));
        return [.. arguments];
    }

    /// <summary>Every part alone, and all together.</summary>
    public static IEnumerable<(string Name, Epilogue Epilogue)> All =>
    [
        ("entry", new(BatchBias: true)), ("silu", new(Activation: UnaryFunction.Silu)), ("gelu", new(Activation: UnaryFunction.Gelu)),
        ("tanh gelu", new(Activation: UnaryFunction.GeluTanh)), ("quick gelu", new(Activation: UnaryFunction.QuickGelu)),
            ("scale", new(Scale: -0.75)),
        ("residual", new(Residual: true)), ("all", new(true, UnaryFunction.Silu, 1.5, true)),
    ];
}
