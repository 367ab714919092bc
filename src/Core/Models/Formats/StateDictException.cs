namespace Compress.Core.Models.Formats;

/// <summary>It is not clear which dictionary of a checkpoint is the model, or there is none of the name that was given. The message says what there is.</summary>
public sealed class StateDictException : ModelFormatException
{
    /// <param name="file">The absolute path of the model's file.</param>
    /// <param name="message">For the user, without the path.</param>
    public StateDictException(string file, string message)
        : base(file, message)
    {
    }
}
