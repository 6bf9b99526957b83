using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Translates C# kernels to PTX or OpenCL C. No type of the compiler's assembly is used here, so that a process whose artifacts all come
/// from the cache never loads it.
/// </summary>
internal static class KernelCompiler
{
    private static int compilations;
    private static long ticks;

    /// <summary>Number of kernels compiled by this process.</summary>
    public static int Compilations => Volatile.Read(ref compilations);

    /// <summary>All compile times of this process together.</summary>
    public static TimeSpan TotalTime => new(Volatile.Read(ref ticks));

    /// <summary>Translates a kernel. Thread-safe; the text depends on the arguments alone.</summary>
    /// <exception cref="KernelCompilationException">The kernel cannot be translated; the message names it, the target and the
    /// reason.</exception>
    public static KernelArtifact Compile(KernelSource source, GpuTarget target)
    {
        Interlocked.Increment(ref compilations);
        long start = Stopwatch.GetTimestamp();
        try
        {
            return Translate(source, target);
        }
        catch (Exception e) when (e is not KernelCompilationException)
        {
            throw new KernelCompilationException($"{source}: cannot be compiled for {target.Architecture}: {Innermost(e).Message}", e);
        }
        finally
        {
            Interlocked.Add(ref ticks, Stopwatch.GetElapsedTime(start).Ticks);
        }
    }

    // Not inlined: JIT-compiling this call is what loads the compiler's assembly.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static KernelArtifact Translate(KernelSource source, GpuTarget target) => IlgpuTranslator.Translate(source, target);

    private static Exception Innermost(Exception e) => e.InnerException is null ? e : Innermost(e.InnerException);
}

/// <summary>A kernel that cannot be translated: a mistake in the library, never in its use.</summary>
internal sealed class KernelCompilationException(string message, Exception? inner = null) : Exception(message, inner);
