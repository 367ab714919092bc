using Microsoft.Playwright;

namespace Compress.Page.Tests.Infra;

/// <summary>A Chromium that is installed on this machine, without a window. Nothing is downloaded.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>The program: <c>CHROMIUM</c> of the environment, or one in the path; null if there is none.</summary>
    public static string? Program { get; } = Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } named
        ? named
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(_ => Names, Path.Combine).FirstOrDefault(File.Exists);

    public async Task InitializeAsync()
    {
        if (Program is not null)
        {
            playwright = await Playwright.CreateAsync();
            browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program });
        }
    }

    public async Task DisposeAsync()
    {
        await (browser?.CloseAsync() ?? Task.CompletedTask);
        playwright?.Dispose();
    }

    /// <summary>Opens a file in a window of its own, and notes all that it asks for and complains of.</summary>
    /// <param name="file">The page.</param>
    /// <param name="width">Of the window; less than 600 is a phone's.</param>
    /// <param name="scheme">What the user prefers.</param>
    public async Task<OpenPage> Open(string file, int width = 1200, ColorScheme scheme = ColorScheme.Light)
    {
        var context = await browser!.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = 900 },
            ColorScheme = scheme,
            IsMobile = width < 600,
            HasTouch = width < 600,
            DeviceScaleFactor = 1,
        });
        var page = new OpenPage(await context.NewPageAsync());
        await page.Page.GotoAsync(new Uri(file).AbsoluteUri);
        return page;
    }
}

/// <summary>A page in the browser.</summary>
public sealed class OpenPage : IAsyncDisposable
{
    public OpenPage(IPage page)
    {
        Page = page;
        page.Request += (_, request) => Requests.Add(request.Url);
        page.PageError += (_, error) => Complaints.Add(error);
        page.Dialog += async (_, dialog) =>
        {
            Complaints.Add("a dialog: " + dialog.Message);
            await dialog.DismissAsync();
        };
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                Complaints.Add(message.Text);
            }
        };
    }

    public IPage Page { get; }

    /// <summary>Every address that was asked for, the page's own first.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Errors and warnings of the console, exceptions, dialogs.</summary>
    public List<string> Complaints { get; } = [];

    public ILocator this[string selector] => Page.Locator(selector);

    /// <summary>The text of an element.</summary>
    public async Task<string> Text(string selector) => (await Page.Locator(selector).TextContentAsync())!;

    /// <summary>The value of a script's expression.</summary>
    public Task<T> Run<T>(string script) => Page.EvaluateAsync<T>(script);

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();
}

/// <summary>A test that needs a browser.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = BrowserTests.WhyNot;
}

/// <summary>Tests that need a browser.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute() => Skip = BrowserTests.WhyNot;
}

/// <summary>All of them share one browser.</summary>
[CollectionDefinition(nameof(BrowserTests))]
public sealed class BrowserTests : ICollectionFixture<Browser>, ICollectionFixture<Comparison>
{
    /// <summary>Why they are skipped; null if they are not.</summary>
    public static string? WhyNot { get; } = Browser.Program is null
        ? "no Chromium on this machine: 'apt-get install chromium', or name one in the environment variable CHROMIUM"
        : null;
}
