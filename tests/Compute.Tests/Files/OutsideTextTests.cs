using ILGpuDiffusion.Cases;
using ILGpuDiffusion.Compute.Devices;
using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>External text: control characters of terminals and logs are escaped, and its length is bounded.</summary>
public sealed class OutsideTextTests
{
    [Theory]
    [InlineData("plain name", "'plain name'"), InlineData("", "''"), InlineData("größe 猫 🦊", "'größe 猫 🦊'")]
    [InlineData("\e[2Jgone", "'\\u001b[2Jgone'"), InlineData("abc\u202egpj.exe", "'abc\\u202egpj.exe'"),
        InlineData("a\nilgd: done", "'a\\u000ailgd: done'")]
    [InlineData("a\u2028b\u200bc\u009bd\u007f", "'a\\u2028b\\u200bc\\u009bd\\u007f'"), InlineData("\udb40\udc41", "'\\udb40\\udc41'")]
    public void Quote_InvisibleCharacters_AreEscaped(string text, string expected) => Assert.Equal(expected, OutsideText.Quote(text));

    [Fact]
    public void OutsideText_LongText_IsBounded()
    {
        string large = new('x', 1 << 20), lines = string.Join('\n', Enumerable.Repeat("line", 1 << 16));
        Assert.Equal(123, OutsideText.Quote(large).Length); // 120, '…' and quotes
        Assert.Equal(51, OutsideText.Line(large, 50).Length);
        Assert.InRange(OutsideText.Message(large).Length, 1900, 2001);
        Assert.InRange(OutsideText.Message(lines).Split('\n').Length, 2, 13);
        Assert.Equal("'a', 'b' and 1 more", OutsideText.List(["a", "b", "c"], 2));
    }

    [Fact]
    public void Quote_HalfASurrogatePair_IsEscapedAndCuttingMakesNone()
    {
        Assert.Equal("'half \\ud83d'", OutsideText.Quote("half " + (char)0xd83d)); // attributes are UTF-8
        Assert.Equal("x…", OutsideText.Line("x🦊🦊", 2));
    }

    [Fact]
    public void Message_SeveralLines_IndentsAllButTheFirst()
    {
        Assert.Equal("first\n  ilgd: forged\n  third", OutsideText.Message("first\r\nilgd: forged\nthird\n"));
        Assert.Equal("a\tb", OutsideText.Message("a\tb"));
    }

    [Fact]
    public void OutsideText_InExceptionsAndLogs_IsEscapedAndBounded()
    {
        Assert.Equal("opencl:0 says \\u001b[31mno", new DeviceException("opencl:0 says \e[31mno").Message);
        Assert.InRange(new DeviceException(new string('x', 1 << 20)).Message.Length, 1, 2001);
        using var log = new CollectingLoggerFactory();
        DeviceLog.ExtensionFailed(log, "a device", "build log \e]0;title\a" + new string('x', 1 << 20));
        var line = Assert.Single(log.Lines);
        Assert.StartsWith("opencl: a device: build log \\u001b]0;title\\u0007", line.Text, StringComparison.Ordinal);
        Assert.InRange(line.Text.Length, 1900, 2100);
        string? argument = line.Arguments.Single(a => a.Key == "Failure").Value?.ToString(); // the value in a structured log
        Assert.StartsWith("build log \\u001b]0;title\\u0007", argument, StringComparison.Ordinal);
    }
}
