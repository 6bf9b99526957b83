using System.CommandLine;
using System.CommandLine.Help;
using ILGpuDiffusion.Cli;
using ILGpuDiffusion.Cli.Commands;
using ILGpuDiffusion.Cli.Terminal;

StandardStreams.Open();
try
{
    var (verbose, quiet) = (Options.Verbose(), Options.Quiet());
    var root = new RootCommand("""
        Draws images with diffusion models, in managed code from prompt to PNG.

          ilgd generate "a red heart"                with the small model that ships with the tool
          ilgd generate "a castle" --model ~/sdxl    with any SDXL, SD 1.x or SD 2.x folder or file
          ilgd generate --help                       everything that can be asked for
        """)
    {
        GenerateCommand.Create(), GridCommand.Create(), InspectCommand.Create(), QuantizeCommand.Create(), TuneCommand.Create(),
            BenchCommand.Create(), DevicesCommand.Create(), CacheCommand.Create(), PackCommand.Create(), TokenizeCommand.Create(), verbose,
            quiet,
    };
    root.Options.OfType<HelpOption>().Single().Action = new Help();
    // A prompt may begin with '@', which would otherwise name a response file. Without arguments the help is shown.
    var configuration = new ParserConfiguration { ResponseFileTokenReplacer = null };
    var parsed = root.Parse(args.Length == 0 ? ["--help"] : args, configuration);
    Messages.Quiet = parsed.GetValue(quiet);
    Messages.Verbose = parsed.GetValue(verbose);
    return await CommandInvocation.RunAsync(parsed).ConfigureAwait(false);
}
#pragma warning disable CA1031 // every failure here must end in a message and an exit code
catch (Exception e)
#pragma warning restore CA1031
{
    return CommandInvocation.Report(e, parsed: null);
}
