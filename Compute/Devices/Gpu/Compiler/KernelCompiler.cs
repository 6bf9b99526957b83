using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// Translates C# kernels to PTX or OpenCL C. No type of the compiler's assembly is used here, so that a process whose artifacts all come
/// from the cache never loads it.
/// </summary>
internal static class KernelCompiler
{
    private static readonly ConcurrentQueue<CompileTime> Log = new();
    private static int compilations;

    /// <summary>Number of kernels compiled by this process.</summary>
    public static int Compilations => Volatile.Read(ref compilations);

    /// <summary>Compiled kernels with their compile times, in order.</summary>
    public static IReadOnlyCollection<CompileTime> Times => Log;

    /// <summary>Total compile time of this process.</summary>
    public static TimeSpan TotalTime => new(Log.Sum(t => t.Time.Ticks));

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
            Log.Enqueue(new CompileTime(source.ToString(), target.Architecture, Stopwatch.GetElapsedTime(start)));
        }
    }

    // Not inlined: JIT-compiling this call is what loads the compiler's assembly.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static KernelArtifact Translate(KernelSource source, GpuTarget target) => IlgpuTranslator.Translate(source, target);

    private static Exception Innermost(Exception e) => e.InnerException is null ? e : Innermost(e.InnerException);
}

/// <summary>One compilation.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Architecture">Target architecture.</param>
/// <param name="Time">Compile time.</param>
internal readonly record struct CompileTime(string Kernel, string Architecture, TimeSpan Time);

/// <summary>A kernel that cannot be translated: an error in the library, never in its use.</summary>
internal sealed class KernelCompilationException(string message, Exception? inner = null) : Exception(message, inner);
