namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>An op that can finish its result before it writes it.</summary>
public interface IHasEpilogue
{
    /// <summary>What is done to the result.</summary>
    Epilogue Epilogue { get; }

    /// <summary>The same op with another epilogue.</summary>
    /// <param name="epilogue">What is done to the result instead.</param>
    Op With(Epilogue epilogue);
}
