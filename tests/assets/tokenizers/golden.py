"""Makes this folder's files that come from SentencePiece: lines, tokenizers, and the ids of each line.

    apt-get install python3-sentencepiece          # 0.1.97
    /usr/bin/python3 golden.py MODELS              # MODELS: a folder with text/, stories260K/ and novels6M/
    node golden.js                                 # then the files that come from Hugging Face's tokenizers; see there

lines.json     texts of novels, stories and plays as they stand, then lines of odd Unicode; two lists in one object
NAME.model     tokenizers trained here, by SentencePiece itself
NAME.ids.gz    for each line its ids, in decimal, separated by spaces; one line each
NAME.text.gz   a JSON list: the decoded text of each odd line's ids
*.json         tokenizers of Hugging Face's kind; the byte-level ones trained here by the published algorithm
normalization.json   SHA-256 of the normal forms of every code point below U+30000 and of each odd line
"""
import collections
import gzip
import hashlib
import json
import pathlib
import random
import sys
import unicodedata

import sentencepiece

HERE = pathlib.Path(__file__).parent
MODELS = pathlib.Path(sys.argv[1])


def text_lines():
    """2,000 lines, evenly spaced over each text."""
    wanted = {
        "text/tinystories_val.txt": 800, "text/austen_novels.txt": 600, "novels6M/val_austen.txt": 40,
        "novels6M/val_bronte.txt": 40, "novels6M/val_darwin.txt": 260, "novels6M/val_shakespeare.txt": 260,
    }
    for name, count in wanted.items():
        lines = [line for line in (MODELS / name).read_text("utf-8").split("\n") if line.strip()]
        yield from (lines[i * len(lines) // count] for i in range(count))


BY_HAND = [
    "", " ", "  ", "\t", "\r", "\r\n", "\n", "\n\n", " \n ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\0", "a\0b", "\x01\x7f\x80\x9f",
    " leading", "trailing ", "  two  in  a  row  ", "a   b    c", "tab\tand\ttab", "line\r\nline\r\n", "a\u00a0b", "a\u3000b", "a \u00a0 b",
    "\u2581", "\u2581\u2581", "a\u2581b", " \u2581 a", "a \u2581", "a\u2581 ", "\u2581a\u2581\u2581b\u2581", " \u2047 ", "\ufffd", "a\ufffd\ufffdb",
    "<s>", "</s>", "<unk>", "a<s>b", "<s> and </s>", "<pad>", "<0x41>", "<0x0A>", "a<0xFF>b", "[MASK]", "the [MASK]s", "<sep>", "x<sep><sep>y",
    " <sep> ", "<sep", "sep>", "<<sep>>", "foo", "afoo", "foobar", "foo bar foobarbaz", "FOO", "ma\u00f1ana <sep>", "<|endoftext|>",
    "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>", "<|endof", "<|custom|>", "  <|custom|>  x", "<|word|>", "a<|word|>", "a <|word|>.",
    "I'm, you're, he'll, I'd, we've, it's, don't; I'M, YOU'RE, HE'LL", "'s 't 're 've 'm 'll 'd 'S 'T", "\u2019s", "1", "12", "123", "1234567890",
    "3.14159, 2,718,281", "a1b22c333d4444", "\u0664\u0665\u0666 \u0967\u0968\u0969 \u00bd \u00b2 \u2168", "!!!???...", "a--b \u2014 c\u2026", "#@%&*()[]{}", "path/to/file.txt",
    "camelCaseWord snake_case_word", "http://example.com/?q=a%20b&c=d", "    indented\n        more\n", "x\n\n\n  y", "x \n y", "end\n", "end \n\n", "\n start",
    "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "\U0001f44d\U0001f3fd ok", "\u2764\ufe0f",
    "e\u0301 \u00e9 E\u0301\u0302 a\u0323\u0307 a\u0307\u0323", "\u0301", "a\u0301\u0301\u0301\u0301", "\u1e9b\u0323 \u1e9b\u0323", "\u212b \u00c5 A\u030a", "\u1100\u1161\u11a8 \uac01 \u1100\u1161",
    "\ufb01 \ufb02 \ufb03 \ufb00", "\u2460\u2461 \u3231 \u337f \u33a2", "\uff28\uff45\uff4c\uff4c\uff4f \uff12\uff10\uff12\uff16", "\uff76\uff9e\uff77\uff9f \u30ac\u30ad", "\u00df \u1e9e \u0130 \u0131 \u03c2\u03c3\u03a3",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002", "\u6771\u4eac\u90fd\u306b\u4f4f\u3093\u3067\u3044\u307e\u3059", "\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\u0928\u092e\u0938\u094d\u0924\u0947",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645", "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", "\u200fabc\u200e \u202eabc\u202c", "zero\u200bwidth\u200cjoin\u200der\u2060x\ufeffy", "soft\u00adhyphen",
    "\u2028\u2029\u0085\u000b\u000c", "a\u2028b\u0085c\u000bd", "\u2000\u2001\u2002\u2003\u2009\u200a\u202f\u205f", "a\u2003b", "\u1680", "\u180e", "\ue000\uf8ff", "\U0010ffff\U000f0000", "\ufffe\uffff", "\U00020000\U0002f800\U0002fa1d",
    "\U0001d400\U0001d7d8", "\u0f43 \u0958 \u2adc", "\u00b5 \u2126 \u2160", "\u00c0\u00e9\u00ee\u00f5\u00fc", "\u0441\u044a\u0435\u0448\u044c", "\u03b1\u03b2\u03b3", "\u00a9\u00ae\u2122\u20ac\u00a3", "\u201cquoted\u201d \u2018single\u2019",
    "a" * 300, " " * 100, "ab" * 150, "the" * 60, "the " * 60, "\u2581" * 50, "\U0001f600" * 40, "a\u0301" * 60, "1" * 50, "!" * 50, "\n" * 20, "x \t " * 20,
]

POOLS = [
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJ", "0123456789", "  \t\r\n\u00a0\u3000\u2003\u200b\ufeff", ".,;:!?'\"-()[]<>|/\\", "\u00e0\u00e9\u00ee\u00f1\u00f6\u00fc\u00df\u00e7",
    "\u0300\u0301\u0302\u0308\u0323\u0327\u0345\u05b8\u093c\u3099\u20dd", "\u0430\u0431\u0432\u0433\u0451\u0439", "\u03b1\u03ac\u1f00\u1f82\u03c9\u0390", "\u05d0\u05d1\u0627\u0628\u0644\u0651\ufefb\ufdfa",
    "\u4e00\u4e8c\u6f22\u5b57\uf900\ufa0e", "\u3042\u30a2\uff71\uff9e\u304b\u3099\u30fc", "\uac00\ub098\u1100\u1161\u11a8\u3131\uffa1", "\ufb01\u2460\u00bd\u2122\u2167\uff21\uff12\u33a1\u01c6\u1e9b", "\u2581\ufffd\0\x7f\u0085\u2028",
    "\U0001f600\U0001f468\u200d\U0001f3fd\ufe0f\U0001f1e9\U0001d400\U0002f800\U000e0041\U0010ffff",
]
WORDS = ["the ", " and", "there was", "Once upon a time", "<s>", "<sep>", "foo", "[MASK]", "<|endoftext|>", "<0x41>", "'ll ", "n't", "  ", " \n"]


def odd_lines():
    yield from BY_HAND
    draw = random.Random(20260401)
    for _ in range(400):
        parts = []
        for _ in range(draw.randint(1, 14)):
            if draw.random() < 0.25:
                parts.append(draw.choice(WORDS))
            elif draw.random() < 0.1:
                code = draw.randrange(0x110000)
                parts.append(chr(code) if not 0xD800 <= code < 0xE000 else "?")
            else:
                pool = draw.choice(POOLS)
                parts.append("".join(draw.choice(pool) for _ in range(draw.randint(1, 5))))
        yield "".join(parts)


def write_gz(name, text):
    (HERE / name).write_bytes(gzip.compress(text.encode("utf-8"), 9, mtime=0))


def train_sentencepiece(name, **settings):
    sentencepiece.SentencePieceTrainer.train(
        input=str(MODELS / "text/austen_novels.txt"), model_prefix=str(HERE / name), input_sentence_size=4000, num_threads=1,
        shuffle_input_sentence=False, minloglevel=2, **settings)
    (HERE / f"{name}.vocab").unlink()


def byte_alphabet():
    """GPT-2's bytes_to_unicode: printable bytes stand for themselves, the others for U+0100 and on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{byte: chr(byte) for byte in printable}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


def train_byte_level(count):
    """Byte-pair encoding by its definition: merge the most frequent pair within words, `count` times."""
    alphabet = byte_alphabet()
    text = (MODELS / "text/austen_novels.txt").read_text("utf-8")[:400_000]
    # Any division into words does for training.
    words = collections.Counter()
    word = ""
    for char in text:
        if word and (char.isspace() != word[-1:].isspace() or (char.isalnum() != word[-1].isalnum())) and word != " ":
            words[word] += 1
            word = ""
        word += char
    words[word] += 1
    pieces = {word: tuple(alphabet[byte] for byte in word.encode("utf-8")) for word in words}
    merges = []
    while len(merges) < count:
        pairs = collections.Counter()
        for word, parts in pieces.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for word, parts in pieces.items():
            merged, i = [], 0
            while i < len(parts):
                both = parts[i:i + 2] == best
                merged.append("".join(best) if both else parts[i])
                i += 2 if both else 1
            pieces[word] = tuple(merged)
    vocabulary = [alphabet[byte] for byte in range(256)] + ["".join(pair) for pair in merges]
    return vocabulary, merges


def added(id_, content, **flags):
    token = {"id": id_, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {**token, **flags}


def write_json(name, file):
    (HERE / f"{name}.json").write_text(json.dumps(file, ensure_ascii=False) + "\n", "utf-8")


def write_byte_level(name, normalizer, pre_tokenizer, more_tokens=(), no_merges=(), **model):
    vocabulary, merges = BYTE_LEVEL
    vocabulary = vocabulary + list(no_merges)
    end = len(vocabulary)
    tokens = [added(end, "<|endoftext|>")] + [added(end + 1 + i, content, **flags) for i, (content, flags) in enumerate(more_tokens)]
    write_json(name, {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens, "normalizer": normalizer, "pre_tokenizer": pre_tokenizer,
        "post_processor": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False,
            "vocab": {piece: i for i, piece in enumerate(vocabulary)}, "merges": [" ".join(pair) for pair in merges], **model},
    })


def write_metaspace():
    """stories260K's vocabulary with the normalization of another kind of file, and without byte fallback."""
    file = json.loads((MODELS / "stories260K/tokenizer.json").read_text("utf-8"))
    metaspace = {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}
    file.update(normalizer=None, pre_tokenizer=metaspace, decoder=metaspace)
    file["added_tokens"].append(added(512, "foo", special=False, normalized=True))
    file["added_tokens"].append(added(513, "[MASK]", lstrip=True))
    file["model"].update(byte_fallback=False)
    write_json("metaspace", file)


def write_normalization(odd):
    points = [chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000]
    hashes = {"unicode": unicodedata.unidata_version}
    for form in ["NFC", "NFD", "NFKC", "NFKD"]:
        text = "\n".join(unicodedata.normalize(form, part) for part in points + odd)
        hashes[form] = hashlib.sha256(text.encode("utf-8")).hexdigest()
    write_json("normalization", hashes)


LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")


def byte_level(use_regex, add_prefix_space=False):
    return {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": True, "use_regex": use_regex}


def split(pattern, behavior="Isolated", kind="Regex", invert=False):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


def main():
    texts, odd = list(text_lines()), list(odd_lines())
    assert len(texts) == 2000
    (HERE / "lines.json").write_text(
        '{\n"texts": [\n' + ",\n".join(json.dumps(line, ensure_ascii=False) for line in texts)
        + '\n],\n"odd": [\n' + ",\n".join(json.dumps(line) for line in odd) + "\n]\n}\n", "utf-8")

    train_sentencepiece("unigram", model_type="unigram", vocab_size=600, user_defined_symbols="<sep>,foo", control_symbols="[MASK]", normalization_rule_name="nmt_nfkc")
    train_sentencepiece("bpe-nfkc", model_type="bpe", vocab_size=600, user_defined_symbols="<sep>,foo", control_symbols="[MASK]", pad_id=3, normalization_rule_name="nfkc")
    rules = HERE / "rules.tsv"
    rules.write_text("41\t61\n42\t62\n43\t63\n61 301\tE1\n61 301 301\t2A\n2026\t2E 2E 2E\n3000\t20\nFB01\t66 69\n200B\t\n", "utf-8")
    train_sentencepiece(
        "unigram-bytes", model_type="unigram", vocab_size=700, byte_fallback=True, normalization_rule_tsv=str(rules), add_dummy_prefix=False,
        remove_extra_whitespaces=False, treat_whitespace_as_suffix=True, split_by_whitespace=False)
    rules.unlink()
    train_sentencepiece(
        "bpe-suffix", model_type="bpe", vocab_size=500, normalization_rule_name="identity", treat_whitespace_as_suffix=True,
        remove_extra_whitespaces=True, add_dummy_prefix=True)

    for name, model in {
            "stories260K": MODELS / "stories260K/tokenizer.model", "novels6M": HERE / "novels6M.model",
            **{name: HERE / f"{name}.model" for name in ["unigram", "bpe-nfkc", "unigram-bytes", "bpe-suffix"]}}.items():
        processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        ids = [processor.encode(line) for line in texts + odd]
        write_gz(f"{name}.ids.gz", "".join(" ".join(map(str, line)) + "\n" for line in ids))
        write_gz(f"{name}.text.gz", json.dumps([processor.decode(line) for line in ids[len(texts):]]))

    global BYTE_LEVEL
    BYTE_LEVEL = train_byte_level(500)
    custom = [("<|custom|>", {"special": False, "lstrip": True, "rstrip": True}), ("<|word|>", {"single_word": True})]
    write_byte_level("gpt2", None, byte_level(True, add_prefix_space=True), custom)
    write_byte_level("qwen2", {"type": "NFC"}, sequence(split(QWEN2), byte_level(False)), custom)
    write_byte_level("llama3", None, sequence(split(LLAMA3), byte_level(False)), no_merges=["\u0120gentleman", "Elizabeth", "\u0120very"], ignore_merges=True)
    write_byte_level("digits", {"type": "NFKC"}, sequence({"type": "Digits", "individual_digits": True}, byte_level(True)))
    write_byte_level(
        "splits",
        {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Replace", "pattern": {"Regex": "\\p{Mn}+"}, "content": "~"},
                                             {"type": "Replace", "pattern": {"String": "ll"}, "content": "LL"}]},
        sequence(
            {"type": "Digits", "individual_digits": False}, split(" ", "MergedWithNext", "String"), split("[.,!?]", "MergedWithPrevious"),
            split("the", "Removed", "String"), split("[aeiou]", "Contiguous"), split("[^xyz]+", "Isolated", invert=True), byte_level(False)))
    write_metaspace()
    write_normalization(odd)


main()
