namespace Compress.Core.Diagnostics;

/// <summary>
/// Every diagnostic code. 1xxx: items and recipes; 2xxx: models and quality; 3xxx: cache; 4xxx: environment; 5xxx: our own faults.
/// Codes are never reused; each has a section in docs/diagnostics.md. This file is also compiled into the MSBuild task.
/// </summary>
public static class Codes
{
    // 10xx: compress.yaml
    public const string RecipeSyntax = "CMPR1001";
    public const string RecipeUnknownKey = "CMPR1002";
    public const string RecipeWrongType = "CMPR1003";
    public const string RecipeBadValue = "CMPR1004";
    public const string RecipeUnknownMethod = "CMPR1005";
    public const string RecipeSettingNotOfMethod = "CMPR1006";
    public const string RecipeMatchesNothing = "CMPR1007";
    public const string RecipeRuleShadowed = "CMPR1008";
    public const string RecipeNotReadable = "CMPR1009";
    public const string RecipeVersion = "CMPR1010";
    public const string RecipeConflict = "CMPR1011";
    public const string RecipeMissingKey = "CMPR1012";
    public const string RecipeSavesNothing = "CMPR1013";
    public const string RecipeNeedsRecovery = "CMPR1014";

    // 11xx: <CompressedModel> items and properties of the project
    public const string ItemModelMissing = "CMPR1101";
    public const string ItemBadMetadata = "CMPR1102";
    public const string ItemDuplicateClass = "CMPR1103";
    public const string ItemRecipeMissing = "CMPR1104";
    public const string ProjectNotReadable = "CMPR1105";
    public const string NameUnknown = "CMPR1106";

    // 20xx: model files
    public const string ModelNotReadable = "CMPR2001";
    public const string ModelUnknownFormat = "CMPR2002";
    public const string ModelMalformed = "CMPR2003";
    public const string ModelEmpty = "CMPR2004";
    public const string ModelNonFinite = "CMPR2005";
    public const string ModelTensorNotCompressible = "CMPR2006";
    public const string ModelNameTaken = "CMPR2007";
    public const string ModelValueOutOfRange = "CMPR2008";
    public const string ModelChanged = "CMPR2009";
    public const string ModelTensorTooLarge = "CMPR2010";
    public const string ModelStateDict = "CMPR2011";

    // 21xx: quality
    public const string GateFailed = "CMPR2101";
    public const string EvaluationText = "CMPR2102";

    // 22xx: packed files
    public const string PackedMalformed = "CMPR2201";

    // 23xx: language models and tokenizers
    public const string LanguageModelConfig = "CMPR2301";
    public const string LanguageModelUnknown = "CMPR2302";
    public const string LanguageModelTensors = "CMPR2303";
    public const string LanguageModelPacked = "CMPR2304";
    public const string LanguageModelTokens = "CMPR2305";
    public const string TokenizerNotReadable = "CMPR2310";
    public const string TokenizerMalformed = "CMPR2311";
    public const string TokenizerNotSupported = "CMPR2312";
    public const string TokenizerNotOfModel = "CMPR2313";
    public const string TokenFileMalformed = "CMPR2314";

    // 24xx: calibration
    public const string CalibrationMissing = "CMPR2401";
    public const string CalibrationTooLittle = "CMPR2402";
    public const string CalibrationNonFinite = "CMPR2403";
    public const string CalibrationUnused = "CMPR2404";
    public const string StatisticsMalformed = "CMPR2405";
    public const string StatisticsOfAnotherModel = "CMPR2406";
    public const string StatisticsLacking = "CMPR2407";
    public const string StatisticsUnusable = "CMPR2408";

    // 25xx: budgets
    public const string BudgetTooSmall = "CMPR2501";
    public const string BudgetBeyondTheorem = "CMPR2502";
    public const string BitsNotReached = "CMPR2503";

    // 30xx: cache
    public const string CacheNotWritable = "CMPR3001";
    public const string CacheEntryDamaged = "CMPR3002";

    // 40xx: environment
    public const string OutputNotWritable = "CMPR4001";
    public const string EngineNotFound = "CMPR4002";
    public const string SdkTooOld = "CMPR4003";
    public const string ArgumentInvalid = "CMPR4004";
    public const string RuntimeMissing = "CMPR4005";
    public const string LanguageNotSupported = "CMPR4006";
    public const string NotUpToDate = "CMPR4007";
    public const string FileAccess = "CMPR4008";
    public const string OutOfMemory = "CMPR4009";

    // 50xx: our own faults
    public const string Internal = "CMPR5001";
    public const string EngineDied = "CMPR5002";
}
