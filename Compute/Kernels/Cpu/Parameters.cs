using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>
/// Per-channel parameters as float32: read in place if they are stored so, else widened into scratch memory before each run (they may be
/// results of other ops).
/// </summary>
internal readonly unsafe struct Parameters
{
    private readonly Tensor? tensor;
    private readonly float* widened;

    private Parameters(Tensor? tensor, float* widened)
    {
        this.tensor = tensor;
        this.widened = widened;
    }

    /// <summary>The floats, or null when the parameters are absent.</summary>
    public float* Values => tensor is null || tensor.DType != DType.Float32 ? widened : tensor.Pointer<float>();

    /// <summary>Scratch bytes for the arguments from <paramref name="first"/> on.</summary>
    public static long ScratchBytes(OpSignature signature, int first)
    {
        long floats = 0;
        for (int i = first; i < signature.Inputs.Length; i++) floats += Floats(signature.Inputs[i]);
        return floats * sizeof(float);
    }

    /// <summary>
    /// The argument number <paramref name="index"/>, with the same <paramref name="first"/> as in <see cref="ScratchBytes"/>; its scratch
    /// begins <paramref name="offset"/> bytes into the call's.
    /// </summary>
    public static Parameters Of(OpCall call, int index, int first, long offset = 0)
    {
        if (index >= call.Inputs.Length) return default;
        float* scratch = call.Scratch is null ? null : (float*)(call.Scratch.Pointer<byte>() + offset);
        for (int i = first; i < index; i++) scratch += Floats(call.Inputs[i].Type);
        return new Parameters(call.Inputs[index], scratch);
    }

    /// <summary>Widens the values if needed. Called before each run.</summary>
    public void Prepare()
    {
        if (tensor is not null && tensor.DType != DType.Float32)
            FloatConversion.Widen(tensor.Pointer<byte>(), tensor.DType, widened, tensor.Width);
    }

    private static int Floats(TensorType type) => type.DType == DType.Float32 ? 0 : type.Last.Constant ?? 0;
}
