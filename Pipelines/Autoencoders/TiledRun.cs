namespace ILGpuDiffusion.Pipelines.Autoencoders;

/// <summary>
/// Applies a model to overlapping tiles and joins the results, in the order and with the arithmetic of diffusers' <c>tiled_encode</c> and
/// <c>tiled_decode</c>.
/// </summary>
internal static class TiledRun
{
    /// <summary>Runs the model on every tile, row by row. Two rows of results are held in addition to the whole result.</summary>
    /// <param name="source">The input.</param>
    /// <param name="from">Tile sizes of the input.</param>
    /// <param name="result">The output.</param>
    /// <param name="to">The same sizes at the output's resolution.</param>
    /// <param name="model">Computes a tile's result; edge tiles are smaller.</param>
    /// <param name="cancellation">Checked before every tile.</param>
    public static void Run(Tile source, TileGrid.Side from, Tile result, TileGrid.Side to, Func<Tile, Tile> model,
        CancellationToken cancellation)
    {
        List<Tile> above = [];
        for (int i = 0; i * from.Step < source.Height; i++)
        {
            List<Tile> row = [];
            for (int j = 0; j * from.Step < source.Width; j++)
            {
                cancellation.ThrowIfCancellationRequested();
                var tile = model(source.Cut(i * from.Step, j * from.Step, from.Size));
                if (i > 0) tile.BlendFromAbove(above[j], to.Blend); // the neighbours are already blended
                if (j > 0) tile.BlendFromLeft(row[j - 1], to.Blend);
                tile.Paste(result, i * to.Step, j * to.Step, to.Step);
                row.Add(tile);
            }

            above = row;
        }
    }
}
