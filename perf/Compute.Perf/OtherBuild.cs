using System.Reflection;
using System.Runtime.Loader;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Measuring;

namespace ILGpuDiffusion.Compute.Perf;

/// <summary>
/// This program built from another commit, loaded beside this one, so that both builds are measured interleaved in one process.
/// </summary>
internal sealed class OtherBuild(string directory) : AssemblyLoadContext("other build")
{
    private const string Own = "ILGpuDiffusion.";
    private readonly string directory = Path.GetFullPath(directory);

    /// <summary>Binds a case in the other build, by calling <see cref="OwnRun"/> there.</summary>
    public Action Run(string op, string sizes, DType weights, int threads)
    {
        var program = LoadFromAssemblyPath(Path.Combine(directory, typeof(OtherBuild).Assembly.GetName().Name + ".dll"));
        var method = program.GetType(typeof(OtherBuild).FullName!)!.GetMethod(nameof(OwnRun), BindingFlags.Static | BindingFlags.Public)!;
        return (Action)method.Invoke(null, [op, sizes, weights.ToString(), threads])!;
    }

    /// <summary>Binds a case in this build.</summary>
    public static Action OwnRun(string op, string sizes, string weights, int threads)
    {
        var bound = new BoundCase(new CpuDevice(threads), ModelCases.Of(op, sizes, Enum.Parse<DType>(weights)), outputPadding: 0);
        return bound.Run;
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName) => assemblyName.Name!.StartsWith(Own, StringComparison.Ordinal)
        ? LoadFromAssemblyPath(Path.Combine(directory, assemblyName.Name + ".dll")) : null;
}
