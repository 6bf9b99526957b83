using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Ops;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines;
using ILGpuDiffusion.Pipelines.Errors;
using ILGpuDiffusion.Pipelines.Images;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Public.Tests;

/// <summary>Properties of exceptions, so that programs need not parse messages.</summary>
public sealed class ExceptionTests
{
    [Fact]
    public void ShapeException_OfAnOp_NamesOpAndArgument()
    {
        TensorType x = new(DType.Float32, Shape.Create([2, 3])), w = new(DType.Float32, Shape.Create([4, 5]));
        var e = Assert.Throws<ShapeException>(() => new MatMul().Infer([x, w]));
        Assert.Equal("matmul", e.Op);
        Assert.NotNull(e.Argument);
        Assert.StartsWith($"{e.Op}: {e.Argument} is ", e.Message, StringComparison.Ordinal);
        Assert.Null(e.Layer);

        var inside = e.In("mid_block.attn", "unet");
        Assert.Equal((e.Op, e.Argument, "mid_block.attn"), (inside.Op, inside.Argument, inside.Layer));
        Assert.Equal($"unet mid_block.attn: {e.Message}", inside.Message);
    }

    [Fact]
    public void DeviceException_UnknownDevice_NamesIt() =>
        Assert.Equal("cuda:99", Assert.Throws<DeviceException>(() => DeviceCatalog.Open("cuda:99")).Device);

    [Fact]
    public void ModelFileException_NoSuchFolder_NamesTheFile() =>
        Assert.Equal("no such folder", Assert.Throws<ModelFileException>(() => DiffusionPipeline.FromPretrained("no such folder")).File);

    [Fact]
    public void ImageFileException_NoSuchFile_NamesTheFile() =>
        Assert.Equal("no such image.png", Assert.Throws<ImageFileException>(() => Image.Load("no such image.png")).File);

    [Fact]
    public async Task Generate_BadRequest_NamesThePropertyAndThePipelineGoesOn()
    {
        ShippedModel.Require();
        using var pipeline = DiffusionPipeline.FromPretrained(EmbeddedModel.Folder);
        var request = new ImageRequest("a red heart") { Steps = 1, Seed = 1, Decode = false };
        var e = await Assert.ThrowsAsync<DiffusionRequestException>(() =>
            pipeline.GenerateAsync(request with { Width = 63 }, cancellation: TestContext.Current.CancellationToken));
        Assert.Equal(nameof(ImageRequest.Width), e.Property);
        Assert.NotNull(await pipeline.GenerateAsync(request, cancellation: TestContext.Current.CancellationToken));
    }
}
