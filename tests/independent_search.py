"""Reads the search sections of Tome archives (sections 10 and 11 of src/format/FORMAT.md), written from that document ALONE.

`Suggestions` and `FullText` read the sections of an `independent_reader.Archive` and check all that the document says must hold;
`FullText.search` is a small search: all words of a query, in the forms in which they are typed.
"""
import html, re, struct
from bisect import bisect_left
from collections import Counter
from itertools import accumulate
from math import log

from independent_reader import PAGE, Cursor, Tree, columns, need, title_key, unknown
from independent_words import title_words, words

TITLE_CLASSES, TITLE_SYMBOLS, TITLE_ROOT, TITLE_NODES, TITLE_WORDS, TITLE_ROWS = range(19, 25)
SEARCH, ARTICLES, SYMBOLS, ROOT, NODES, WORDS, POSTINGS = range(25, 32)
TIMES = [0, 1, 2, 3, 4, 5, 6, 8, 10, 14, 20, 30, 45, 75, 130, 250]
VALUES = [0, 2, 4, 6, 8, 10, 13, 17, 23, 33, 48, 72, 115, 195, 360, 700]


def counted(archive, kind, expected):
    need(kind not in archive.sections or archive.sections[kind].count == expected, f"the count of section {kind} is not {expected}")


def rows_of_words(tree):
    """The leaves of a tree of words: each word once, no extra bytes, nothing counted."""
    last = None
    for leaf in tree.walk():
        need(not any(leaf.extra) and leaf.first_counted == 0, "a leaf of words has extra bytes or counts")
        need(all(a != b for a, b in zip([last] + leaf.keys, leaf.keys)), "a word is there twice")
        last = leaf.keys[-1]
        yield leaf


class Bits:
    """Numbers from the lowest bit of the first byte on."""

    def __init__(self, data):
        self.value, self.end, self.at = int.from_bytes(data, "little"), 8 * len(data), 0

    def take(self, n):
        need(n <= self.end - self.at, "bits go on behind their end")
        self.at += n
        return self.value >> (self.at - n) & (1 << n) - 1

    def until(self, bit):
        """How many other bits stand before the next `bit`, which is passed over."""
        rest = self.value >> self.at if bit else ~(self.value >> self.at)
        n = (rest & -rest).bit_length() - 1
        need(0 <= n < self.end - self.at, "bits go on behind their end")
        self.at += n + 1
        return n

    def gamma(self):  # 11.3
        z = self.until(1)
        need(z <= 32, "a number is too large")
        return 1 << z | self.take(z)

    def ends(self):
        need(self.value >> self.at == 0, "bits are left over")


