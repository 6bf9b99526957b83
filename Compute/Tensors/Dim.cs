using System.Globalization;

namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>
/// One size of a traced value: a constant of the model, or an expression over symbols that the user chooses (batch, height, width, tokens).
/// Expressions with equal text are equal.
/// </summary>
public sealed class Dim : IEquatable<Dim>
{
    private readonly string text;
    private readonly Func<Sizes, int> evaluate;
    private Dim? multiplicand, factor; // of a product, so that (batch * 2) / 2 is batch again

    private Dim(string text, Func<Sizes, int> evaluate, int? constant = null) =>
        (this.text, this.evaluate, Constant) = (text, evaluate, constant);

    /// <summary>The constant; null if the size depends on a symbol.</summary>
    public int? Constant { get; }

    /// <summary>A symbolic size, which the user chooses.</summary>
    public static Dim Symbol(string name) => new(name, sizes => sizes[name]);

    /// <summary>A constant size.</summary>
    public static Dim FromInt32(int value) => new(value.ToString(CultureInfo.InvariantCulture), _ => value, value);

    /// <summary>A constant size.</summary>
    public static implicit operator Dim(int value) => FromInt32(value);

    /// <summary>Sum of two sizes. The sum of equal ones is twice the size, so that it equals a product written as such.</summary>
    public static Dim operator +(Dim a, Dim b) => b.Constant == 0 ? a : a.Constant == 0 ? b : a.Constant is null && a.Equals(b) ? a * 2 : Combine(a, "+", b, (x, y) => checked(x + y));

    /// <summary>Difference of two sizes.</summary>
    public static Dim operator -(Dim a, Dim b) => b.Constant == 0 ? a : Combine(a, "-", b, (x, y) => x - y);

    /// <summary>Product of two sizes.</summary>
    public static Dim operator *(Dim a, Dim b)
    {
        if (b.Constant == 1 || a.Constant == 1) return b.Constant == 1 ? a : b;
        var product = Combine(a, "*", b, (x, y) => checked(x * y));
        if (product.Constant is null) (product.multiplicand, product.factor) = (a, b);
        return product;
    }

    /// <summary>Quotient, rounded down.</summary>
    public static Dim operator /(Dim a, Dim b) => b.Constant == 1 ? a : a.factor?.Equals(b) == true ? a.multiplicand! : Combine(a, "/", b, (x, y) => x / y);

    /// <summary>The size for given values of the symbols.</summary>
    public int Evaluate(Sizes sizes) => Constant ?? evaluate(sizes);

    /// <summary>False only if both are constants and differ: what is unknown while tracing is checked when a plan is made.</summary>
    public bool MayEqual(Dim other) => Constant is not { } a || other.Constant is not { } b || a == b;

    /// <inheritdoc/>
    public bool Equals(Dim? other) => other is not null && text == other.text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Dim);

    /// <inheritdoc/>
    public override int GetHashCode() => text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The expression, such as <c>(height + 1) / 2</c>.</summary>
    public override string ToString() => text;

    private static Dim Combine(Dim a, string sign, Dim b, Func<int, int, int> apply) =>
        a.Constant is { } x && b.Constant is { } y
            ? FromInt32(apply(x, y))
            : new($"{Operand(a)} {sign} {Operand(b)}", sizes => apply(a.Evaluate(sizes), b.Evaluate(sizes)));

    private static string Operand(Dim dim) => dim.text.Contains(' ', StringComparison.Ordinal) ? $"({dim.text})" : dim.text;
}
