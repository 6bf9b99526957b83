using ILGPU;
using ILGPU.Algorithms;

namespace ILGpuDiffusion.Compute.Devices;

/// <summary>
/// What generated code depends on apart from the kernel and its target: the versions of ILGPU and .NET, and our own part of the translation
/// with its intrinsics, patches and functions for device code.
/// </summary>
internal static class CompilerIdentity
{
    private static readonly Type[] Shared = [typeof(IlgpuTranslator), typeof(IlgpuInternals), typeof(TranslationHook),
        typeof(IntrinsicTable)];

    /// <summary>The identity for a language. Loads the compiler's assembly.</summary>
    public static string Of(GpuLanguage language)
    {
        string versions = $"ILGPU {typeof(Context).Assembly.GetName().Version}, Algorithms {typeof(XMath).Assembly.GetName().Version}, "
            + $".NET {Environment.Version.Major}";
        return language == GpuLanguage.Ptx ? $"{versions}, {CodeFingerprint.OfTypes([.. Shared, typeof(PtxText), typeof(PtxVersion)])}"
            : $"{versions}, {CodeFingerprint.OfTypes([.. Shared, typeof(OpenClText)])}, {CodeFingerprint.OfText(OpenClText.Functions)}";
    }
}
