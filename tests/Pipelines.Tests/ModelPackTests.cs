using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Kernels;
using ILGpuDiffusion.Compute.Tensors;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>The kernels that ship with the small model are up to date, and packs are for their models only.</summary>
public sealed class ModelPackTests
{
    private static readonly string Shipped = Path.Combine(EmbeddedModel.Folder, EmbeddedModel.PackName);

    /// <summary>Every kernel of the small model comes from the pack; see Pipelines/README.md for how to make it again.</summary>
    [Theory, InlineData("cuda:sm_80"), InlineData("cuda:sm_90"), InlineData("opencl:gpu")]
    public void ShippedPack_OfTheSmallModel_HasEveryKernel(string target)
    {
        using var recorder = PackedDevices.Open(target);
        var model = Assert.Single(ModelPack.Record(EmbeddedModel.Folder, recorder, new ModelPackOptions { Devices = [target] },
            TestContext.Current.CancellationToken));
        Assert.Equal("Float16", model.DType);
        Assert.InRange(recorder.Kernels, 20, 100);
        Assert.InRange(new FileInfo(Shipped).Length, 1, 300_000);
    }

    [Theory]
    [InlineData("Float32", "is another architecture or type")]
    [InlineData("Float16", null)]
    public void Load_PackOfTheModel_IsForItsType(string dtype, string? problem)
    {
        using var recorder = PackedDevices.Open("cuda:sm_90");
        Assert.Equal(problem, Load(EmbeddedModel.Folder, recorder.Device, Enum.Parse<DType>(dtype), problem));
    }

    [Fact]
    public void Load_PackOfAnotherModel_IsRefused()
    {
        using var recorder = PackedDevices.Open("cuda:sm_90");
        const string Problem = "is another architecture or type";
        Assert.Equal(Problem, Load(TinySdxl.Folder, recorder.Device, DType.Float16, Problem));
    }

    [Fact]
    public void Load_PackOfAnotherDevice_IsRefused()
    {
        using var device = new CpuDevice(threads: 1);
        const string Problem = "it has nothing for cpu";
        Assert.Equal(Problem, Load(EmbeddedModel.Folder, device, DType.Float32, Problem));
    }

    private static string? Load(string model, Device device, DType dtype, string? expected)
    {
        try
        {
            var options = new PipelineOptions { Device = device, DType = dtype, Pack = [Shipped] };
            DiffusionPipeline.FromPretrained(model, options).Dispose();
            return null;
        }
        catch (KernelPackException e)
        {
            return expected is not null && e.Message.Contains(expected, StringComparison.Ordinal) ? expected : e.Message;
        }
    }
}
