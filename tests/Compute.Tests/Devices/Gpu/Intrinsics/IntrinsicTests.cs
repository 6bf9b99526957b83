using System.Reflection;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>Every intrinsic has three definitions: PTX, OpenCL C, and a C# body.</summary>
public sealed class IntrinsicTests
{
    public static TheoryData<string> Names => [.. IntrinsicTable.Methods.Select(m => $"{m.DeclaringType!.Name}.{m.Name}")];

    [Theory, MemberData(nameof(Names))]
    public void Intrinsic_OfTheTable_HasThreeDefinitions(string name)
    {
        var method = IntrinsicTable.Methods.Single(m => $"{m.DeclaringType!.Name}.{m.Name}" == name);
        var code = method.GetCustomAttribute<DeviceCodeAttribute>()!;
        Assert.NotEmpty(code.Ptx);
        Assert.NotEmpty(code.OpenCl);
        Assert.NotNull(method.GetMethodBody());
        // else ILGPU would compile the body
        Assert.Contains(method.CustomAttributes, a => a.AttributeType.Name == "IntrinsicImplementationAttribute");
    }

    [Fact]
    public void Table_MethodsWithDeviceCode_AreAllListed()
    {
        var marked = typeof(DeviceMath).Assembly.GetTypes()
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(m => m.IsDefined(typeof(DeviceCodeAttribute)));
        Assert.Equal(marked.Select(m => m.ToString()).Order(), IntrinsicTable.Methods.Select(m => m.ToString()).Order());
    }
}
