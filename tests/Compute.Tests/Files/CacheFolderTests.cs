using ILGpuDiffusion.Compute.Files;

namespace ILGpuDiffusion.Compute.Tests;

public sealed class CacheFolderTests
{
    [Fact]
    public void Find_OwnVariableSet_IsThatFolder() =>
        Assert.Equal(Path.GetFullPath("/tmp/here"), Find(("ILGPUDIFFUSION_CACHE", "/tmp/here"), ("XDG_CACHE_HOME", "/tmp/there")));

    [Theory, InlineData("off"), InlineData("OFF")]
    public void Find_OwnVariableOff_IsNull(string value) =>
        Assert.Null(Find(("ILGPUDIFFUSION_CACHE", value), ("XDG_CACHE_HOME", "/tmp/there")));

    [Fact]
    public void Find_OnlyXdgSet_IsAFolderBelowIt() =>
        Assert.Equal(Path.Combine("/tmp/there", "ilgpudiffusion"), Find(("ILGPUDIFFUSION_CACHE", ""), ("XDG_CACHE_HOME", "/tmp/there")));

    [Fact]
    public void Xdg_Relative_DoesNotCount() => Assert.Equal(Find(), Find(("XDG_CACHE_HOME", "there")));

    private static string? Find(params (string Name, string Value)[] environment) =>
        CacheFolder.Find(name => environment.FirstOrDefault(v => v.Name == name).Value);
}
