using System.Collections.Concurrent;
using ILGpuDiffusion.Compute.Devices;

namespace ILGpuDiffusion.Pipelines.Tests;

/// <summary>Collects the warnings that contain a text, such as a folder's path: other tests raise theirs at the same time.</summary>
internal sealed class NoticeLog : IDisposable
{
    private readonly string about;
    private readonly ConcurrentQueue<string> lines = [];

    public NoticeLog(string about)
    {
        this.about = about;
        Notices.Warning += Note;
    }

    public IReadOnlyCollection<string> Lines => [.. lines];

    public void Dispose() => Notices.Warning -= Note;

    private void Note(string line)
    {
        if (line.Contains(about, StringComparison.Ordinal)) lines.Enqueue(line);
    }
}
