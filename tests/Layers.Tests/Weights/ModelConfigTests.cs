using System.Text;
using ILGpuDiffusion.Cases;

namespace ILGpuDiffusion.Layers.Tests;

public sealed class ModelConfigTests
{
    private static ModelConfig Parse(string json) => ModelConfig.Parse(Encoding.UTF8.GetBytes(json), "config.json");

    [Fact]
    public void Double_PythonInfinity_IsAcceptedOnlyAsTheDefault()
    {
        var config = Parse("""{"a":-Infinity,"b":[Infinity],"c":NaN,"text":"-Infinity is \" NaN"}""");
        Assert.Equal(double.NegativeInfinity, config.Double("a", double.NegativeInfinity));
        Assert.Equal(double.NaN, config.Double("c", double.NaN));
        Assert.Equal("-Infinity is \" NaN", config.String("text"));
        Assert.Contains("it must be a number", Assert.Throws<ModelFileException>(() => config.Double("a")).Message, StringComparison.Ordinal);
        Assert.Contains("it must be a number", Assert.Throws<ModelFileException>(() => config.Double("a", 1)).Message, StringComparison.Ordinal);
        Assert.Contains("it must be a number", Assert.Throws<ModelFileException>(() => config.Double("c", double.NegativeInfinity)).Message, StringComparison.Ordinal);
        Assert.Contains("a list of numbers", Assert.Throws<ModelFileException>(() => config.Doubles("b")).Message, StringComparison.Ordinal);
        Assert.Equal(2, Parse("""{"a":2}""").Double("a", double.NegativeInfinity));
    }

    public static TheoryData<string> NotRegularKinds => [.. NotRegular.Kinds];

    [Theory, MemberData(nameof(NotRegularKinds))]
    public void Load_NotARegularFile_IsRefusedAtOnce(string kind)
    {
        var folder = Directory.CreateTempSubdirectory("ilgd-config-");
        string path = Path.Combine(folder.FullName, "config.json");
        NotRegular.Make(kind, path);
        Assert.Equal(path, NotRegular.Throws<ModelFileException>(() => ModelConfig.Load(path)).File);
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("{} x", "is not valid JSON")]
    [InlineData("{}{}", "is not valid JSON")]
    [InlineData("", "is not valid JSON")]
    [InlineData("""{"\ud800":1}""", "is not valid JSON")]
    [InlineData("""{"a":-Infinite}""", "is not valid JSON")]
    [InlineData("3", "must be an object")]
    public void Parse_NotAnObject_Names(string json, string message) =>
        Assert.Contains(message, Assert.Throws<ModelFileException>(() => Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_BrokenUtf8_Names() =>
        Assert.Contains("config.json: is not valid UTF-8", Assert.Throws<ModelFileException>(() => ModelConfig.Parse([(byte)'{', 0xff, (byte)'}'], "config.json")).Message, StringComparison.Ordinal);

    [Fact]
    public void String_HalfASurrogatePair_IsAnError()
    {
        var config = Parse("""{"a":"\ud800","b":["x","\udc00"]}""");
        Assert.Contains("'a' is \"\\ud800\"; it must be a string", Assert.Throws<ModelFileException>(() => config.String("a")).Message, StringComparison.Ordinal);
        Assert.Contains("it must be a list of strings", Assert.Throws<ModelFileException>(() => config.Strings("b")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.5", "an integer")]
    [InlineData("2147483648", "an integer")]
    [InlineData("\"1\"", "an integer")]
    [InlineData("[1]", "an integer")]
    public void Int_Otherwise_NamesKeyAndValue(string value, string expected) =>
        Assert.Equal($"config.json: 'a' is {value}; it must be {expected}.", Assert.Throws<ModelFileException>(() => Parse($"{{\"a\":{value}}}").Int("a")).Message);

    [Fact]
    public void Null_CountsAsAbsent()
    {
        var config = Parse("""{"a":null}""");
        Assert.Equal(4, config.Int("a", 4));
        Assert.Equal("config.json: 'a' is missing.", Assert.Throws<ModelFileException>(() => config.Int("a")).Message);
        Assert.Empty(config.Keys);
    }

    [Fact]
    public void IntPerEntry_OneOrAll()
    {
        var config = Parse("""{"one":8,"all":[1,2,3]}""");
        Assert.Equal([8, 8, 8], config.IntPerEntry("one", 3));
        Assert.Equal([1, 2, 3], config.IntPerEntry("all", 3));
        Assert.Contains("one integer or a list of 2", Assert.Throws<ModelFileException>(() => config.IntPerEntry("all", 2)).Message, StringComparison.Ordinal);
    }
}
