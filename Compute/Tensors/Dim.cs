using System.Globalization;

namespace ILGpuDiffusion.Compute.Tensors;

/// <summary>
/// One size of a traced value: a constant of the model, or an expression over symbols that the user chooses (batch, height, width, tokens).
/// Expressions with equal text are equal.
/// </summary>
public sealed class Dim : IEquatable<Dim>
{
    private readonly Expression expression;

    private Dim(Expression expression) => this.expression = expression;

    private enum Operation
    {
        Add,
        Subtract,
        Multiply,
        Divide,
    }

    /// <summary>The constant; null if the size depends on a symbol.</summary>
    public int? Constant => expression is Number number ? number.Value : null;

    /// <summary>A symbolic size, which the user chooses.</summary>
    public static Dim Symbol(string name) => new(new Named(name));

    /// <summary>A constant size.</summary>
    public static Dim FromInt32(int value) => new(new Number(value));

    /// <summary>A constant size.</summary>
    public static implicit operator Dim(int value) => FromInt32(value);

    /// <summary>Sum of two sizes. The sum of equal ones is twice the size, so that it equals a product written as such.</summary>
    public static Dim operator +(Dim a, Dim b) =>
        b.Constant == 0 ? a : a.Constant == 0 ? b : a.Constant is null && a.Equals(b) ? a * 2 : Combine(a, Operation.Add, b);

    /// <summary>Difference of two sizes.</summary>
    public static Dim operator -(Dim a, Dim b) => b.Constant == 0 ? a : Combine(a, Operation.Subtract, b);

    /// <summary>Product of two sizes.</summary>
    public static Dim operator *(Dim a, Dim b) => b.Constant == 1 ? a : a.Constant == 1 ? b : Combine(a, Operation.Multiply, b);

    /// <summary>Quotient, rounded down; of a product by its second factor, the first one.</summary>
    public static Dim operator /(Dim a, Dim b) =>
        b.Constant == 1 ? a
        : a.expression is Combined { Operation: Operation.Multiply } product && product.Right == b.expression ? new(product.Left)
        : Combine(a, Operation.Divide, b);

    /// <summary>The size for given values of the symbols.</summary>
    public int Evaluate(Sizes sizes) => expression.Evaluate(sizes);

    /// <summary>False only if both are constants and differ: what is unknown while tracing is checked when a plan is made.</summary>
    public bool MayEqual(Dim other) => Constant is not { } a || other.Constant is not { } b || a == b;

    /// <inheritdoc/>
    public bool Equals(Dim? other) => other is not null && expression == other.expression;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Dim);

    /// <inheritdoc/>
    public override int GetHashCode() => expression.GetHashCode();

    /// <summary>The expression, such as <c>(height + 1) / 2</c>.</summary>
    public override string ToString() => expression.ToString();

    private static Dim Combine(Dim a, Operation operation, Dim b) => a.Constant is { } x && b.Constant is { } y
        ? FromInt32(Apply(operation, x, y))
        : new(new Combined(a.expression, operation, b.expression));

    private static int Apply(Operation operation, int a, int b) => operation switch
    {
        Operation.Add => checked(a + b),
        Operation.Subtract => a - b,
        Operation.Multiply => checked(a * b),
        _ => a / b,
    };

    private abstract record Expression
    {
        public abstract int Evaluate(Sizes sizes);

        public abstract override string ToString();
    }

    private sealed record Number(int Value) : Expression
    {
        public override int Evaluate(Sizes sizes) => Value;

        public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
    }

    private sealed record Named(string Name) : Expression
    {
        public override int Evaluate(Sizes sizes) => sizes[Name];

        public override string ToString() => Name;
    }

    private sealed record Combined(Expression Left, Operation Operation, Expression Right) : Expression
    {
        public override int Evaluate(Sizes sizes) => Apply(Operation, Left.Evaluate(sizes), Right.Evaluate(sizes));

        public override string ToString() => $"{Operand(Left)} {"+-*/"[(int)Operation]} {Operand(Right)}";

        private static string Operand(Expression expression) => expression is Combined ? $"({expression})" : expression.ToString();
    }
}
