namespace ILGpuDiffusion.Compute.Kernels;

/// <summary>Layout of a group's work items over a tile of the result: a type argument of kernels.</summary>
internal interface IItems
{
    /// <summary>Work items along the tile's rows.</summary>
    static abstract int Rows { get; }

    /// <summary>Work items along the tile's columns: consecutive work items have consecutive columns.</summary>
    static abstract int Columns { get; }

    /// <summary>Depth of a staged step of K, which gives each work item one to four vectors of four elements to load.</summary>
    static abstract int Depth { get; }
}

/// <summary>256 work items, square.</summary>
internal readonly struct Items16x16 : IItems
{
    public static int Rows => 16;

    public static int Columns => 16;

    public static int Depth => 16;
}

/// <summary>64 work items, square.</summary>
internal readonly struct Items8x8 : IItems
{
    public static int Rows => 8;

    public static int Columns => 8;

    public static int Depth => 8;
}

/// <summary>64 work items for few rows.</summary>
internal readonly struct Items4x16 : IItems
{
    public static int Rows => 4;

    public static int Columns => 16;

    public static int Depth => 8;
}

/// <summary>The part of a tile that one work item computes, in blocks of 4 × 4: a type argument of kernels.</summary>
internal interface IPiece
{
    /// <summary>Blocks along the rows: 1 or 2.</summary>
    static abstract int Rows { get; }

    /// <summary>Blocks along the columns: 1 or 2.</summary>
    static abstract int Columns { get; }
}

/// <summary>16 sums: two reads of four floats for 16 multiply-adds.</summary>
internal readonly struct Piece4x4 : IPiece
{
    public static int Rows => 1;

    public static int Columns => 1;
}

/// <summary>32 sums: three reads of four floats for 32 multiply-adds.</summary>
internal readonly struct Piece4x8 : IPiece
{
    public static int Rows => 1;

    public static int Columns => 2;
}

/// <summary>32 sums: three reads of four floats for 32 multiply-adds.</summary>
internal readonly struct Piece8x4 : IPiece
{
    public static int Rows => 2;

    public static int Columns => 1;
}

/// <summary>64 sums: four reads of four floats for 64 multiply-adds.</summary>
internal readonly struct Piece8x8 : IPiece
{
    public static int Rows => 2;

    public static int Columns => 2;
}

/// <summary>A tile of the result that one group computes, and the type arguments that select it.</summary>
/// <param name="Rows">Its rows.</param>
/// <param name="Columns">Its columns; in a gated GEMM half of them are the gate's.</param>
/// <param name="Items">Work items.</param>
/// <param name="Layout">Layout of the work items, an <see cref="IItems"/>.</param>
/// <param name="Piece">Part of the tile per work item, an <see cref="IPiece"/>.</param>
internal sealed record GpuGemmTile(int Rows, int Columns, int Items, Type Layout, Type Piece)
{
    private const int Padding = 4; // floats behind each staged row, as TiledGemm has them

    /// <summary>All tiles that kernels exist for.</summary>
    public static IReadOnlyList<GpuGemmTile> All { get; } = [.. Of<Items16x16>(), .. Of<Items8x8>(),
        .. Of<Items4x16>().Where(t => t.Rows == 16 || t.Columns == 128)];

    /// <summary>The tile with these rows, columns and work items; null if there is none.</summary>
    public static GpuGemmTile? Find(int rows, int columns, int items) =>
        All.FirstOrDefault(t => t.Rows == rows && t.Columns == columns && t.Items == items);

    /// <summary>Whether a work item has two columns of blocks, which a gated GEMM needs.</summary>
    public bool HasTwoColumns => Piece == typeof(Piece4x8) || Piece == typeof(Piece8x8);

    /// <summary>Depth of a staged step of K.</summary>
    public int Depth => Layout == typeof(Items16x16) ? Items16x16.Depth : Items8x8.Depth;

    /// <summary>Local memory per group, in bytes.</summary>
    public int LocalBytes => Depth * (Rows + Columns + 2 * Padding) * sizeof(float);

    /// <summary>The kernel's type arguments.</summary>
    public Type[] Types => [Layout, Piece];

    private static IEnumerable<GpuGemmTile> Of<TItems>() where TItems : IItems =>
    [
        new(4 * TItems.Rows, 4 * TItems.Columns, TItems.Rows * TItems.Columns, typeof(TItems), typeof(Piece4x4)),
        new(4 * TItems.Rows, 8 * TItems.Columns, TItems.Rows * TItems.Columns, typeof(TItems), typeof(Piece4x8)),
        new(8 * TItems.Rows, 4 * TItems.Columns, TItems.Rows * TItems.Columns, typeof(TItems), typeof(Piece8x4)),
        new(8 * TItems.Rows, 8 * TItems.Columns, TItems.Rows * TItems.Columns, typeof(TItems), typeof(Piece8x8)),
    ];
}
