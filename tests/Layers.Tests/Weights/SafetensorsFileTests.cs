using System.Text;
using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Tensors;
using ILGpuDiffusion.Layers.Weights;

namespace ILGpuDiffusion.Layers.Tests;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ilgd-safetensors-");

    public void Dispose() => folder.Delete(recursive: true);

    private string Save(byte[] bytes)
    {
        string path = Path.Combine(folder.FullName, "model.safetensors");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public static TheoryData<string> NotRegularKinds => [.. NotRegular.Kinds];

    [Theory, MemberData(nameof(NotRegularKinds))]
    public void Open_NotARegularFile_IsRefusedAtOnce(string kind)
    {
        string path = Path.Combine(folder.FullName, "model.safetensors");
        NotRegular.Make(kind, path);
        Assert.Equal(path, NotRegular.Throws<ModelFileException>(() => SafetensorsFile.Open(path)).File);
    }

    /// <summary>8 bytes of length, the JSON, the data.</summary>
    private static byte[] Bytes(string json, int dataBytes, long? claimed = null) =>
        [.. BitConverter.GetBytes(claimed ?? Encoding.UTF8.GetByteCount(json)), .. Encoding.UTF8.GetBytes(json),
            .. Enumerable.Range(0, dataBytes).Select(i => (byte)i)];

    private static string One(string dtype = "\"F32\"", string shape = "[2]", string offsets = "[0,8]", string name = "w") =>
        $"{{\"{name}\":{{\"dtype\":{dtype},\"shape\":{shape},\"data_offsets\":{offsets}}}}}";

    public static TheoryData<string, string, int, string> Hostile => new()
    {
        { "dtype unknown", One(dtype: "\"F33\""), 8, "unknown dtype 'F33'" },
        { "dtype a number", One(dtype: "3"), 8, "dtype must be a string" },
        { "dtype missing", """{"w":{"shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'w' has no dtype" },
        { "shape missing", """{"w":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "tensor 'w' has no shape" },
        { "offsets missing", """{"w":{"dtype":"F32","shape":[2]}}""", 8, "tensor 'w' has no data_offsets" },
        { "dtype twice", """{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "gives dtype twice" },
        { "shape twice", """{"w":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}""", 8, "gives shape twice" },
        { "offsets twice", """{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"data_offsets":[0,8]}}""", 8,
            "gives data_offsets twice" },
        { "shape negative", One(shape: "[-2]"), 8, "shape must hold integers" },
        { "shape a fraction", One(shape: "[2.0]"), 8, "shape must hold integers" },
        { "shape an exponent", One(shape: "[2e0]"), 8, "shape must hold integers" },
        { "shape a string", One(shape: "[\"2\"]"), 8, "shape must hold integers" },
        { "shape nested", One(shape: "[[2]]"), 8, "shape must hold integers" },
        { "shape a number", One(shape: "2"), 8, "shape must be a list" },
        { "shape beyond 64 bits", One(shape: "[99999999999999999999]"), 8, "shape must hold integers" },
        { "shape overflows", One(shape: "[2147483647,2147483647,2147483647]"), 8, "larger than a tensor can be" },
        { "shape wraps to 8 bytes", One(shape: "[4294967296,4294967296,2]"), 8, "larger than a tensor can be" },
        { "rank 33", One(shape: $"[{string.Join(',', Enumerable.Repeat(1, 33))}]"), 8, "more than 32" },
        { "shape too small", One(shape: "[1]"), 8, "has 8 bytes; F32 [1] needs 4" },
        { "shape too large", One(shape: "[3]"), 8, "has 8 bytes; F32 [3] needs 12" },
        { "half a byte", One(dtype: "\"F4\"", shape: "[3]", offsets: "[0,2]"), 2, "do not fill whole bytes" },
        { "one offset", One(offsets: "[8]"), 8, "has 1 numbers; it must have 2" },
        { "three offsets", One(offsets: "[0,8,8]"), 8, "more than 2 numbers" },
        { "offsets reversed", One(offsets: "[8,0]"), 8, "begins at 8, behind its end at 0" },
        { "offset negative", One(offsets: "[-8,0]"), 8, "data_offsets must hold integers" },
        { "offsets out of range", One(offsets: "[8,16]"), 8, "takes 8 bytes from byte" },
        { "offsets at the edge of 64 bits", One(offsets: "[9223372036854775799,9223372036854775807]"), 8, "takes 8 bytes from byte" },
        { "data cut off", One(), 7, "is the download complete?" },
        { "data left over", One(), 9, "nothing may follow the last tensor" },
        { "no tensors but data", "{}", 4, "nothing may follow" },
        { "hole", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}""", 3,
            "tensor 'b' begins at byte" },
        { "hole at the start", One(offsets: "[4,12]"), 12, "but the header ends at" },
        { "overlap", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3,
            "neither overlap nor leave holes" },
        { "same bytes twice", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2, "neither overlap nor leave holes" },
        { "name twice", """{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0,
            "tensor 'a' appears twice" },
        { "name twice by escape",
            """{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0,
                "tensor 'a' appears twice" },
        { "entry a list", """{"a":[]}""", 0, "must be an object with dtype" },
        { "entry null", """{"a":null}""", 0, "must be an object with dtype" },
        { "metadata a list", """{"__metadata__":[]}""", 0, "__metadata__ must be an object" },
        { "metadata a number", """{"__metadata__":{"a":1}}""", 0, "__metadata__ 'a' must be a string" },
        { "metadata twice", """{"__metadata__":{"a":"1","a":"2"}}""", 0, "__metadata__ 'a' appears twice" },
        { "root a list", "[]", 0, "begin with '{'" },
        { "root after a space", " {}", 0, "begin with '{'" },
        { "root cut off", """{"a":""", 0, "not valid JSON" },
        { "empty header", "", 0, "begin with '{'" },
        { "text behind", "{}x", 0, "not valid JSON" },
        { "second object", "{}{}", 0, "not valid JSON" },
        { "comment", "{/*x*/}", 0, "not valid JSON" },
        { "trailing comma", """{"__metadata__":{},}""", 0, "not valid JSON" },
        { "deep nesting", "{\"a\":{\"x\":" + new string('[', 100_000), 0, "not valid JSON" },
        { "lone surrogate", """{"\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0, "not valid JSON" },
        { "control characters in a name", """{"a\u001b[2J":[]}""", 0, "tensor 'a\\u001b[2J' must be" },
    };

    [Theory, MemberData(nameof(Hostile))]
    public void Open_HostileHeader_OneClearError(string what, string json, int dataBytes, string message)
    {
        _ = what;
        string path = Save(Bytes(json, dataBytes));
        var error = Assert.Throws<ModelFileException>(() => SafetensorsFile.Open(path));
        Assert.StartsWith(path + ": ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', error.Message);
        Assert.InRange(error.Message.Length, 1, path.Length + 600);
    }

    [Theory]
    [InlineData(0, "has 0 bytes")]
    [InlineData(7, "has 7 bytes")]
    public void Open_ShorterThanTheLength_IsRefused(int bytes, string message) =>
        Assert.Contains(message, Assert.Throws<ModelFileException>(() => SafetensorsFile.Open(Save(new byte[bytes]))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData(3, "claims 3 bytes, but only 2 follow")]
    [InlineData(100_000_001, "claims 100000001 bytes; at most 100000000")]
    [InlineData(-1, "claims 18446744073709551615 bytes")]
    [InlineData(long.MinValue, "claims 9223372036854775808 bytes")]
    public void Open_WrongHeaderLength_IsRefused(long claimed, string message) =>
        Assert.Contains(message, Assert.Throws<ModelFileException>(() => SafetensorsFile.Open(Save(Bytes("{}", 0, claimed)))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Open_BrokenUtf8_IsRefused()
    {
        byte[] bytes = Bytes(One(name: "w?"), 8);
        bytes[Array.IndexOf(bytes, (byte)'?')] = 0xff;
        Assert.Contains("not valid UTF-8", Assert.Throws<ModelFileException>(() => SafetensorsFile.Open(Save(bytes))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Open_MissingFileOrFolder_IsRefused()
    {
        Assert.Contains("does not exist",
            Assert.Throws<ModelFileException>(() => SafetensorsFile.Open(Path.Combine(folder.FullName, "no"))).Message,
                StringComparison.Ordinal);
        Assert.Contains("cannot be read", Assert.Throws<ModelFileException>(() => SafetensorsFile.Open(folder.FullName)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Open_UnknownKeysAndPadding_AreAllowed()
    {
        using var file = SafetensorsFile.Open(
            Save(Bytes("""{"w":{"dtype":"U8","later":{"x":[1]},"shape":[3],"data_offsets":[0,3]}}     """, 3)));
        Assert.Equal([0, 1, 2], file.ReadLongs("w"));
    }

    [Fact]
    public void Read_UnalignedData_GivesTheValues()
    {
        byte[] data = [7, .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2L)];
        string json = """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},"l":{"dtype":"I64","shape":[],"data_offsets":[5,13]}}""";
        byte[] bytes = Bytes(json, data.Length);
        data.CopyTo(bytes, bytes.Length - data.Length);
        using var file = SafetensorsFile.Open(Save(bytes));
        Assert.Equal(1.5f, Assert.Single(file.ReadFloats("f")));
        Assert.Equal(-2, Assert.Single(file.ReadLongs("l")));
        Assert.Equal(0, file.Entries["l"].Shape.Rank);
        Assert.Null(file.Entries["a"].DType);
        Assert.Contains("stored as U8", Assert.Throws<ModelFileException>(() => file.RequireDType(file.Entries["a"])).Message,
            StringComparison.Ordinal);
        Assert.Contains("must be an integer type", Assert.Throws<ModelFileException>(() => file.ReadLongs("f")).Message,
            StringComparison.Ordinal);
        Assert.Contains("must be a float type", Assert.Throws<ModelFileException>(() => file.ReadFloats("l")).Message,
            StringComparison.Ordinal);
        Assert.Contains("'nope' is missing", Assert.Throws<ModelFileException>(() => file.ReadFloats("nope")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void Dispose_ThenRead_Throws()
    {
        var file = SafetensorsFile.Open(Save(Bytes(One(), 8)));
        var entry = file.Entries["w"];
        Assert.Equal(0, *file.Pointer(entry));
        Assert.Equal(7, file.Pointer(entry)[7]);
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.ReadFloats("w"));
        Assert.Throws<ObjectDisposedException>(() => { file.Pointer(entry); });
    }

    [Fact]
    public void Pointer_EntryOfAnotherFile_Throws()
    {
        using var file = SafetensorsFile.Open(Save(Bytes(One(), 8)));
        Assert.Throws<ArgumentException>(() => file.Bytes(new SafetensorsEntry("w", "F32", [2], 1L << 40, 8)));
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void Writer_RoundTrip_KeepsValuesAndAligns(DType dtype)
    {
        string path = Path.Combine(folder.FullName, "out.safetensors");
        float[] values = [0, 1, -2.5f, 65504, float.PositiveInfinity, float.NaN];
        var writer = new SafetensorsWriter();
        writer.Add("b", dtype, [2, 3], values);
        writer.Add("odd", DType.Int8, [3], stream => stream.Write([1, 2, 3]));
        writer.Add("a", dtype, [6], values);
        writer.Add("scalar", DType.Int64, [], stream => stream.Write(BitConverter.GetBytes(-5L)));
        writer.Metadata["format"] = "pt";
        writer.Save(path);
        byte[] first = File.ReadAllBytes(path);
        writer.Save(path); // over an existing file, with equal bytes
        Assert.Equal(first, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(folder.FullName));

        using var file = SafetensorsFile.Open(path);
        float[] expected = dtype == DType.BFloat16 ? [.. values[..3], 65536, .. values[4..]] : values;
        Assert.Equal(expected, file.ReadFloats("a"));
        Assert.Equal(expected, file.ReadFloats("b"));
        Assert.Equal([2, 3], file.Entries["b"].Shape.Sizes.ToArray());
        Assert.Equal([-5L], file.ReadLongs("scalar"));
        Assert.Equal("pt", file.Metadata["format"]);
        foreach (var entry in file.Entries.Values) Assert.Equal(0, entry.Offset % entry.DType!.Value.Size());
    }

    [Fact]
    public void Writer_WrongBytes_LeavesTheOldFile()
    {
        string path = Path.Combine(folder.FullName, "out.safetensors");
        File.WriteAllText(path, "old");
        var writer = new SafetensorsWriter();
        writer.Add("a", DType.Int8, [3], stream => stream.Write([1]));
        Assert.Contains("'a' wrote 1 bytes; Int8 [3] needs 3", Assert.Throws<InvalidOperationException>(() => writer.Save(path)).Message,
            StringComparison.Ordinal);
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(folder.FullName));
        Assert.Throws<ArgumentException>(() => writer.Add("a", DType.Float32, [1], new float[1]));
        Assert.Throws<ArgumentException>(() => writer.Add("b", DType.Float32, [2], new float[1]));
        Assert.Throws<ArgumentException>(() => writer.Add("b", DType.Int8, [1], new float[1]));
    }

    [Fact]
    public void Save_AsBFloat16_RoundsHalfToEven()
    {
        string path = Path.Combine(folder.FullName, "out.safetensors");
        float Bits(uint bits) => BitConverter.UInt32BitsToSingle(bits);
        var writer = new SafetensorsWriter();
        writer.Add("a", DType.BFloat16, [4], new[] { Bits(0x3f808000), Bits(0x3f818000), Bits(0x3f808001), Bits(0x7f800001) });
        writer.Save(path);
        using var file = SafetensorsFile.Open(path);
        Assert.Equal([Bits(0x3f800000), Bits(0x3f820000), Bits(0x3f810000), float.NaN], file.ReadFloats("a"));
    }
}
