using System.Collections.Immutable;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>The tuning parameters of one kernel variant.</summary>
/// <param name="parameters">The parameters.</param>
/// <remarks>
/// A kernel reads its settings from the call that it is bound to (<see cref="OpCall.Settings"/>, and <see cref="OpSignature.Settings"/> for
/// its scratch memory). Settings of CPU kernels must not change a bit of the result: they may change its partition into parts, but not the
/// blocks of a sum. Tests check that for every CPU kernel. A GPU kernel whose tiles are type arguments selects a closed generic method,
/// which is compiled when it is first bound; <see cref="Allows"/> says which combinations exist. Its results may differ within the op's
/// tolerance: it sets <see cref="ChangesBits"/>.
/// </remarks>
public sealed class TuningSpace(params ImmutableArray<TuningParameter> parameters)
{
    /// <summary>No parameters.</summary>
    public static TuningSpace None { get; } = new();

    /// <summary>The parameters.</summary>
    public ImmutableArray<TuningParameter> Parameters => parameters;

    /// <summary>Whether settings may change how a result is rounded.</summary>
    public bool ChangesBits { get; init; }

    /// <summary>
    /// Whether a combination of settings exists and works for a call on a device (local memory, group size); true by default. Unrelated to
    /// speed.
    /// </summary>
    public Func<Device, OpSignature, KernelSettings, bool> Allows { get; init; } = static (_, _, _) => true;

    /// <summary>
    /// Untuned settings of a call, if they depend on the device or on sizes that the model fixes; by default every parameter's default. If
    /// settings select code, they should depend little on sizes that users choose, because each new image size would compile.
    /// </summary>
    public Func<Device, OpSignature, KernelSettings> Start { get; init; } = static (_, _) => KernelSettings.Default;

    /// <summary>
    /// Whether settings are valid for a call: every name is known, every value is one of the parameter's, and the combination is allowed.
    /// </summary>
    public bool Accepts(Device device, OpSignature signature, KernelSettings settings) =>
        settings.Values.All(v => parameters.Any(p => p.Name == v.Key && p.Values.Contains(v.Value))) && Allows(device, signature, settings);
}
