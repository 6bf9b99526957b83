using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Reflection;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// ILGPU used as a compiler only: no driver is loaded and no accelerator created. Each translation has its own context, because within one
/// context the text of a kernel depends on those compiled before, and after a failure the context is unusable.
/// </summary>
internal static class IlgpuTranslator
{
    // O1 would leave generic pointers in OpenCL C, which many devices do not support.
    private static Context NewContext() => Context.Create(builder =>
    {
        IntrinsicTable.Register(builder);
        builder.Optimize(OptimizationLevel.O2).EnableAlgorithms().Inlining(InliningMode.Aggressive);
    });

    // ILGPU looks up the replacements of these classes' methods by reflection, all of them before the first kernel.
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(Math))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(MathF))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(BitOperations))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(Interlocked))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(Debug))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(float))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicMethods, typeof(double))]
    public static KernelArtifact Translate(KernelSource source, GpuTarget target)
    {
        IlgpuInternals.Check();
        using var context = NewContext();
        using var backend = NewBackend(context, target);
        var hook = new TranslationHook(source.Unroll && !target.IsCpu);
        var kernel = backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(source.Method),
            new KernelSpecialization(source.GroupSize, source.GroupsPerProcessor > 0 ? source.GroupsPerProcessor : null), hook);
        string text = kernel switch
        {
            PTXCompiledKernel ptx => PtxText.Patch(ptx.PTXAssembly),
            CLCompiledKernel cl => OpenClText.Patch(cl.Source, source.GroupSize, target.Features),
            _ => throw new InvalidOperationException($"kernel: {kernel.GetType()} is unknown."),
        };
        return new(target.Language, kernel.Name, text, null, Parameters(source.Method), hook.SharedBytes, source.GroupSize);
    }

    private static Backend NewBackend(Context context, GpuTarget target)
    {
        if (target.Language == GpuLanguage.OpenCl)
        {
            // Only generic pointers are assumed; the optimiser replaces them by global and local ones, and the patcher checks that it did.
            var capabilities = new CLCapabilityContext(float16: false, float64: false, genericAddressSpace: true, int64_Atomics: false,
                subGroups: false);
            return new CLBackend(context, capabilities, CLDeviceVendor.Other, CLBackend.MinimumVersion);
        }

        var (architecture, instructions) = PtxVersion.Of(target.Architecture);
        var cuda = new CudaCapabilityContext(architecture);
        IlgpuInternals.SetTargetArchitecture(cuda, architecture);
        return new PTXBackend(context, cuda, architecture, instructions, null);
    }

    /// <summary>What a kernel is given, as its C# parameters say.</summary>
    internal static ImmutableArray<KernelParameter> Parameters(MethodInfo method) => [.. method.GetParameters().Select(parameter =>
        parameter.ParameterType switch
        {
            { IsGenericType: true } t when t.GetGenericTypeDefinition() == typeof(ArrayView<>) =>
                new KernelParameter(KernelParameterKind.View, System.Runtime.InteropServices.Marshal.SizeOf(t.GetGenericArguments()[0])),
            var t when t == typeof(int) => new KernelParameter(KernelParameterKind.Int32, sizeof(int)),
            var t when t == typeof(long) => new KernelParameter(KernelParameterKind.Int64, sizeof(long)),
            var t when t == typeof(float) => new KernelParameter(KernelParameterKind.Single, sizeof(float)),
            var t => throw new KernelCompilationException(
                $"{method.DeclaringType?.Name}.{method.Name}: parameter {parameter.Name} is {t.Name}; "
                + "kernels take ArrayView<T>, int, long and float."),
        })];
}
