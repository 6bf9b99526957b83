using System.CommandLine;
using System.CommandLine.Help;
using ILGpuDiffusion.Cli;
using ILGpuDiffusion.Compute;

var verbose = Options.Verbose();
var root = new RootCommand("""
    Draws pictures with diffusion models, in managed code from prompt to PNG.

      ilgd generate "a red heart"                        with the small model that ships with the tool
      ilgd generate "a castle at dusk" --model ~/sdxl    with any SDXL, SD 1.x or SD 2.x folder
      ilgd generate --help                               everything that can be asked for
    """)
{
    GenerateCommand.Create(), InspectCommand.Create(), TuneCommand.Create(), BenchCommand.Create(), DevicesCommand.Create(), CacheCommand.Create(), TokenizeCommand.Create(), verbose,
};
Notices.Warning += warning => Console.Error.WriteLine($"warning: {warning}");
Notices.Information += Console.Error.WriteLine;
root.Options.OfType<HelpOption>().Single().Action = new GroupedHelp();
// A prompt may begin with '@', which would else name a file to read arguments from. Without arguments a newcomer wants the help.
var configuration = new ParserConfiguration { ResponseFileTokenReplacer = null };
var parsed = root.Parse(args.Length == 0 ? ["--help"] : args, configuration);
if (parsed.GetValue(verbose)) Notices.Detailed += Console.Error.WriteLine;
return await ExitCodes.RunAsync(parsed).ConfigureAwait(false);
