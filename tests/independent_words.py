"""How texts are cut into words (sections 10 and 11.7 of src/format/FORMAT.md), written from that document ALONE.

It knows the code points of this Python's Unicode; texts that are `unknown` to it are not judged.
"""
import os, re, sys, unicodedata
from bisect import bisect_left
from functools import lru_cache

from blake3 import blake3

from independent_reader import LATIN, MARKS, SPELLING, code_points, spell, title_key

APART, LETTER, MARK, GRAM, APOSTROPHE = range(5)
APOSTROPHES = code_points("0027 00B4 02B9 02BB-02BF 0374 055A 05F3 1FBD 1FBF 2018 2019 201B 2032 2035 A78B A78C FF07")
JAMO = code_points("1160-11FF D7B0-D7FB FF9E FF9F")
GRAMS = code_points("0E00-0EFF 1000-109F 1100-11FF 1780-17FF 3000-31FF 3400-4DBF 4E00-9FFF A960-A97F A9E0-A9FF AA60-AA7F AC00-D7FF "
                    "F900-FAFF FF66-FFDC 116D0-116E3 16FF0-16FF6 1AFF0-1B16F 20000-3FFFD")
CHANGED = set("æðđħıłœøŧþ")


def is_word_character(char):  # section 10
    return unicodedata.category(char)[0] in "LMN"


def title_words(bare):
    """(words, first word or none) of a bare key's bytes (section 10)."""
    words, word = [], []
    for c in bare.decode() + " ":
        if is_word_character(c):
            word.append(c)
        elif word:
            words.append("".join(word).encode())
            word = []
    first = words[0] if words and bare.startswith(words[0]) and bare[len(words[0]):len(words[0]) + 1] < b"0" else None
    return set(words), first


@lru_cache(None)
def assigned():
    return [c for c in range(0x110000) if unicodedata.category(chr(c)) != "Cn"]


@lru_cache(None)
def class_of(c):
    kind = general_class(c)
    if unicodedata.category(c) == "Cn":
        i = bisect_left(assigned(), ord(c))
        before, after = (general_class(chr(n)) for n in (assigned()[i - 1], assigned()[min(i, len(assigned()) - 1)]))
        kind = before if before == after else APART
    return GRAM if kind == LETTER and c in GRAMS else kind


def general_class(c):
    category, key = unicodedata.category(c), title_key(c)
    if c in APOSTROPHES:
        return APOSTROPHE
    if category[0] == "M" or c > "\x7f" and spell(c) == "" or c in JAMO:
        return MARK
    if category[0] in "LN":
        kinds = {unicodedata.category(k)[0] for k in key}
        if kinds <= set("LNM") and kinds & set("LN"):
            return LETTER
    return APART


def within(text, size):
    """As many whole code points as `size` bytes hold."""
    return text.encode()[:size].decode(errors="ignore")


def tail(word, folded):
    """What stands behind the byte 0x01 (11.7)."""
    out, at, start = b"", 0, 0
    while start < len(word):
        end = start + 1
        while end < len(word) and class_of(word[end]) == MARK:
            end += 1
        cluster, before = word[start:end], word[:start]
        start = end
        if class_of(cluster[0]) != LETTER:
            continue
        first, *rest = unicodedata.normalize("NFD", cluster)
        base = first if first in SPELLING else first.casefold()
        marks = ""
        for c in rest:
            if c in MARKS:
                marks += c
            elif unicodedata.combining(c) == 0 and SPELLING.get(c) != "":
                break
        if not (base in LATIN and title_key(base) == base and marks or base in CHANGED) or base + marks == "i\u0307":
            continue
        letter = unicodedata.normalize("NFC", base + marks)
        key, places, own = title_key(letter), 0, len(title_key(before)) if before else 0
        while (place := folded.find(key, at)) >= 0 and place < own:
            places, at = places + 1, place + len(key)
        number = b"\x1f" * (places // 30) + (bytes([1 + places % 30]) if places % 30 else b"")
        if len(out) + len(number) + len(letter.encode()) > 64:
            break
        out, at = out + number + letter.encode(), own + len(key)
    return b"\1" + out if out else b""


@lru_cache(1 << 16)
def word_key(word):
    word = word[:256]
    folded = title_key(word)
    if len(folded.encode()) > 64:
        return within(folded, 64).encode()
    return folded.encode() + (b"" if word.isascii() else tail(word, folded))


@lru_cache(1 << 16)
def unit_key(unit):
    return within(title_key(unit[:256]), 32).encode()


class Letters(dict):
    def __missing__(self, point):
        self[point] = letter = "-LMGA"[class_of(chr(point))]
        return letter


LETTERS = Letters()
PIECE = re.compile("L(?:[LM]|A(?=L))*|(?:GM*)+")
UNIT = re.compile("GM*")


def words(text):
    """The keys of a text's words, in order."""
    out, classes = [], text.translate(LETTERS)
    for piece in PIECE.finditer(classes):
        if piece[0][0] == "L":
            out.append(word_key(text[piece.start():piece.end()]))
        else:
            units = [unit_key(text[u.start():u.end()]) for u in UNIT.finditer(classes, piece.start(), piece.end())]
            out += units if len(units) == 1 else [a + b for a, b in zip(units, units[1:])]
    return out


def main():
    """Compares section 11.7's examples, and its check value if this Python has Unicode 16.0, with what this module computes."""
    with open(os.path.join(os.path.dirname(__file__), "../src/format/FORMAT.md"), encoding="utf-8") as file:
        section = file.read().partition("\n### 11.7 ")[2].partition("\n## ")[0]
    section = re.sub(r"\\u\{([0-9a-f]+)\}", lambda m: chr(int(m[1], 16)), section)
    wrong = [text for text, keys in re.findall(r"(?m)^\| `(.+)` \| `(.*)` \|$", section) if b" ".join(words(text)).decode() != keys]
    if unicodedata.unidata_version.startswith("16."):
        classes = [0xD7FF if 0xD800 <= c < 0xE000 else c for c in range(0x110000)]
        if blake3(bytes(class_of(chr(c)) for c in classes)).hexdigest() not in section:
            wrong.append("the check value")
    print("\n".join(wrong) or "all as in section 11.7")
    return 1 if wrong or not section else 0


if __name__ == "__main__":
    sys.exit(main())
