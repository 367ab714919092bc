using Compress.Cli;
using Compress.Cli.Console;

using var interruption = Interruption.Install();
return CompressProgram.Run(args, new Session(Terminal.Process(), Environment.CurrentDirectory, interruption));
