using System.Collections.Immutable;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>What can be set about one kernel variant.</summary>
/// <param name="parameters">Its coordinates.</param>
/// <remarks>
/// A kernel reads its settings from the call that it is bound to (<see cref="OpCall.Settings"/>, and <see cref="OpSignature.Settings"/> for its working memory). Those of a CPU kernel must
/// not change a bit of the result: they may cut a result into other parts, but not a sum into other blocks. Tests hold every CPU kernel to that.
/// A GPU kernel whose tiles are type arguments picks the closed generic method that they name, which is compiled when it is first bound, and says with <see cref="Allows"/> which
/// combinations exist. Its results may differ within the op's tolerance: it sets <see cref="ChangesBits"/>.
/// </remarks>
public sealed class TuningSpace(params ImmutableArray<TuningParameter> parameters)
{
    /// <summary>Nothing to set.</summary>
    public static TuningSpace None { get; } = new();

    /// <summary>The coordinates.</summary>
    public ImmutableArray<TuningParameter> Parameters => parameters;

    /// <summary>Whether settings may change how a result is rounded.</summary>
    public bool ChangesBits { get; init; }

    /// <summary>Whether settings exist, and work for a call on a device (its local memory, its groups' sizes); yes unless set. Says nothing about speed.</summary>
    public Func<Device, OpSignature, KernelSettings, bool> Allows { get; init; } = static (_, _, _) => true;

    /// <summary>
    /// What holds for a call until something better was measured, where that depends on the device or on what the model fixes; every parameter's default unless set. It should depend
    /// little on sizes that the user chooses where settings choose code: another image size would compile.
    /// </summary>
    public Func<Device, OpSignature, KernelSettings> Start { get; init; } = static (_, _) => KernelSettings.Default;

    /// <summary>Whether settings can be used for a call: every name is known, every value is one of the parameter's, and the combination is allowed.</summary>
    public bool Accepts(Device device, OpSignature signature, KernelSettings settings) =>
        settings.Values.All(v => parameters.Any(p => p.Name == v.Key && p.Values.Contains(v.Value))) && Allows(device, signature, settings);
}
