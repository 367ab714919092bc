using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Compress.Runtime.Codecs.Entropy;

/// <summary>
/// Decodes a block. Its codes are dealt out to several states in turn, so that eight of them are worked on by one instruction, and the next ones need not wait for them:
/// about as many instructions for 32 codes as one at a time takes for four.
/// </summary>
internal static unsafe class AnsDecoder
{
    /// <summary>States of a block that is not short.</summary>
    public const int Lanes = 32;

    private const int Step = 8; // lanes of a vector

    // Which of the next words goes to which lane, for each set of lanes that take one.
    private static readonly int[] Takers = BuildTakers();

    /// <summary>Decodes codes.</summary>
    /// <param name="table">Whose slots.</param>
    /// <param name="states">The states; they are lost.</param>
    /// <param name="words">What the states take up, 16 bits at a time.</param>
    /// <param name="codes">Receives the codes.</param>
    /// <param name="scalar">True to do without vectors: for tests.</param>
    /// <returns>False if the words are not exactly those that the codes take up: they are damaged.</returns>
    public static bool Decode(AnsTable table, Span<uint> states, ReadOnlySpan<ushort> words, Span<byte> codes, bool scalar = false)
    {
        int done = 0, word = 0;
        if (!scalar && Avx2.IsSupported && states.Length == Lanes)
        {
            (done, word) = Vectors(table.Slots, states, words, codes);
        }

        for (; done < codes.Length; done++)
        {
            uint state = states[done % states.Length], slot = table.Slots[state % AnsTable.Scale];
            state = ((((slot >> 8) & (AnsTable.Scale - 1)) + 1) * (state >> AnsTable.ScaleBits)) + (slot >> 20);
            if (state < AnsTable.LowerBound)
            {
                if (word == words.Length)
                {
                    return false;
                }

                state = (state << 16) | words[word++];
            }

            states[done % states.Length] = state;
            codes[done] = (byte)slot;
        }

        return word == words.Length && states.IndexOfAnyExcept(AnsTable.LowerBound) < 0;
    }

    // Whole rounds of all lanes, as long as words can be read eight at a time.
    private static (int Codes, int Words) Vectors(uint[] slots, Span<uint> states, ReadOnlySpan<ushort> words, Span<byte> codes)
    {
        int done = 0;
        fixed (uint* table = slots, state = states)
        fixed (ushort* first = words)
        fixed (int* takers = Takers)
        fixed (byte* to = codes)
        {
            var (x0, x1) = (Vector256.Load(state), Vector256.Load(state + Step));
            var (x2, x3) = (Vector256.Load(state + (2 * Step)), Vector256.Load(state + (3 * Step)));
            ushort* word = first, last = first + words.Length - Lanes - Step;
            for (; done + Lanes <= codes.Length && word <= last; done += Lanes)
            {
                var c0 = Advance(table, takers, ref x0, ref word);
                var c1 = Advance(table, takers, ref x1, ref word);
                var c2 = Advance(table, takers, ref x2, ref word);
                var c3 = Advance(table, takers, ref x3, ref word);

                // Packing works within halves of vectors: their quarters are put in order at the end.
                var low = Avx2.PackUnsignedSaturate(c0.AsInt32(), c1.AsInt32()).AsInt16();
                var high = Avx2.PackUnsignedSaturate(c2.AsInt32(), c3.AsInt32()).AsInt16();
                var all = Avx2.PackUnsignedSaturate(low, high).AsInt32();
                Vector256.Store(Avx2.PermuteVar8x32(all, Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).AsByte(), to + done);
            }

            Vector256.Store(x0, state);
            Vector256.Store(x1, state + Step);
            Vector256.Store(x2, state + (2 * Step));
            Vector256.Store(x3, state + (3 * Step));
            return (done, (int)(word - first));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Advance(uint* table, int* takers, ref Vector256<uint> state, ref ushort* word)
    {
        var slot = Avx2.GatherVector256(table, (state & Vector256.Create(AnsTable.Scale - 1u)).AsInt32(), sizeof(uint));
        var frequency = ((slot >> 8) & Vector256.Create(AnsTable.Scale - 1u)) + Vector256<uint>.One;
        var next = (frequency * (state >> AnsTable.ScaleBits)) + (slot >> 20);
        var takes = Vector256.Equals(next >> 16, Vector256<uint>.Zero);
        uint who = takes.ExtractMostSignificantBits();
        var words = Avx2.ConvertToVector256Int32(word);
        var taken = Avx2.PermuteVar8x32(words, Vector256.Load(takers + (Step * who))).AsUInt32();
        state = Vector256.ConditionalSelect(takes, (next << 16) | taken, next);
        word += BitOperations.PopCount(who);
        return slot & Vector256.Create(255u);
    }

    private static int[] BuildTakers()
    {
        int[] takers = new int[(1 << Step) * Step];
        for (int set = 0; set < 1 << Step; set++)
        {
            int next = 0;
            for (int lane = 0; lane < Step; lane++)
            {
                takers[(set * Step) + lane] = (set >> lane & 1) != 0 ? next++ : 0;
            }
        }

        return takers;
    }
}
