using System.Reflection;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// Wraps a driver: records every call, tracks what was created and not yet freed, and makes calls fail on request.
/// </summary>
public class DriverSpy : DispatchProxy
{
    private readonly Dictionary<(string Kind, nint Handle), string> live = [];
    private readonly Lock gate = new();
    private object inner = null!;

    /// <summary>
    /// Pairs of functions that create and free. A handle is the last argument of the first and the first of the second.
    /// </summary>
    private static readonly (string Creates, string Frees)[] Pairs =
    [
        ("CreateContext", "ReleaseContext"), ("CreateCommandQueue", "ReleaseCommandQueue"), ("CreateBuffer", "ReleaseMemObject"),
            ("CreateSubBuffer", "ReleaseMemObject"),
        ("CreateProgramWithSource", "ReleaseProgram"), ("CreateProgramWithBinary", "ReleaseProgram"), ("CreateKernel", "ReleaseKernel"),
            ("EnqueueMarker", "ReleaseEvent"), ("EnqueueTimedKernel", "ReleaseEvent"),
        ("DevicePrimaryCtxRetain", "DevicePrimaryCtxRelease"), ("StreamCreate", "StreamDestroy"), ("EventCreate", "EventDestroy"),
            ("MemAlloc", "MemFree"), ("MemAllocAsync", "MemFree"),
        ("MemHostAlloc", "MemFreeHost"), ("ModuleLoadDataEx", "ModuleUnload"), ("LinkCreate", "LinkDestroy"),
            ("StreamEndCapture", "GraphDestroy"), ("GraphInstantiate", "GraphExecDestroy"),
    ];

    /// <summary>Device memory may be freed by either function, however it was allocated.</summary>
    private static string Freeing(string function) => function == "MemFreeAsync" ? "MemFree" : function;

    /// <summary>Every call so far, by the function's name.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>The number of the call that fails, from 1; 0 for none.</summary>
    public int FailAt { get; set; }

    /// <summary>
    /// The call of a function that fails, from 1. Its number among all calls depends on other threads.
    /// </summary>
    public (string Function, int Occurrence)? FailAtOccurrence { get; set; }

    /// <summary>Whether all calls after the first failing one fail, as after a crash or a reset.</summary>
    public bool FailsOn { get; set; }

    /// <summary>The function whose calls all fail; null for none.</summary>
    public string? FailIn { get; set; }

    /// <summary>The function of which only the next call fails; null for none.</summary>
    public string? FailOnceIn { get; set; }

    /// <summary>The code that a failing call returns.</summary>
    public int Error { get; set; } = 999;

    /// <summary>The first function that was made to fail.</summary>
    public string? Failed { get; private set; }

    /// <summary>Double frees and uses after free, as far as spy and driver detect them.</summary>
    public List<string> Misuses { get; } = [];

    /// <summary>Resources that were created and not freed.</summary>
    public IReadOnlyCollection<string> Live
    {
        get
        {
            lock (gate) return [.. live.Values];
        }
    }

    /// <summary>Wraps a driver; returns the wrapped driver and the spy.</summary>
    public static (T Api, DriverSpy Spy) Watch<T>(T driver) where T : class
    {
        var api = Create<T, DriverSpy>();
        var spy = (DriverSpy)(object)api;
        spy.inner = driver;
        return (api, spy);
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        lock (gate)
        {
            string name = targetMethod!.Name;
            Calls.Add(name);
            bool fails = Calls.Count == FailAt || IsThatOccurrence(name) || (FailsOn && Failed is not null) || name == FailIn
                || name == FailOnceIn, frees = Pairs.Any(p => p.Frees == Freeing(name));
            if (name == FailOnceIn) FailOnceIn = null;
            if (fails) Failed ??= name;
            // Freeing counts even if the driver reports a failure, because callers cannot do more.
            if (frees && !live.Remove((Freeing(name), Handle(args![0]))))
                Misuses.Add($"call {Calls.Count}, {name}: what is freed is not there");
            if (fails)
            {
                // Memory of a test's driver is freed even so, and a lost device does nothing more.
                if (frees || name is "Finish" or "WaitForEvent" or "StreamSynchronize" or "EventSynchronize")
                    targetMethod.Invoke(inner, args);
                var parameters = targetMethod.GetParameters();
                for (int i = 0; i < args!.Length; i++)
                    if (parameters[i].IsOut) args[i] = Activator.CreateInstance(parameters[i].ParameterType.GetElementType()!);
                return Error;
            }

            object? result = targetMethod.Invoke(inner, args);
            if (IsMisuse(name, (int)result!, frees)) Misuses.Add($"call {Calls.Count}, {name}: the driver answers {result}");
            foreach (var pair in Pairs.Where(p => p.Creates == name && Equals(result, 0)))
                live[(pair.Frees, Handle(name == "DevicePrimaryCtxRetain" ? args![0] : args!.Last(a => a is nint)))] = name;
            return result;
        }
    }

    private bool IsThatOccurrence(string name) =>
        FailAtOccurrence is var (function, occurrence) && name == function && Calls.Count(c => c == name) == occurrence;

    // The driver itself was not made to fail: what it says of handles, addresses and frees is true, unless it was kept from what came
    // before.
    private bool IsMisuse(string name, int answer, bool frees) =>
        Failed is null && answer != 0 && (frees || (answer is 201 or 400 or 600 or 700 && inner is ICuda));

    private static nint Handle(object? value) => value is nint handle ? handle : (int)value!;
}
