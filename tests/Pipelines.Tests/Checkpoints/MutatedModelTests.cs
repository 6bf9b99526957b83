using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Layers.Weights;
using ILGpuDiffusion.Pipelines.Requests;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>
/// Seeded mutations of every JSON file of a model folder, as values and as bytes. Loading and a first step either work or give an error
/// that the user can act on, never another exception, and no memory leaks.
/// </summary>
public sealed class MutatedModelTests : IDisposable
{
    private const int Mutations = 60; // per file
    private static readonly string[] Values = ["null", "true", "-1", "0", "1", "3", "1e308", "-0.5", "2147483647", "99999999999", "\"\"",
        "\"x\"", "\"sample\"", "[]", "[null]", "[1,2]", "[\"a\",\"b\"]", "{}", "\"\\ud800\""];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("model_index.json", 1), InlineData("unet/config.json", 2), InlineData("vae/config.json", 3),
        InlineData("text_encoder/config.json", 4), InlineData("text_encoder_2/config.json", 5)]
    [InlineData("scheduler/scheduler_config.json", 6), InlineData("tokenizer/tokenizer_config.json", 7), InlineData("defaults.json", 8)]
    public void FromPretrained_MutatedFile_GivesACleanErrorOrWorks(string file, int seed)
    {
        TinySdxl.CopyTo(folder.Path);
        string path = Path.Combine(folder.Path, file);
        if (!File.Exists(path)) File.WriteAllText(path, """{"num_inference_steps": 2, "guidance_scale": 4.0, "width": 32, "height": 32}""");
        string text = File.ReadAllText(path);
        var random = new Random(seed);
        var (refused, worked) = (0, 0);
        using var device = new CpuDevice();
        for (int i = 0; i < Mutations; i++)
        {
            byte[] mutated = i % 3 == 0 ? MutateBytes(text, random) : MutateValue(text, random);
            File.WriteAllBytes(path, mutated);
            try
            {
                using var pipeline = DiffusionPipeline.FromPretrained(folder.Path, new PipelineOptions { Device = device });
                pipeline.Generate(new ImageRequest("a fox") { Width = 16, Height = 16, Steps = 2, Seed = 1, Decode = false }, null,
                    default);
                worked++;
            }
            catch (Exception e) when (e is ModelFileException or ArgumentException)
            {
                refused++;
                Assert.NotEmpty(e.Message);
            }
            catch (Exception e)
            {
                Assert.Fail($"{file}, mutation {i}: {e.GetType().Name}: {e.Message}\n{Encoding.UTF8.GetString(mutated)}\n{e.StackTrace}");
            }

            Assert.Equal(0, device.AllocatedBytes);
        }

        Assert.True(refused > 0, $"All {worked} mutations were accepted; some must be refused.");
    }

    private static byte[] MutateBytes(string text, Random random)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        switch (random.Next(3))
        {
            case 0: bytes[random.Next(bytes.Length)] = (byte)random.Next(256); break;
            case 1: bytes = bytes[..random.Next(bytes.Length)]; break;
            default: bytes = [.. bytes, .. bytes[random.Next(bytes.Length)..]]; break;
        }

        return bytes;
    }

    private static byte[] MutateValue(string text, Random random)
    {
        var root = JsonNode.Parse(text)!.AsObject();
        string key = root.ElementAt(random.Next(root.Count)).Key;
        if (random.Next(6) == 0) root.Remove(key);
        else if (root[key] is JsonArray { Count: > 0 } list && random.Next(2) == 0)
            list[random.Next(list.Count)] = JsonNode.Parse(Values[random.Next(Values.Length - 1)]);
        else if (root[key] is JsonValue number && number.GetValueKind() == JsonValueKind.Number && random.Next(2) == 0)
            root[key] = number.GetValue<double>() * (random.Next(-2, 5) / 2.0);
        else return Encoding.UTF8.GetBytes(
            text.Replace($"\"{key}\":", $"\"{key}\": {Values[random.Next(Values.Length)]}, \"_old\":", StringComparison.Ordinal));
        return JsonSerializer.SerializeToUtf8Bytes(root);
    }
}
