using System.Globalization;
using Compress.Torch;
using TorchSharp;
using TorchSharpApp;
using static TorchSharp.torch;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not [var folder])
{
    Console.Error.WriteLine("Usage: TorchSharpApp FOLDER, with t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte of MNIST");
    return 1;
}

// 8,000 images to train on, and 2,000 others that only measure.
var (allImages, allLabels) = Digits.Read(folder, "t10k");
using var images = allImages.narrow(0, 0, 8000);
using var labels = allLabels.narrow(0, 0, 8000);
using var testImages = allImages.narrow(0, 8000, 2000);
using var testLabels = allLabels.narrow(0, 8000, 2000);

#if TRAINED
using var module = new Network();
module.load(Path.Combine(SourceFolder(), "Models", "mnist.dat"));
Console.WriteLine($"as trained:     {module.Accuracy(testImages, testLabels):P2}");

using var packed = Mnist.Load();
packed.LoadInto(module);
Console.WriteLine($"packed, loaded: {module.Accuracy(testImages, testLabels):P2}");

var replaced = Compressed.ReplaceLinears(module, packed);
Console.WriteLine($"packed layers:  {module.Accuracy(testImages, testLabels):P2} with {string.Join(" and ", replaced)} in {packed.Packed.PackedBytes:N0} bytes");
#else
random.manual_seed(1);
using var module = new Network();
using var optimizer = optim.Adam(module.parameters(), 1e-3);
for (int epoch = 1; epoch <= 5; epoch++)
{
    using var order = randperm(8000);
    for (int start = 0; start < 8000; start += 100)
    {
        using var scope = NewDisposeScope();
        var batch = order.narrow(0, start, 100);
        optimizer.zero_grad();
        nn.functional.cross_entropy(module.call(images.index_select(0, batch)), labels.index_select(0, batch)).backward();
        optimizer.step();
    }

    Console.WriteLine($"epoch {epoch}: {module.Accuracy(testImages, testLabels):P2}");
}

module.save(Path.Combine(SourceFolder(), "Models", "mnist.dat"));
Console.WriteLine("Saved Models/mnist.dat. Build and run again: the build compresses it.");
#endif
return 0;

static string SourceFolder([System.Runtime.CompilerServices.CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
