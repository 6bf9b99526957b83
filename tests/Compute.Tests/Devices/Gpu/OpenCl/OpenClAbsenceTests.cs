using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>
/// The reason why there is no OpenCL device, with a remedy, and the choice among several devices.
/// </summary>
public sealed class OpenClAbsenceTests
{
    private const ulong Cpu = 2, Gpu = 4, Accelerator = 8;

    [Fact]
    public void TryLoad_WithoutALoader_SaysSo()
    {
        Assert.Null(OpenClLibrary.TryLoad(out string? problem, Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.so")));
        Assert.StartsWith("OpenCL: ", problem, StringComparison.Ordinal);
        Assert.Contains("cannot be loaded. There is no OpenCL loader: install ", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "It looks in /etc/OpenCL/vendors.")]
    [InlineData("/nowhere", "OCL_ICD_VENDORS has it look in '/nowhere': unset that")]
    public void Of_WithoutAPlatform_SaysWhereDriversAreRegistered(string? variable, string words)
    {
        string? absence = OpenClAbsence.Of(FakeOpenCl.With(), name => name == "OCL_ICD_VENDORS" ? variable : null);
        Assert.StartsWith("OpenCL: the loader is installed, but no driver is registered with it (no platform). Install ", absence,
            StringComparison.Ordinal);
        Assert.Contains(words, absence, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_PlatformsWithoutDevices_NamesThem()
    {
        string? absence = OpenClAbsence.Of(FakeOpenCl.With(("Maker One", []), ("Maker Two", [])), _ => null);
        Assert.StartsWith("OpenCL: drivers are installed (Maker One, Maker Two), but see no device. Check ", absence,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Of_WithADevice_IsNull() =>
        Assert.Null(OpenClAbsence.Of(FakeOpenCl.With(("Maker One", []), ("Maker Two", [("card", Gpu)])), _ => null));

    [Fact]
    public void IsChosenByItself_DeviceThatIsAlsoAProcessor_IsFalse()
    {
        var api = FakeOpenCl.With(
            ("simulator", [("everything", Cpu | Gpu | Accelerator), ("plain", Cpu)]),
            ("maker", [("dsp", Accelerator), ("card", Gpu), ("two in one", Cpu | Gpu)]));
        var found = GpuDevices.OpenCl(api, new ArtifactCache(Path.GetTempPath())).Select(entry => entry.Info).ToArray();
        Assert.Equal(["card", "dsp", "everything", "plain", "two in one"], found.Select(d => d.Name));
        Assert.Equal(["card"], found.Where(d => d.IsChosenByItself).Select(d => d.Name));
        Assert.Equal(["opencl-cpu"], found.Where(d => d.Name is "everything" or "two in one").Select(d => d.Architecture).Distinct());
    }
}
