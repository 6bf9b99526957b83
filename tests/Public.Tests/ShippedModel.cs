using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;

namespace ILGpuDiffusion.Public.Tests;

/// <summary>The small model that ships with the library.</summary>
internal static class ShippedModel
{
    /// <summary>Skips the running test if the model was not built in.</summary>
    public static void Require()
    {
        try
        {
            _ = EmbeddedModel.Folder;
        }
        catch (ModelFileException e)
        {
            Assert.Skip(e.Message);
        }
    }
}
