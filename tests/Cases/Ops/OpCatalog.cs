using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Cases;

/// <summary>All ops and their cases, found by reflection, so that a new op needs no entry in a list.</summary>
public static class OpCatalog
{
    /// <summary>Every op record of Compute.</summary>
    public static IReadOnlyList<Type> Ops { get; } =
        [.. typeof(Op).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Op)) && !t.IsAbstract)
            .OrderBy(t => t.Name, StringComparer.Ordinal)];

    /// <summary>The case class of each op that has one.</summary>
    public static IReadOnlyList<IOpCases> Cases { get; } =
        [.. typeof(OpCatalog).Assembly.GetTypes().Where(t => t.IsAssignableTo(typeof(IOpCases)) && t.IsClass)
            .Select(t => (IOpCases)Activator.CreateInstance(t)!).OrderBy(c => c.Op.Name, StringComparer.Ordinal)];

    /// <summary>A case by its name, with the class that has its reference.</summary>
    public static (IOpCases Cases, OpCase Case) Find(string name) =>
        Cases.SelectMany(cases => cases.Cases.Select(@case => (cases, @case))).Single(pair => pair.@case.ToString() == name);

    /// <summary>
    /// Runs one case on a device through the op's own kernel choice. The result is a column view: kernels must respect its pitch.
    /// </summary>
    /// <returns>The result, row-major, integers widened; gaps are checked to be untouched.</returns>
    public static (double[] Values, Shape Shape) Run(Device device, OpCase @case)
    {
        const int OutputPadding = 3;
        using var bound = new BoundCase(device, @case, OutputPadding);
        bound.Run();
        return (bound.Read(), bound.Shape);
    }
}
