namespace Compress.Core.Recovery;

/// <summary>What training makes small. Bit-exact: the same numbers on every machine and for any number of threads.</summary>
internal interface ITrainingLoss
{
    /// <summary>The loss on windows that are not trained on, with tensors as they would be stored: rounded.</summary>
    /// <param name="values">The numbers that are trained.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    double Measure(float[] values, CancellationToken cancellationToken);

    /// <summary>The gradient on the windows of a step, without rounding.</summary>
    /// <param name="values">The numbers that are trained.</param>
    /// <param name="step">Steps done before.</param>
    /// <param name="gradient">Receives it.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    void Gradient(float[] values, int step, float[] gradient, CancellationToken cancellationToken);
}
