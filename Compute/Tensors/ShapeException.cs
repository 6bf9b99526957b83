namespace ILGpuDiffusion.Compute;

/// <summary>Sizes or element types that an op cannot take. The message reads "op: name is X; it must be Y."</summary>
public sealed class ShapeException(string message) : Exception(message)
{
    /// <summary>Throws unless the condition holds.</summary>
    /// <param name="condition">What must be true.</param>
    /// <param name="op">The op's name as logs print it.</param>
    /// <param name="name">The argument that is wrong.</param>
    /// <param name="found">Its value or shape.</param>
    /// <param name="expected">What it must be, in words.</param>
    public static void ThrowUnless(bool condition, string op, string name, object found, string expected)
    {
        if (!condition) throw new ShapeException($"{op}: {name} is {found}; it must be {expected}.");
    }
}
