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
    public async Task Encode_RecordedPrompt_MatchesDiffusers(string id)
    {
        var golden = Golden.Open(Set)[id];
        using var pipeline = DiffusionPipeline.FromPretrained(Golden.Folder("tiny-sdxl"));
        var embeddings = await pipeline.EncodePromptsAsync(RecordedRun.Prompts(golden));

        Assert.Equal([1, 77, 80], embeddings.Prompt["encoder_hidden_states"].Shape);
        golden.Check("negative_prompt_embeds", embeddings.Negative!["encoder_hidden_states"].Values, Tolerance);
        golden.Check("prompt_embeds", embeddings.Prompt["encoder_hidden_states"].Values, Tolerance);
        golden.Check("negative_pooled_prompt_embeds", embeddings.Negative["text_embeds"].Values, Tolerance);
        golden.Check("pooled_prompt_embeds", embeddings.Prompt["text_embeds"].Values, Tolerance);
        Assert.Equal(id == "encode_prompt_no_negative",
            !embeddings.Negative["encoder_hidden_states"].Values.AsSpan().ContainsAnyExcept(0f));
    }

    [Fact]
    public void Golden_OfEncodePrompt_HasTheFiveComparedCases() =>
        Assert.Equal(5, Golden.Open(Set).Cases.Count(c => c.Id.StartsWith("encode_prompt", StringComparison.Ordinal)));
}
