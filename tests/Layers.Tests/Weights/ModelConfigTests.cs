using System.Text;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Layers.Weights;

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
        Assert.Contains("it must be a finite number", Assert.Throws<ModelFileException>(() => config.Double("a")).Message,
            StringComparison.Ordinal);
        Assert.Contains("it must be a finite number", Assert.Throws<ModelFileException>(() => config.Double("a", 1)).Message,
            StringComparison.Ordinal);
        Assert.Contains("it must be a finite number",
            Assert.Throws<ModelFileException>(() => config.Double("c", double.NegativeInfinity)).Message, StringComparison.Ordinal);
        Assert.Contains("a list of numbers", Assert.Throws<ModelFileException>(() => config.Doubles("b")).Message,
            StringComparison.Ordinal);
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
    public void Parse_NotAnObject_IsRefused(string json, string message) =>
        Assert.Contains(message, Assert.Throws<ModelFileException>(() => Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_BrokenUtf8_IsRefused() =>
        Assert.Contains("config.json: is not valid UTF-8",
            Assert.Throws<ModelFileException>(() => ModelConfig.Parse([(byte)'{', 0xff, (byte)'}'], "config.json")).Message,
                StringComparison.Ordinal);

    [Fact]
    public void String_HalfASurrogatePair_IsAnError()
    {
        var config = Parse("""{"a":"\ud800","b":["x","\udc00"]}""");
        Assert.Contains("'a' is \"\\ud800\"; it must be a string", Assert.Throws<ModelFileException>(() => config.String("a")).Message,
            StringComparison.Ordinal);
        Assert.Contains("it must be a list of strings", Assert.Throws<ModelFileException>(() => config.Strings("b")).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.5", "an integer")]
    [InlineData("2147483648", "an integer")]
    [InlineData("\"1\"", "an integer")]
    [InlineData("[1]", "an integer")]
    public void Int_Otherwise_NamesKeyAndValue(string value, string expected) =>
        Assert.Equal($"config.json: 'a' is {value}; it must be {expected}.",
            Assert.Throws<ModelFileException>(() => Parse($"{{\"a\":{value}}}").Int("a")).Message);

    [Fact]
    public void Read_NullValue_IsFalseForBoolAndRefusedForOtherTypes()
    {
        var config = Parse("""{"a":null}""");
        Assert.True(config.IsNull("a"));
        Assert.False(config.IsNull("b"));
        Assert.False(config.Has("a"));
        Assert.Null(config.Find("a"));
        Assert.Empty(config.Keys);
        Assert.False(config.Bool("a", true));
        Assert.True(config.Bool("b", true));
        foreach (Action<string> read in new Action<string>[]
                 {
                     key => config.Int(key, 4), key => config.IntWithin(key, 1, 9, 4), key => config.IntPerEntry(key, 2, 4),
                         key => config.Double(key, 4), key => config.String(key, "x"),
                     key => config.Ints(key, [4]), key => config.Strings(key, ["x"]), key => config.Doubles(key),
                         key => config.Section(key),
                 })
        {
            var error = Assert.Throws<ModelFileException>(() => read("a"));
            Assert.StartsWith("config.json: 'a' is null; it must be ", error.Message, StringComparison.Ordinal);
            Assert.Equal("a", error.Key);
        }

        Assert.Equal(4, config.Int("b", 4));
        Assert.Equal("config.json: 'b' is missing.", Assert.Throws<ModelFileException>(() => config.Int("b")).Message);
    }

    [Fact]
    public void With_Null_IsAValueToo()
    {
        var config = Parse("""{"a":true}""").With([new("a", System.Text.Json.JsonDocument.Parse("null").RootElement)]);
        Assert.True(config.IsNull("a"));
        Assert.False(config.Bool("a", true));
    }

    [Fact]
    public void Section_OfAnObject_IsAConfigurationOfItsOwn()
    {
        var section = Parse("""{"a":{"b":3,"c":null},"d":4}""").Section("a");
        Assert.Equal(3, section.Int("b"));
        Assert.True(section.IsNull("c"));
        Assert.Equal("config.json", section.File);
        Assert.Contains("'d' is 4; it must be an object",
            Assert.Throws<ModelFileException>(() => Parse("""{"d":4}""").Section("d")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("-Infinity")]
    [InlineData("1e999")]
    [InlineData("\"inf\"")]
    public void Double_NoFiniteNumber_IsRefusedAsWhatItIs(string value) =>
        Assert.Contains($"{value.Trim('"')}", Assert.Throws<ModelFileException>(() => Parse($"{{\"a\":{value}}}").Double("a", 1)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void IntPerEntry_OneNumberOrAList_GivesOnePerEntry()
    {
        var config = Parse("""{"one":8,"all":[1,2,3]}""");
        Assert.Equal([8, 8, 8], config.IntPerEntry("one", 3));
        Assert.Equal([1, 2, 3], config.IntPerEntry("all", 3));
        Assert.Contains("one integer or a list of 2", Assert.Throws<ModelFileException>(() => config.IntPerEntry("all", 2)).Message,
            StringComparison.Ordinal);
    }
}
