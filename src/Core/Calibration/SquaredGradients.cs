using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Gradients;
using Compress.Runtime.Kernels;

namespace Compress.Core.Calibration;

/// <summary>
/// Squared gradients of the weights of linear layers. The gradients themselves are there for one layer at a time. A head that is tied to an
/// embedding counts as a linear layer alone.
/// </summary>
/// <param name="groups">Of a tensor, rows and columns of the groups that its squares are averaged over; null for tensors that are not wanted.</param>
/// <param name="outputs">The tensors of whose layers the squared gradients of outputs are wanted too.</param>
internal sealed class SquaredGradients(Func<string, (int Rows, int Columns)?> groups, Func<string, bool>? outputs = null) : IGradientObserver
{
    private readonly Dictionary<string, GradientMoments> moments = new(StringComparer.Ordinal), outputMoments = new(StringComparer.Ordinal);

    /// <summary>What was found, by tensor.</summary>
    public IReadOnlyDictionary<string, GradientMoments> Moments => moments;

    /// <summary>What was found of outputs, by tensor: [1, out], a pass for each token that had a gradient.</summary>
    public IReadOnlyDictionary<string, GradientMoments> OutputMoments => outputMoments;

    /// <summary>Tokens that were predicted, in all windows.</summary>
    public long Predicted { get; private set; }

    /// <inheritdoc/>
    public void OnLinear(in LinearGradient gradient)
    {
        if (outputs?.Invoke(gradient.Name) == true)
        {
            if (!outputMoments.TryGetValue(gradient.Name, out var squares))
            {
                outputMoments.Add(gradient.Name, squares = new(1, gradient.OutputWidth));
            }

            for (int token = 0; token < gradient.Tokens; token++)
            {
                squares.Add(gradient.OutputGradients.Slice(token * gradient.OutputWidth, gradient.OutputWidth));
            }
        }

        if (groups(gradient.Name) is not { } group)
        {
            return;
        }

        using var product = new Scratch(gradient.Rows, gradient.Columns);
        gradient.Compute(product.Span);
        if (!moments.TryGetValue(gradient.Name, out var sums))
        {
            moments.Add(gradient.Name, sums = new(gradient.Rows, gradient.Columns, group.Rows, group.Columns));
        }

        sums.Add(product.Span);
    }

    /// <summary>A backward pass from the cross-entropy of each window: the sum over its tokens, in nats.</summary>
    /// <param name="model">The model.</param>
    /// <param name="windows">Tokens, each predicted from those before it.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void AddCrossEntropies(LanguageModel model, IEnumerable<int[]> windows, CancellationToken cancellationToken = default)
    {
        foreach (int[] window in windows.Where(window => window.Length > 1))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var pass = model.Record(window);
            using var logits = new Scratch(window.Length, pass.VocabularySize);
            pass.ReadLogits(logits.Span);
            CrossEntropy.Backward(logits.Span, [.. window.AsSpan(1), -1]);
            Predicted += window.Length - 1;
            pass.BackwardFromLogits(logits.Span, this);
        }
    }

    /// <summary>
    /// Backward passes from components of the final hidden states, one at one token at a time, as CVXQ takes them: of each window another
    /// component in turn, at its first token, its last, and evenly between (arXiv 2409.02026; read in its code).
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="windows">Tokens.</param>
    /// <param name="components">[count, hidden width]; see <see cref="OutputCovariance.PrincipalComponents"/>.</param>
    /// <param name="stride">From one token to the next, at most; at least 1.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void AddComponents(
        LanguageModel model, IEnumerable<int[]> windows, float[] components, int stride, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        int width = model.HiddenWidth, count = components.Length / width, next = 0;
        foreach (int[] window in windows.Where(window => window.Length > 0))
        {
            var component = components.AsSpan(next++ % count * width, width);
            using var pass = model.Record(window);
            using var gradient = new Scratch(window.Length, width);
            gradient.Span.Clear();
            int steps = (window.Length - 1 + stride - 1) / stride;
            for (int step = 0; step <= steps; step++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int token = steps == 0 ? 0 : (int)((long)step * (window.Length - 1) / steps);
                var place = gradient.Span.Slice(token * width, width);
                component.CopyTo(place);
                pass.BackwardFromHidden(gradient.Span, this);
                place.Clear();
            }
        }
    }
}
