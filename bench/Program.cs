// Every benchmark, by the word that runs it. Each checks its results before it prints a time.
(string Name, string Summary, Action<string[]> Run)[] benchmarks =
[
    ("encode", "encoding beside llama.cpp's quantizers: [--out DIR]", Compress.Bench.EncodeBench.Run),
    ("train-grid", "trains the grids of Core, or measures their error and their search: --p 2..8 --n POINTS [--output FILE | --measure]", Compress.Bench.GridTraining.Run),
    ("grid-errors", "errors and sizes of all grids on drawn weights: [--out DIR]", Compress.Bench.GridErrorBench.Run),
    ("rotation", "kurtosis and error of a model's weights, without and with the random rotation: MODEL_FOLDER… [--out DIR]", Compress.Bench.RotationBench.Run),
    ("multiply", "products with packed weights beside TensorPrimitives.Dot and llama.cpp: [--size 4096] [--threads 1] [--batch 16] [--out DIR]",
        Compress.Bench.MultiplyBench.Run),
    ("dequantize", "unpacking beside writing as many floats: [--size 4096] [--out DIR]", Compress.Bench.DequantizeBench.Run),
    ("entropy", "entropy coding beside zlib and the entropy itself: [--size 4096] [--out DIR]", Compress.Bench.EntropyBench.Run),
    ("cache", "a model of 1 GB whose layers are all cached, beside hashing it: [--out DIR]", Compress.Bench.CachedCompression.Run),
    ("noop", "a build with nothing to do of a project with ten models: [--out DIR]", Compress.Bench.NoOpBuild.Run),
    ("rebuild", "builds with a warm cache, after a clean and after a change of one of 200 layers: [--out DIR]", Compress.Bench.RebuildBench.Run),
    ("forward", "a language model's forward pass beside PyTorch, its product beside the machine's peak: [MODEL_FOLDER] [--out DIR]", Compress.Bench.ForwardBench.Run),
    ("backward", "a language model's forward and backward pass beside PyTorch: [MODEL_FOLDER] [--out DIR]", Compress.Bench.BackwardBench.Run),
    ("calibration", "statistics of a language model's layers beside PyTorch's forward pass: [MODEL_FOLDER] [--out DIR]", Compress.Bench.CalibrationBench.Run),
    ("linear-algebra", "Cholesky, eigenvectors and error feedback beside the machine's peak: [--size 288,1024] [--out DIR]", Compress.Bench.LinearAlgebraBench.Run),
    ("feedback", $"perplexity with error feedback and without: {Compress.Bench.QualityTrial.Usage} [--out DIR]", Compress.Bench.FeedbackBench.Run),
    ("higgs", $"size and perplexity of HIGGS, budgets and feedback beside llama.cpp's types: {Compress.Bench.QualityTrial.Usage} [--plot FILE.svg] [--out DIR]",
        Compress.Bench.HiggsBench.Run),
    ("cvxq", $"size and perplexity of CVXQ beside rounding, error feedback, equal depths and HIGGS: {Compress.Bench.QualityTrial.Usage} [--out DIR]", Compress.Bench.CvxqBench.Run),
    ("crvq", $"size and perplexity of CRVQ and AQLM beside BiLLM and the other methods' fewest bits: {Compress.Bench.QualityTrial.Usage} [--critical 1,2] [--codebooks 2,4] [--out DIR]",
        Compress.Bench.CrvqBench.Run),
    ("families", "size and perplexity by recipes of all families, without training and with it: MODEL CALIBRATION_TEXT HELD_OUT_TEXT RECIPES_FOLDER [--unit paragraph] [--window N] [--limit N] [--steps N] [--plot FILE.svg] [--out DIR]", Compress.Bench.FamiliesBench.Run),
    ("mnist", "size and accuracy of a network for MNIST by every recipe of a folder: MODEL.safetensors RECIPES_FOLDER [--plot FILE.svg] [--out DIR]", Compress.Bench.MnistBench.Run),
    ("prediction", "what budgets predict beside what is measured: MODEL CALIBRATION_TEXT HELD_OUT_TEXT [--unit paragraph] [--window N] [--limit N] [--plot FILE] [--out DIR]",
        Compress.Bench.PredictionBench.Run),
    ("allocate", "the exact choice of forms for 1,000 layers: [--out DIR]", Compress.Bench.AllocationBench.Run),
    ("load", "time to the first tensor of packed models of 1 GB", Compress.Bench.Load.Run),
];

if (args.Length == 0 || Array.Find(benchmarks, b => b.Name == args[0]) is not { Run: not null } chosen)
{
    Console.WriteLine("usage: dotnet run --project bench -c Release -- NAME [options]");
    foreach (var (name, summary, _) in benchmarks)
    {
        Console.WriteLine($"  {name,-14} {summary}");
    }

    return args.Length == 0 ? 0 : 1;
}

chosen.Run(args[1..]);
return 0;
