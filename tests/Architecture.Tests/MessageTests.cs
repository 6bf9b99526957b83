using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>Messages of the library do not name command-line options, which only the tool has.</summary>
public sealed class MessageTests
{
    private const string Example = "Use --offload.";

    [Theory, InlineData("ILGpuDiffusion.Compute"), InlineData("ILGpuDiffusion.Layers"), InlineData("ILGpuDiffusion.Pipelines")]
    public void Literals_OfALibrary_NameNoOptionOfTheTool(string assembly) =>
        Assert.DoesNotContain(Literals(Assembly.Load(assembly)), NamesAnOption);

    [Fact]
    public void Literals_PlantedOption_IsFound() =>
        Assert.Contains(Literals(typeof(MessageTests).Assembly), text => NamesAnOption(text) && text == Example);

    private static bool NamesAnOption(string text) => Regex.IsMatch(text, "--[a-z]");

    /// <summary>The string literals in an assembly's code, including the parts of interpolated ones.</summary>
    private static List<string> Literals(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var reader = file.GetMetadataReader();
        var found = new List<string>();
        for (var at = reader.GetNextHandle(MetadataTokens.UserStringHandle(0)); !at.IsNil; at = reader.GetNextHandle(at))
            found.Add(reader.GetUserString(at));
        return found;
    }
}
