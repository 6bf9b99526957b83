using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Graphs;
using ILGpuDiffusion.Pipelines.Metadata;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>TF32 reaches the plans of every component, on devices that have it.</summary>
public sealed class Float32PrecisionTests
{
    private static readonly PixelSize Size = new(128, 128);

    /// <summary>Whatever type weights are stored in, and however the models are compiled.</summary>
    [Theory, InlineData(DType.Float32), InlineData(DType.Float16)]
    public async Task Plans_InTensorFloat32_MultiplyOnTensorCores(DType stored)
    {
        using var folder = new TemporaryFolder();
        string model = stored == DType.Float32 ? TinySdxl.Folder : TinySdxl.CopyAs(Path.Combine(folder.Path, "model"), stored);
        using var device = Planner.Cuda(8, 0);
        var options = new PipelineOptions { Device = device, DType = DType.Float32, Float32Precision = Float32Precision.TensorFloat32 };
        using var pipeline = DiffusionPipeline.FromPretrained(model, options);
        Assert.All(pipeline.Precisions, p => Assert.StartsWith($"{p.Component} Float32 multiplied as TF32 (", $"{p}",
            StringComparison.Ordinal));
        await Check(pipeline, expected: true);
        pipeline.Denoiser.CompileRepeatedBlocks();
        pipeline.Vae.Decoder.Compile(CompileOptions.Eager);
        await Check(pipeline, expected: true);
        using var whole = DiffusionPipeline.FromPretrained(model, options with { Float32Precision = Float32Precision.Highest });
        await Check(whole, expected: false);
    }

    [Fact]
    public void Load_InTensorFloat32OnOtherDevices_SaysWhatTheyHave()
    {
        using var turing = Planner.Cuda(7, 5);
        using var cpu = new CpuDevice(threads: 2);
        foreach (var (device, types) in new[] { (turing, "Float32, Float16, BFloat16"), (cpu, "Float32") })
        {
            string message = Assert.Throws<DeviceException>(() => DiffusionPipeline.FromPretrained(TinySdxl.Folder,
                new() { Device = device, Float32Precision = Float32Precision.TensorFloat32 })).Message;
            Assert.Equal($"{device.Id} ({device.Architecture}) does not multiply in TensorFloat32, which NVIDIA GPUs do from compute "
                + $"capability 8.0 on. It computes in {types}; leave PipelineOptions.Float32Precision unset.", message);
        }
    }

    [Fact]
    public void Metadata_InTensorFloat32_KeepsIt()
    {
        var metadata = new GenerationMetadata
        {
            Request = TinySdxl.Request,
            DType = "Float32",
            Float32Precision = Float32Precision.TensorFloat32,
        };
        Assert.Contains("\"float32_precision\":\"TensorFloat32\"", metadata.ToJson(), StringComparison.Ordinal);
        Assert.Equal(Float32Precision.TensorFloat32, GenerationMetadata.TryParse(metadata.ToJson(), out _)!.Float32Precision);
        Assert.Null(GenerationMetadata.TryParse(metadata.ToJson().Replace("TensorFloat32", "7", StringComparison.Ordinal), out _));
        using var pipeline = DiffusionPipeline.FromPretrained(TinySdxl.Folder);
        Assert.Equal(["precision of Float32 was 'TensorFloat32' and is 'Highest'"], metadata.DifferencesFrom(pipeline));
    }

    private static async Task Check(DiffusionPipeline pipeline, bool expected)
    {
        foreach (var plan in await pipeline.InspectAsync(Size, cancellation: TestContext.Current.CancellationToken))
        {
            var kernels = plan.Report.LoopInvariantSteps.Concat(plan.Report.Steps)
                .Where(step => step.Kind is OpKind.MatrixProduct or OpKind.Convolution).ToLookup(step => step.Variant == "cuda/tf32");
            Assert.True(kernels[true].Count() > 3 == expected, $"{plan.Name}: {kernels[true].Count()} kernels multiply as TF32.");
            // the others have few rows, such as the time embedding: their time is that of reading the weights
            if (expected) Assert.All(kernels[false], step => Assert.Equal("gpu/rows", step.Variant));
        }
    }
}