class Suggestions:  # section 10
    def __init__(self, archive):
        """`archive.title_rows` are the keys and entries of the title table, in order."""
        self.archive, self.keys = archive, [key for key, _ in archive.title_rows]
        self.n = len(self.keys)
        self.ending = title_key("a" + archive.suffix.decode())[1:].encode()
        self.read_classes()
        self.read_words()

    def read_classes(self):
        data = self.archive.section(TITLE_CLASSES)
        counted(self.archive, TITLE_CLASSES, self.n)
        if not data:
            self.classes = None
            return
        level = self.classes = list(data[:self.n])
        levels = [level]
        while len(level) > 16:
            level = [max(level[i:i + 16]) for i in range(0, len(level), 16)]
            levels.append(level)
        need(data == b"".join(map(bytes, levels)), "classes of titles: a maximum or the length is wrong")
        # what a packer does, but for the classes' rounding: the r-th of N has about the class 255 - floor(254 log2(r) / log2(N + 1))
        for r, c in enumerate(sorted(self.classes, reverse=True), 1):
            need(abs(c - 255 + int(254 * log(r) / log(self.n + 1))) <= 1, "classes of titles are not spread by rank")

    def list(self, cur):
        """(rows, whether the word is the first of a title)"""
        number = cur.varint()
        n, first = number >> 1, bool(number & 1)
        need(n <= self.n, "a word has more rows than there are")
        blocks = [(cur.number(4), cur.number(4), cur.number(1)) for _ in range(-(-n // 128) if n > 128 else 0)]
        k = max(0, (69 * self.n // (100 * n)).bit_length() - 1) if n else 0
        rows, row, bits = [], -1, Bits(cur.data[cur.at:])
        for i in range(n):
            row += 1 + (bits.until(0) << k) + bits.take(k)
            need(row < self.n, "a row does not exist")
            rows.append(row)
            if blocks and (i % 128 == 127 or i == n - 1):
                greatest = max(self.classes[r] for r in rows[i // 128 * 128:])
                need(blocks[i // 128] == (row, bits.at, greatest), f"a block is {blocks[i // 128]}, not {(row, bits.at, greatest)}")
        size = -(-bits.at // 8)
        need(bits.take(8 * size - bits.at) == 0, "a list is not padded with zeros")
        cur.take(size)
        return rows, first

    def read_words(self):
        tree = Tree(self.archive, TITLE_ROOT, TITLE_NODES, TITLE_WORDS, TITLE_SYMBOLS)
        self.rows, cur = {}, Cursor(self.archive.section(TITLE_ROWS))
        for leaf in rows_of_words(tree):
            begins, = columns(leaf.records, [len(leaf.keys)])
            need(not any(leaf.records.rest()), "something follows a leaf's records")
            for word, begin in zip(leaf.keys, begins):
                need(begin == cur.at, "a list does not begin where the one before it ends")
                self.rows[word] = self.list(cur)
        need(cur.at == len(cur.data), "something follows the lists")
        counted(self.archive, TITLE_WORDS, len(self.rows))
        counted(self.archive, TITLE_ROWS, len(self.rows))
        counted(self.archive, TITLE_NODES, len(tree.nodes) // PAGE)

    def bare(self, key):
        size = len(self.ending)
        bare = key[:-size] if size and size < len(key) < 512 and key.endswith(self.ending) else key
        return bare.decode(errors="ignore").encode()  # only a cut key can end inside a code point

    def check(self):
        """Compares the lists with what the title keys ask for; returns the numbers of words and of rows compared."""
        expected, unsure = {}, set()
        for row, key in enumerate(self.keys):
            bare = self.bare(key)
            if unknown(bare.decode()):
                unsure.add(row)
                continue
            found, first = title_words(bare)
            for word in found:
                rows, is_first = expected.setdefault(word, ([], []))
                (is_first if word == first else rows).append(row)
        for word, (rows, first) in expected.items():
            need(word in self.rows, f"{word!r} is not among the words of titles")
            of_list = [row for row in self.rows[word][0] if row not in unsure]
            need(of_list == rows, f"the list of {word!r} is {of_list[:20]}, not {rows[:20]}")
            if not unsure:
                need(self.rows[word][1] == bool(first), f"{word!r} is (not) the first word of a title")
            if first and self.ending < b"0":  # then the rows of one first word follow each other
                begin, end = bisect_left(self.keys, word), bisect_left(self.keys, word + b"0")
                need([row for row in range(begin, end) if row not in unsure] == first, f"the rows that begin with {word!r} are others")
        need(unsure or len(expected) == len(self.rows), "a word is in no title")
        return len(expected), self.n - len(unsure)


class FullText:  # section 11
    def __init__(self, archive):
        self.archive = archive
        self.read_parameters()
        self.read_articles()
        self.read_words()

    def read_parameters(self):  # 11.1
        data = self.archive.section(SEARCH)
        need(len(data) <= 1 << 20, "the section search is too long")
        cur = Cursor(data)
        version, reserved, n_classes, self.n = (cur.number(size) for size in (1, 1, 2, 4))
        need(version == 1 and reserved == 0, "the index has an unknown version")
        need(n_classes <= 256, "too many classes")
        need(self.n == self.archive.head.n_articles, "the index is of another number of articles")
        self.averages = [cur.number(4) for _ in range(3)]
        self.slopes = [cur.number(2) for _ in range(3)]
        self.half, self.repeated = cur.number(2), cur.number(2)
        self.weights = [cur.number(1) for _ in range(3)]
        need(cur.number(1) == 0 and max(self.slopes) <= 256 and self.half >= 1 and max(self.weights) <= 16, "a parameter is wrong")
        self.classes = [tuple(cur.take(3)) for _ in range(n_classes)]
        need(len(set(self.classes)) == n_classes, "a class is there twice")
        need(all(t <= 3 and h <= 3 and b <= 15 for t, h, b in self.classes), "a class is too high")
        self.languages, self.frequent = ([cur.take(cur.number(1)) for _ in range(cur.number(2))] for _ in range(2))
        need(cur.at == len(data), "something follows the parameters")

    def read_articles(self):  # 11.2
        data = self.archive.section(ARTICLES)
        need(len(data) == 4 * self.n, "the section of articles has a wrong length")
        self.length_bytes = list(struct.iter_unpack("<3Bx", data))
        self.importance = list(data[3::4])
        meant = [length_of(byte) for byte in range(256)]
        self.lengths = [[meant[byte] for byte in bytes] for bytes in self.length_bytes]
        inverses = []  # 11.6, of each field and length byte
        for average, slope in zip(self.averages, self.slopes):
            average = average or 1
            divisors = [(256 - slope) * average + slope * length * 256 for length in meant]
            inverses.append([min(16384, 4096 * 256 * average // d) if d else 16384 for d in divisors])
        self.inverses = [tuple(inverses[f][byte] for f, byte in enumerate(bytes)) for bytes in self.length_bytes]
        self.amounts = [tuple(w * VALUES[c] for w, c in zip(self.weights, triple)) for triple in self.classes]

    def worth(self, article, code):  # 11.6, steps 1 to 3
        (t, h, b), (it, ih, ib) = self.amounts[code], self.inverses[article]
        amount = min((1 << 20) - 1, 1 + (t * it + h * ih + b * ib) // 16) if any(self.classes[code]) else self.repeated
        return 3276 * amount // (amount + self.half)

    def maximum(self, postings):
        return max(self.worth(article, code) * (1024 + self.importance[article]) >> 14 for article, code in postings)

    def read_words(self):  # 11.3
        tree = Tree(self.archive, ROOT, NODES, WORDS, SYMBOLS)
        self.words, self.tree, lists = {}, tree, Cursor(self.archive.section(POSTINGS))
        self.of_lists = 0
        for leaf in rows_of_words(tree):
            n = len(leaf.keys)
            need(all(1 <= len(key) <= 255 for key in leaf.keys), "a word is too short or too long")
            groups, begins = columns(leaf.records, [-(-n // 16)] * 2)
            data = leaf.records.rest()
            need(groups[0] == 0 and groups == sorted(groups), "groups are not one behind the other")
            for i, (start, begin) in enumerate(zip(groups, begins)):
                need(start < len(data), "a group is out of bounds")
                last = i + 1 == len(groups)
                bits = Bits(data[start:] if last else data[start:groups[i + 1]])
                need(begin == lists.at, "the lists of a group do not begin where those before end")
                self.read_group(leaf.keys[16 * i:16 * i + 16], bits, lists)
                need(last or bits.end - bits.at < 8, "bytes between groups")
                bits.ends()
        need(lists.at == len(lists.data), "something follows the lists")
        counted(self.archive, WORDS, len(self.words))
        counted(self.archive, SEARCH, len(self.words))
        counted(self.archive, POSTINGS, self.of_lists)
        counted(self.archive, ARTICLES, self.n)
        counted(self.archive, NODES, len(tree.nodes) // PAGE)
        used = [0] * len(self.classes)
        for postings in self.words.values():
            for _, code in postings:
                used[code] += 1
        need(used == sorted(used, reverse=True), "classes are not in the order of their numbers of postings")

    def read_group(self, keys, bits, lists):
        width = max(0, self.n - 1).bit_length()
        same, last = bits.take(1), None

        def code():
            return bits.gamma() - 1

        for key in keys:
            df = bits.gamma()
            need(df <= self.n, "a word is in more articles than there are")
            if df == 1:
                if not (same and last is not None and bits.take(1)):
                    last = bits.take(width)
                postings = [(last, code())]
            elif df <= 8:
                ordinals, gap = [bits.take(width)], bits.take(width.bit_length())
                need(gap <= width, "a width is too large")
                for _ in range(df - 1):
                    ordinals.append(ordinals[-1] + 1 + bits.take(gap))
                postings = [(ordinal, code()) for ordinal in ordinals]
            else:
                z = df.bit_length() - 1
                maximum, high = bits.take(8), bits.gamma() - 1
                length = high << z | bits.take(z)
                postings, greatest = self.read_list(Cursor(lists.take(length)), df)
                need(greatest == maximum, f"the maximum of {key!r} is {maximum}, not {greatest}")
                self.of_lists += 1
            need(all(a < b for (a, _), (b, _) in zip(postings, postings[1:])) and postings[-1][0] < self.n, "articles are out of order or bounds")
            need(all(c < len(self.classes) for _, c in postings), "a code is not known")
            self.words[key] = postings

    def read_list(self, cur, df):  # 11.4
        n_blocks, postings, greatest = -(-df // 128), [], 0
        heads = [(None, None, None)]
        if n_blocks > 1:
            widths = cur.number(1)
            a, b = widths & 15, widths >> 4
            need(1 <= a <= 4 and 1 <= b <= 4, "a list's widths are wrong")
            heads = [(cur.number(a), cur.number(b), cur.number(1)) for _ in range(n_blocks)]
        start, base = cur.at, 0
        for i, (last, end, maximum) in enumerate(heads):
            n = min(128, df - 128 * i)
            ordinals = self.ordinals(cur, n, base, last)
            codes = self.numbers(cur, n, cur.number(1), 8)
            need(len(set(ordinals)) == n and ordinals[-1] < self.n and last in (None, ordinals[-1]), "a block's ordinals are wrong")
            need(max(codes) < len(self.classes), "a code is not known")
            block = list(zip(ordinals, codes))
            need(end in (None, cur.at - start), "a block does not end where the head says")
            real = self.maximum(block)
            need(maximum in (None, real), f"a block's maximum is {maximum}, not {real}")
            postings, greatest, base = postings + block, max(greatest, real), ordinals[-1] + 1
        need(cur.at == len(cur.data), "something follows a list")
        return postings, greatest

    def ordinals(self, cur, n, base, last):  # 11.5
        tag = cur.number(1)
        if tag == 130:
            need(last is not None, "a run in a list of one block")
            return list(range(base, base + n))
        if tag == 128:
            need(last is not None and last >= base, "a bitmap in a list of one block")
            bits = cur.number((last - base) // 8 + 1)
            need(bits >> (last - base + 1) == 0 and bits.bit_count() == n, "a bitmap is wrong")
            return [base + i for i in range(last - base + 1) if bits >> i & 1]
        return list(accumulate(self.numbers(cur, n, tag, 32), lambda before, gap: before + 1 + gap, initial=base - 1))[1:]

    def numbers(self, cur, n, tag, widest):
        w, exceptions = tag & 63, tag >> 6
        need(exceptions <= 1 and w <= widest, "an unknown tag")
        exceptions = cur.number(1) if exceptions else 0
        if n < 128:
            bits = Bits(cur.take((n * w + 7) // 8))
            numbers = [bits.take(w) for _ in range(n)]
            bits.ends()
        else:
            data, mask = cur.take(16 * w), (1 << w) - 1
            lanes = [int.from_bytes(b"".join(data[at:at + 4] for at in range(4 * lane, 16 * w, 16)), "little") for lane in range(4)]
            numbers = [lanes[i & 3] >> (i >> 2) * w & mask for i in range(128)]
        places = []
        for _ in range(exceptions):
            place = cur.number(1)
            need(place < n, "an exception is out of bounds")
            places.append(place)
            if widest == 8:
                numbers[place] = cur.number(1)
            else:
                numbers[place] |= cur.varint() << w
        need(places == sorted(set(places)), "exceptions are not in order")
        return numbers

    def check_articles(self, titles):
        """Compares the field of titles with `titles`, those of the articles; returns how many were compared."""
        of_articles, compared = [{} for _ in range(self.n)], 0
        for word, postings in self.words.items():
            for article, code in postings:
                of_articles[article][word] = self.classes[code]
        for title, found, lengths in zip(titles, of_articles, self.length_bytes):
            if unknown(title):
                continue
            expected = Counter(words(title))
            told = {word: triple[0] for word, triple in found.items() if triple[0]}
            meant = {word: min(3, class_of_times(times)) for word, times in expected.items()}
            need(told == meant, f"the title {title!r} has the words {told}, not {meant}")
            need(lengths[0] == byte_of(sum(expected.values())), f"the title {title!r} has another length")
            compared += 1
        self.of_articles = of_articles
        return compared

    def check_text(self, article, title, text):
        """Every word that the index has of a page must stand in it, and as often as its class says."""
        ways = [Counter(words(way(text))) for way in (all_apart, all_joined, blocks_apart)]
        in_title = Counter(words(title))
        for word, (_, headings, body) in self.of_articles[article].items():
            times = max(way[word] for way in ways)
            need(times or in_title[word], f"{word!r} is not in the page {title!r}")
            need(TIMES[headings] <= times and TIMES[body] <= times, f"{word!r} is not so often in the page {title!r}")

    def lookup(self, key):
        """The postings of a word, found from the root."""
        number, slot = self.tree.lower_bound(key)
        there = number < self.tree.n_leaves and self.tree.leaf(number).keys[slot] == key
        need(there == (key in self.words), f"{key!r} is not found from the root")
        return self.words.get(key, [])

    def search(self, query, limit=10):
        """(score, ordinal) of the best articles that have all words of a query, as they are typed."""
        keys = dict.fromkeys(words(query))
        scores = None
        for key in keys:
            found = dict(self.lookup(key))
            weight = max(1, round(1024 * log(1 + (self.n - len(found) + 0.5) / (len(found) + 0.5))))
            part = {article: weight * self.worth(article, code) for article, code in found.items()}
            scores = part if scores is None else {article: scores[article] + part[article] for article in scores if article in part}
        scored = [(score * (1024 + self.importance[article]), article) for article, score in (scores or {}).items()]
        return sorted(scored, key=lambda hit: (-hit[0], hit[1]))[:limit]


def length_of(byte):  # 11.2
    e = (byte - 16) // 16
    return byte if byte < 32 else ((byte - 16 * e) << e) + (1 << e) // 2


def byte_of(length):  # 11.2
    m = length.bit_length() - 1
    return length if length < 32 else min(255, 16 * (m - 4) + (length >> (m - 4)))


def class_of_times(times):  # 11.2
    return bisect_left(TIMES, times + 1) - 1


# ---- three ways to take the markup out of a page; the words of a packer are among theirs ----

UNSEEN = re.compile(r"(?is)<(script|style)\b.*?</\1\s*>|<!--.*?-->|<![a-z][^>]*>")
TAG = re.compile(r"(?i)</?([a-z][a-z0-9]*)[^>]*>")
INLINE = set("a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strike strong sub sup time "
             "tt u var wbr".split())


def all_apart(page):
    return html.unescape(TAG.sub(" ", UNSEEN.sub(" ", page)))


def all_joined(page):
    return html.unescape(TAG.sub("", UNSEEN.sub("", page)))


def blocks_apart(page):
    return html.unescape(TAG.sub(lambda tag: "" if tag[1].lower() in INLINE else " ", UNSEEN.sub("", page)))
