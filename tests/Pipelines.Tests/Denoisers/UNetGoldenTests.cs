using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// The UNet against runs of the reference library: sizes, batches, timesteps, long prompts, masks, and every sub-module of one run.
/// </summary>
public class UNetGoldenTests
{
    private const double Tolerance = 3e-4; // of rms, as the reference data suggests for UNets

    public static TheoryData<string, int, string> Cases()
    {
        var data = new TheoryData<string, int, string>();
        foreach (var (model, timeIds) in new[] { ("tiny-sdxl", 6), ("tiny-sd15", 0), ("tiny-sd21-v", 0) })
            foreach (string id in Golden.Ids($"{model}-goldens/unet")) data.Add(model, timeIds, id);
        return data;
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Run_RecordedInputs_MatchesReference(string model, int timeIds, string id) =>
        Check(model, timeIds, Golden.Open($"{model}-goldens/unet")[id]);

    [Theory]
    [InlineData("tiny-sdxl", 6)]
    [InlineData("tiny-sd15", 0)]
    [InlineData("tiny-sd21-v", 0)]
    public void Run_EverySubModule_MatchesReference(string model, int timeIds) =>
        Check(model, timeIds, Golden.Open($"{model}-goldens/unet_detail")["detail"]);

    private static void Check(string model, int timeIds, GoldenCase golden)
    {
        using var unet = TestUNet.Open(model, timeIds, golden.Inputs.ContainsKey("encoder_attention_mask"));
        string[] inOrder = [.. golden.Outputs.Keys.Where(o => o != "sample"), "sample"]; // so the first difference is the cause
        var results = unet.Run(golden, inOrder);

        // A group norm over two pixels can be worse conditioned than the whole model: the reference's own rounding noise shows it.
        double worst = inOrder.Max(o => golden.Check(o, results[o], Math.Max(Tolerance, 10 * golden.Outputs[o].NoiseRelative ?? 0)));
        TestContext.Current.SendDiagnosticMessage($"{golden.Name}: {inOrder.Length} outputs, worst {worst:g3} of rms");
    }
}
