using System.Reflection;
using ILGpuDiffusion.Compute.Files;
using Microsoft.Extensions.Logging;

namespace ILGpuDiffusion.Architecture.Tests;

/// <summary>Log messages have unique, stable ids, and external text reaches a log only escaped and bounded.</summary>
public sealed class LogTests
{
    /// <summary>The first event id of each log class; each has a hundred.</summary>
    private static readonly Dictionary<string, int> FirstIds = new()
    {
        ["DeviceLog"] = 1000,
        ["KernelLog"] = 1100,
        ["WeightsLog"] = 2000,
        ["GraphLog"] = 2100,
        ["CheckpointLog"] = 3000,
        ["SchedulerLog"] = 3100,
        ["PipelineLog"] = 3200,
        ["FamilyLog"] = 3300,
        ["AutoencoderLog"] = 3400,
    };

    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly string[] Assemblies = ["ILGpuDiffusion.Compute", "ILGpuDiffusion.Layers", "ILGpuDiffusion.Pipelines"];

    private static readonly (MethodInfo Method, LoggerMessageAttribute Message)[] Messages =
    [
        .. Assemblies.SelectMany(name => Assembly.Load(name).GetTypes()).SelectMany(type => type.GetMethods(All))
            .Select(method => (method, method.GetCustomAttribute<LoggerMessageAttribute>()!)).Where(found => found.Item2 is not null),
    ];

    [Fact]
    public void EventIds_OfAllMessages_AreUniqueAndOfTheirClass()
    {
        Assert.Equal(FirstIds.Keys.ToHashSet(), Messages.Select(m => m.Method.DeclaringType!.Name).ToHashSet());
        Assert.Empty(Messages.GroupBy(m => m.Message.EventId).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.Empty(Messages.GroupBy(m => m.Method.Name).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.All(Messages, m => Assert.Equal(FirstIds[m.Method.DeclaringType!.Name], m.Message.EventId / 100 * 100));
    }

    [Fact]
    public void Arguments_OfLogMessages_AreNumbersOrLogText()
    {
        var parameters = Messages.SelectMany(m => m.Method.GetParameters()).Where(p => p.ParameterType != typeof(ILogger)).ToArray();
        Assert.Contains(parameters, p => p.ParameterType == typeof(LogText));
        Assert.DoesNotContain(parameters, p => p.ParameterType != typeof(LogText) && !p.ParameterType.IsPrimitive);
    }

    /// <summary>A message without an id: the extension methods of <see cref="ILogger"/> take any text.</summary>
    [Theory, InlineData("Compute"), InlineData("Layers"), InlineData("Pipelines")]
    public void Sources_OfARoom_LogOnlyMessagesWithIds(string room) => Assert.All(Repository.Sources(room), file =>
        Assert.DoesNotMatch(@"\.Log(Trace|Debug|Information|Warning|Error|Critical)?\(\s*(\$?""|LogLevel)", File.ReadAllText(file)));
}
