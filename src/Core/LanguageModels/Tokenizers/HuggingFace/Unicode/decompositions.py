"""Makes decompositions.txt.gz from Python's unicodedata: a line for each code point that decomposes or has a combining class, in hexadecimal.

    C 0301 230           canonical combining class 230, decimal
    = 00C0 0041 0300     canonical decomposition, and the two compose again
    < 0340 0300          canonical decomposition that is not composed again (composition exclusions, singletons)
    ~ FB01 0066 0069     compatibility decomposition
"""
import gzip
import pathlib
import unicodedata


def lines():
    for code in range(0x110000):
        char = chr(code)
        if unicodedata.combining(char):
            yield f"C {code:04X} {unicodedata.combining(char)}"
        decomposition = unicodedata.decomposition(char)
        if decomposition.startswith("<"):
            yield f"~ {code:04X} {decomposition.split('> ')[1]}"
        elif decomposition:
            yield f"{'=' if unicodedata.normalize('NFC', char) == char else '<'} {code:04X} {decomposition}"


text = f"# Unicode {unicodedata.unidata_version}\n" + "\n".join(lines()) + "\n"
pathlib.Path(__file__).with_suffix(".txt.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
