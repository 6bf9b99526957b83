using System.CommandLine;
using ILGpuDiffusion.Cli;

var root = new RootCommand("Draws pictures with diffusion models, in managed code from prompt to PNG.")
{
    GenerateCommand.Create(), InspectCommand.Create(), DevicesCommand.Create(), TokenizeCommand.Create(),
};
return await ExitCodes.RunAsync(root.Parse(args)).ConfigureAwait(false);
