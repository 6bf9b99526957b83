using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Prompts to conditioning as in diffusers' encode_prompt: both encoders concatenated, pooled text, zeros for no negative prompt.
/// </summary>
public sealed class EncodePromptTests
{
    private const string Set = "tiny-sdxl-goldens/txt2img_features";
    private const double Tolerance = 2e-5; // of rms: the tolerance in the goldens' README for text encoders

    [Theory]
    [InlineData("encode_prompt"), InlineData("encode_prompt_no_negative"), InlineData("encode_prompt_two_prompts")]
    [InlineData("encode_prompt_clip_skip1"), InlineData("encode_prompt_empty_negative")]
    public void Encode_RecordedPrompt_MatchesDiffusers(string id)
    {
        var golden = Golden.Open(Set)[id];
        using var pipeline = DiffusionPipeline.FromPretrained(Golden.Folder("tiny-sdxl"));
        var form = pipeline.Resolve(RecordedRun.Prompts(golden));
        var text = pipeline.Encode(form, [], default).Text;

        Assert.Equal((2, 77), (text.Count, text.Tokens)); // negative first, then the prompt
        golden.Check("negative_prompt_embeds", First(text.Hidden), Tolerance);
        golden.Check("prompt_embeds", Second(text.Hidden), Tolerance);
        golden.Check("negative_pooled_prompt_embeds", First(text.Pooled), Tolerance);
        golden.Check("pooled_prompt_embeds", Second(text.Pooled), Tolerance);
        Assert.Equal(id == "encode_prompt_no_negative", !First(text.Hidden).ContainsAnyExcept(0f));
    }

    [Fact]
    public void Golden_OfEncodePrompt_HasTheFiveComparedCases() =>
        Assert.Equal(5, Golden.Open(Set).Cases.Count(c => c.Id.StartsWith("encode_prompt", StringComparison.Ordinal)));

    private static ReadOnlySpan<float> First(float[] values) => values.AsSpan(0, values.Length / 2);

    private static ReadOnlySpan<float> Second(float[] values) => values.AsSpan(values.Length / 2);
}
