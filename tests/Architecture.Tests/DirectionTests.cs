using System.Reflection;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>References between rooms: Cli → Pipelines → Layers → Compute → ILGPU.</summary>
public sealed class DirectionTests
{
    public static TheoryData<string, string[]> Arrows => new()
    {
        { "Compute", [] },
        { "Layers", ["Compute"] },
        { "Pipelines", ["Layers"] },
        { "Pipelines/Cli", ["Pipelines", "FluentEmoji"] }, // the model: only files, no code
    };

    [Theory, MemberData(nameof(Arrows))]
    public void ProjectReferences_OfARoom_AreTheAllowedOnes(string room, string[] allowed)
    {
        string[] references = [.. Repository.Includes(Repository.Project(room), "ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r).Split('.')[^1])];
        Assert.Equal(allowed, references);
    }

    [Fact]
    public void Assemblies_OfTheRooms_ReferenceLowerRoomsOnly()
    {
        string[] rooms = ["ILGpuDiffusion.Compute", "ILGpuDiffusion.Layers", "ILGpuDiffusion.Pipelines"];
        for (int i = 0; i < rooms.Length; i++)
        {
            string[] references = [.. Assembly.Load(rooms[i]).GetReferencedAssemblies().Select(a => a.Name!)
                .Where(n => n.StartsWith("ILGpuDiffusion", StringComparison.Ordinal))];
            Assert.All(references, r => Assert.True(Array.IndexOf(rooms, r) is >= 0 and var at && at < i, $"{rooms[i]} references {r}."));
        }
    }

    [Theory, InlineData("Layers"), InlineData("Pipelines")]
    public void Sources_AboveCompute_DoNotNameIlgpu(string room)
    {
        Assert.DoesNotContain(Repository.Includes(Repository.Project(room), "PackageReference"),
            p => p.StartsWith("ILGPU", StringComparison.Ordinal));
        Assert.All(Repository.Sources(room), file => Assert.False(NamesIlgpu(File.ReadAllText(file)), $"{file} names ILGPU."));
    }

    [Fact]
    public void NamesIlgpu_PlantedText_TellsIlgpuFromThisProject()
    {
        Assert.True(NamesIlgpu("using ILGPU;"));
        Assert.True(NamesIlgpu("global::ILGPU.Runtime.Accelerator a;"));
        Assert.False(NamesIlgpu("namespace ILGpuDiffusion.Layers; // through ILGPU's compiler"));
    }

    [Theory, InlineData("Compute"), InlineData("Layers"), InlineData("Pipelines"), InlineData("Pipelines/Cli")]
    public void PackageReferences_OfARoom_IncludeNoTestOrBenchmarkPackages(string room) =>
        Assert.DoesNotContain(Repository.Includes(Repository.Project(room), "PackageReference"),
            p => p.Contains("TorchSharp", StringComparison.Ordinal) || p.Contains("BenchmarkDotNet", StringComparison.Ordinal)
                || p.Contains("xunit", StringComparison.Ordinal));

    [Theory, InlineData("Compute"), InlineData("Layers"), InlineData("Pipelines")]
    public void CommandLine_OfARoom_IsNoFriend(string room) => // it uses what every application can use
        Assert.DoesNotContain("ilgd", Repository.Includes(Repository.Project(room), "InternalsVisibleTo"));

    private static bool NamesIlgpu(string source) =>
        System.Text.RegularExpressions.Regex.IsMatch(source, @"\busing\s+(static\s+)?ILGPU\b|\bILGPU\.(?!\s)[A-Z]");
}
