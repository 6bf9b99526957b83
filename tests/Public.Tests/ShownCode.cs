using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ILGpuDiffusion.Public.Tests;

/// <summary>C# code as pages show it, compiled against the public API.</summary>
internal static partial class ShownCode
{
    /// <summary>What the lines of a page use without declaring it.</summary>
    private const string Given = """
        DiffusionPipeline pipeline = null!;
        DiffusionPipeline refiner = null!;
        Layer model = null!;
        ImageRequest request = null!;
        string prompt = "", path = "", file = "";
        CancellationToken cancellation = default;
        IProgress<GenerationProgress> progress = null!;
        """;

    private static readonly CSharpParseOptions Language = new(LanguageVersion.Latest);

    private static readonly Lazy<MetadataReference[]> References = new(() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System", StringComparison.Ordinal)
                || Path.GetFileName(path) is "netstandard.dll" or "Microsoft.Extensions.Logging.Abstractions.dll"
                || Path.GetFileName(path).StartsWith("ILGpuDiffusion", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path))]);

    /// <summary>The C# blocks of a page.</summary>
    public static IEnumerable<string> Blocks(string page) => Fenced().Matches(page).Select(match => match.Groups[1].Value);

    /// <summary>The code in the last column of a page's tables.</summary>
    public static IEnumerable<string> TableCode(string page) =>
        page.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Inline().Matches(line.TrimEnd(' ', '|').Split(" | ")[^1]))
            .Select(match => match.Groups[1].Value.Replace("\\|", "|", StringComparison.Ordinal));

    /// <summary>What the compiler says about a block: a whole program if it begins with its namespaces, else some lines of one.</summary>
    public static IReadOnlyList<string> ErrorsOf(string block)
    {
        bool whole = block.StartsWith("using ILGpuDiffusion", StringComparison.Ordinal);
        string implied = string.Concat(new[] { "System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Threading",
            "System.Threading.Tasks" }.Concat(whole ? [] : Namespaces()).Select(name => $"global using {name};\n"));
        string given = string.Join('\n', Given.Split('\n').Where(line => !Declares(block, line)));
        string program = whole ? block : given + "\n" + block;
        var compilation = CSharpCompilation.Create("shown", [Parsed(implied), Parsed(program)], References.Value,
            new(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        return [.. compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error).Select(d => d.GetMessage(null))];
    }

    /// <summary>
    /// What the compiler says about code in a sentence: a statement, an expression, or the name of a setting of requests or options.
    /// </summary>
    public static IReadOnlyList<string> ErrorsOfInline(string code)
    {
        if (Identifier().IsMatch(code))
            return Settings.Any(type => type.GetProperty(code) is not null) ? [] : [$"no request and no options have '{code}'"];
        string[] readings = [code.TrimEnd(';') + ";", $"var value = {code};", $"var value = new ImageRequest(prompt) {{ {code} }};",
            $"var value = new PipelineOptions {{ {code} }};", $"var value = new CompileOptions {{ {code} }};"];
        var errors = readings.Select(ErrorsOf).ToArray();
        return errors.Any(e => e.Count == 0) ? [] : errors[0];
    }

    private static IEnumerable<Type> Settings => typeof(ILGpuDiffusion.Pipelines.DiffusionPipeline).Assembly.GetExportedTypes()
        .Concat(typeof(ILGpuDiffusion.Layers.Graphs.CompileOptions).Assembly.GetExportedTypes())
        .Where(type => type.Name is "ImageRequest" or "DiffusionPipeline" || type.Name.EndsWith("Options", StringComparison.Ordinal));

    private static IEnumerable<string> Namespaces() => new[] { typeof(ILGpuDiffusion.Pipelines.DiffusionPipeline),
            typeof(ILGpuDiffusion.Layers.Graphs.CompileOptions), typeof(ILGpuDiffusion.Compute.Devices.Device) }
        .SelectMany(type => type.Assembly.GetExportedTypes()).Select(type => type.Namespace!).Distinct();

    private static bool Declares(string block, string line) =>
        line.Split(' ') is [_, var name, ..] && Regex.IsMatch(block, $@"\b(var|DiffusionPipeline|ImageRequest) {name}\b");

    private static SyntaxTree Parsed(string text) => CSharpSyntaxTree.ParseText(text, Language);

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fenced();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Inline();

    [GeneratedRegex(@"^\w+$")]
    private static partial Regex Identifier();
}
