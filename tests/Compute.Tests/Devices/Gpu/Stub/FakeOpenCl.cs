using System.Reflection;
using System.Text;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Compute.Tests;

/// <summary>An OpenCL loader with the given platforms and devices, which only answers queries.</summary>
public class FakeOpenCl : DispatchProxy
{
    private const int NoPlatform = -1001, NoDevice = -1;
    private (string Name, (string Name, ulong Type)[] Devices)[] platforms = [];

    /// <summary>A loader with platforms, each with devices and their OpenCL type bits.</summary>
    internal static IOpenCl With(params (string Name, (string Name, ulong Type)[] Devices)[] platforms)
    {
        var api = Create<IOpenCl, FakeOpenCl>();
        ((FakeOpenCl)(object)api).platforms = platforms;
        return api;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
        nameof(IOpenCl.GetPlatformIds) => List(args!, 0, platforms.Length, index => index + 1, NoPlatform),
        nameof(IOpenCl.GetDeviceIds) =>
            List(args!, 2, Platform(args![0]).Devices.Length, index => 100 * (int)(nint)args[0]! + index, NoDevice),
        nameof(IOpenCl.GetPlatformInfo) => Answer(args!, Encoding.UTF8.GetBytes(Platform(args![0]).Name + "\0")),
        nameof(IOpenCl.GetDeviceInfo) => Answer(args!, Fact((int)(nint)args![0]!, (uint)args[1]!)),
        var other => throw new NotSupportedException(other),
    };

    private (string Name, (string Name, ulong Type)[] Devices) Platform(object? handle) => platforms[(int)(nint)handle! - 1];

    private byte[] Fact(int device, uint name)
    {
        var (text, type) = platforms[device / 100 - 1].Devices[device % 100];
        return name switch
        {
            0x102B or 0x102C or 0x102D => Encoding.UTF8.GetBytes(text + "\0"),
            0x102F => Encoding.UTF8.GetBytes("OpenCL 1.2\0"),
            0x1030 => [0],
            0x1000 => BitConverter.GetBytes(type),
            _ => BitConverter.GetBytes(1024UL),
        };
    }

    private static unsafe object List(object?[] args, int at, int count, Func<int, int> handle, int none)
    {
        args[at + 2] = (uint)count;
        for (int i = 0; i < (uint)args[at]! && i < count; i++) ((nint*)(nint)args[at + 1]!)[i] = handle(i);
        return count == 0 ? none : 0;
    }

    private static unsafe object Answer(object?[] args, byte[] value)
    {
        args[4] = (nuint)value.Length;
        if ((nint)args[3]! != 0) value.CopyTo(new Span<byte>((void*)(nint)args[3]!, (int)(nuint)args[2]!));
        return 0;
    }
}
