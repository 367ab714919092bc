using System;

// MSBuild finds this attribute by its full name; newer MSBuild assemblies define it, the one compiled against does not.
namespace Microsoft.Build.Framework;

/// <summary>The task may run in-process in a multithreaded build: it uses neither the current directory nor other process state.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
internal sealed class MSBuildMultiThreadableTaskAttribute : Attribute
{
}
