#!/usr/bin/env python3
"""An independent reader of Tome archives, format 0.1, written from src/format/FORMAT.md ALONE.

    independent_reader.py ARCHIVE [--against FOLDER] [--texts N] [--json]
    independent_reader.py ARCHIVE --search QUERY [--search QUERY ...] [--json]

It checks every byte of an archive that can be checked, lists the entries (with --json as one JSON object a line, and last an
object with file_id and content_id), and exits 0 if all is right, else 1 with messages on stderr. With --against, it compares
articles and media with the files of a folder. With --texts, it looks whether the words that the full-text index has of N pages stand
in them. With --search, it lists instead the best ten articles that have all words of a query, in the forms as they are typed: a
line each with query, score and path, or with --json an object for each query. Section numbers in the comments are those of FORMAT.md.
Needs `zstandard` and `blake3` from PyPI. It is made to be plain, not fast: all of an archive's tables are held in memory.
"""
import argparse, json, mmap, os, re, struct, sys, unicodedata
from bisect import bisect_left
from collections import namedtuple
from functools import lru_cache
import zstandard
from blake3 import blake3

PAGE, NONE = 4096, 0xFFFFFFFF
MAGIC = b"\x89TOME\r\n\x1a"
(METADATA, CLASSES, PATH_SYMBOLS, TITLE_SYMBOLS, KEY_SYMBOLS, ENTRY_ROOT, TITLE_ROOT, SUFFIX, ENTRY_NODES, TITLE_NODES, BLOCKS,
 ENTRIES, TITLES, LONG_NAMES, READING_ORDER, LANGUAGES, PARITY, COPIES) = range(1, 19)
LAST_KIND = 31
OF_PAGES = {ENTRY_NODES, TITLE_NODES, BLOCKS, ENTRIES, TITLES, COPIES, 22, 23, 29, 30}
KINDS = ["article", "media", "redirect"]
HEAD = struct.Struct("<8s16sHHBBHQQQQQQIIIIII32s")
Header = namedtuple("Header", "magic checksum major minor title_key title_rule packer required optional body_end signature_len "
                    "tables_offset table_pages n_blocks n_entries n_articles n_media n_redirects main content_id")
Section = namedtuple("Section", "kind flags copy offset len count")
Block = namedtuple("Block", "offset stored_len raw_len codec reference hash")
Entry = namedtuple("Entry", "path cls blob target title fragment leaf slot")  # blob: (block, offset, length); target: an id


class Damage(Exception):
    """Something that is not as FORMAT.md says, where the current step cannot go on."""


# What damaged bytes can lead to in any step; a step that raises one of these ends with a message.
EXPECTED = (Damage, struct.error, IndexError, KeyError, ValueError, OverflowError, zstandard.ZstdError, OSError, MemoryError)


def need(condition, message):
    if not condition:
        raise Damage(message)


def digest(data):
    return blake3(data).digest(16)


def blake(data):
    return blake3(data).digest()


def pages_of(data):
    return [data[i:i + PAGE] for i in range(0, len(data), PAGE)]


class Cursor:
    """Reads numbers one behind the other and never leaves its bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        need(n <= len(self.data) - self.at, "something goes on behind its end")
        self.at += n
        return bytes(self.data[self.at - n:self.at])

    def rest(self):
        return self.take(len(self.data) - self.at)

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def varint(self):  # section 1
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                need(value <= NONE and (byte or shift == 7), "a varint is not in its shortest form or too large")
                return value
            need(shift < 35, "a varint is too long")

    def length(self):  # section 8.3
        byte = self.number(1)
        if byte < 251:
            return byte
        need(byte <= 253, "a length of an unknown size")
        value = self.number(2 << (byte - 251))
        need(value >= (251, 1 << 16, 1 << 32)[byte - 251], "a length is not in its shortest form")
        return value

    def string(self):
        return self.take(self.length())

    def list(self, element):
        values = []
        for _ in range(self.length()):
            values.append(element())  # every element takes bytes, so a wild length soon ends in Damage
        need(self.at == len(self.data), "a list does not fill its section")
        return values


# ---- the title key (section 9), for code points that this Python's Unicode knows ----

def code_points(ranges):
    parts = [[int(end, 16) for end in item.split("-")] for item in ranges.split()]
    return {chr(c) for part in parts for c in range(part[0], part[-1] + 1)}


SPELLING = {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "þ": "th", "ı": "i"}
for _to, _from in {
    " ": "0009-000D 0020 005F 0085 00A0 1680 2000-200A 2028-2029 202F 205F 3000",
    "": "0000-0008 000E-001F 007F-0084 0086-009F 00AD 034F 0591-05BD 05BF 05C1-05C2 05C4-05C5 05C7 0600-0605 0610-061A 061C 0640 "
        "064B-0652 0656-065E 0670 06D6-06DD 06DF-06E4 06E7-06E8 06EA-06ED 070F 0890-0891 0897-089F 08CA-08FF 115F-1160 17B4-17B5 "
        "180B-180F 200B-200F 202A-202E 2060-2064 2066-206F 3164 FB1E FE00-FE0F FEFF FFA0 FFF9-FFFB 10EFC-10EFF 110BD 110CD "
        "13430-1343F 1BCA0-1BCA3 1D173-1D17A E0001 E0020-E007F E0100-E01EF",
    "-": "002D 058A 05BE 1400 1806 2010-2015 2043 2212 2E17 2E1A 2E3A-2E3B 2E40 2E5D 3030 30A0 FE31-FE32 FE58 FE63 FF0D 10D6E 10EAD",
    "~": "301C",
    "'": "0060 00B4 02B9 02BB-02BF 0384 055A 05F3 1FBD 1FBF 1FFE 2018-201B 2032 2035 2039-203A 275B-275C 275F A78C",
    '"': "00AB 00BB 02EE 05F4 201C-201F 2033 2036 275D-275E 2760 2E42 301D-301F 1F676-1F678",
}.items():
    SPELLING.update(dict.fromkeys(code_points(_from), _to))
MARKS = code_points("0300-036F 1AB0-1ACE 1DC0-1DFF 20D0-20F0 FE20-FE2F")
GREEK = code_points("0371-0377 037B-037D 03B1-03E1 03F3-03FC 1D26-1D2A AB65 10140-1018E 101A0 1D200-1D245")
LATIN = code_points("0061-007A 0138-02AF 1D00-1D25 1D2F-1EFF 214E 2180-2188 2C61-2C7B A723-A787 A78E-A7CD A7D1 A7D3 A7D5-A7DB "
                    "A7F6-A7FF AB30-AB5A AB60-AB64 AB66-AB68 10780 1DF00-1DF1E 1DF25-1DF2A")
CYRILLIC = code_points("0430-052F 1C8A 1D2B A641-A69B")


@lru_cache(None)
def spell(char):
    out = []
    for a in unicodedata.normalize("NFD", char):
        if a in SPELLING:
            out.append(SPELLING[a])
        else:
            for b in unicodedata.normalize("NFKD", a):
                out += [SPELLING.get(c, c) for c in (b if b == "\u0345" else b.casefold())]
    return "".join(out)


def unknown(text):
    """Whether a text has what this Python's Unicode cannot judge: what it does not know may be assigned in Unicode 16.0."""
    return int(unicodedata.unidata_version.split(".")[0]) > 16 or any(
        unicodedata.category(c) == "Cn" and ord(c) & 0xFFFE != 0xFFFE and not "\ufdd0" <= c <= "\ufdef" for c in text)


def title_key(title):
    """The key of a title, or None if this Python's Unicode cannot tell."""
    if unknown(title):
        return None
    text = re.sub(" +", " ", "".join(map(spell, title))).strip(" ")
    out, base = [], ""
    for c in text:
        if c in MARKS:
            if base in LATIN or base in GREEK:
                continue
            if base in CYRILLIC and (c == "\u0300" or c == "\u0301" and base not in "\u0433\u0437\u043a\u0441"
                                     or c == "\u0308" and base == "\u0435"):
                continue
        elif unicodedata.combining(c) == 0:
            base = c
        out.append(c)
    return unicodedata.normalize("NFC", "".join(out))


# ---- trees of strings (section 6) ----

def symbol_table(data):  # 6.1
    if not data:
        return []
    cur = Cursor(data)
    lengths = cur.take(cur.number(1))
    need(all(1 <= n <= 8 for n in lengths), "a symbol's length is not 1 to 8")
    symbols = [cur.take(n) for n in lengths]
    need(cur.at == len(data), "symbols do not fill their section")
    return symbols


def decode(codes, symbols):
    out, codes = [], iter(codes)
    for code in codes:
        if code < len(symbols):
            out.append(symbols[code])
        else:
            need(code == 255, "an invalid code")
            literal = next(codes, None)
            need(literal is not None, "code 255 at the end")
            out.append(bytes([literal]))
    return b"".join(out)


def columns(cur, counts):  # 6.4: all descriptors, then all values
    described = [(cur.number(8), cur.number(1)) for _ in counts]
    result = []
    for (base, width), count in zip(described, counts):
        need(width <= 64, "a column is wider than 64 bits")
        bits = cur.number((count * width + 7) // 8)
        need(bits >> (count * width) == 0, "a column's padding is not zero")
        result.append([base + (bits >> (i * width) & (1 << width) - 1) for i in range(count)])
    return result


class Leaf:  # 6.2
    def __init__(self, page, symbols):
        n, records, self.first_rank, self.first_counted, flags, prefix_len = struct.unpack_from("<HHIIBB", page)
        need(n >= 1 and records <= PAGE and flags <= 1, "a leaf's head is wrong")
        cur = Cursor(page[:records])
        cur.at = 14
        prefix = cur.take(prefix_len)
        restarts = [cur.number(2) for _ in range(0, n, 16)]
        self.keys, self.extra = [], []
        number, rest = 0, b""
        for row in range(n):
            if row % 16 == 0:
                need(restarts[row // 16] == cur.at, "a restart is not where its row begins")
            head = cur.number(1)
            z, c = head >> 4, head & 15
            if row % 16 == 0:
                need(z == 0, "a restart shares bytes")
                number = 0
            else:
                number = cur.varint() if z == 15 else number - (z + 1) // 2 if z & 1 else number + z // 2
            need(0 <= number <= len(rest), "a row shares more than there is")
            if c == 15:
                c += cur.varint()
            rest = rest[:number] + decode(cur.take(c), symbols)
            need(len(prefix) + len(rest) <= 512, "a key is too long")
            self.keys.append(prefix + rest)
            self.extra.append(cur.take(cur.varint()) if flags & 1 else b"")
        need(cur.at == records, "rows do not end where records begin")
        self.records = Cursor(page[records:])


class Node:  # 6.3
    def __init__(self, data, is_page):
        cur = Cursor(data)
        self.level, reserved, self.n, self.first_child = (cur.number(size) for size in (1, 1, 2, 4))
        need(self.n >= 1 and reserved == 0, "a node's head is wrong")
        self.ranks = [cur.number(4) for _ in range(self.n)]
        self.counted = [cur.number(4) for _ in range(self.n)]
        ends = [0] + [cur.number(2) for _ in range(self.n)]
        need(ends == sorted(ends), "separators end in the wrong order")
        self.separators = [cur.take(b - a) for a, b in zip(ends, ends[1:])]
        rest = cur.rest()
        need(not any(rest) and (is_page or not rest), "something follows a node's separators")


class Tree:
    def __init__(self, archive, root, nodes, leaves, symbols):
        self.archive, self.nodes, self.kinds = archive, archive.section(nodes), (root, leaves)
        data = archive.section(root)
        self.root = Node(data, False) if data else None
        self.symbols = symbol_table(archive.section(symbols))
        self.n_leaves = archive.length(leaves) // PAGE
        self.node = lru_cache(None)(lambda i: Node(self.page(self.nodes, i), True))
        self.leaf = lru_cache(None)(lambda i: Leaf(archive.section(leaves, i), self.symbols))

    def page(self, data, i):
        need(i < len(data) // PAGE, "a node's child does not exist")
        return data[i * PAGE:(i + 1) * PAGE]

    def walk(self):
        """All leaves in order, from the root down; checks what nodes say of them."""
        seen, leaves = set(), []
        keys = {"last": b"", "rank": 0, "counted": None}

        def visit(node):
            for i in range(node.n):
                child, separator = node.first_child + i, node.separators[i]
                first = self.first_leaf(node, child)
                need(node.ranks[i] == first.first_rank and node.counted[i] == first.first_counted, "a node's rank or count is wrong")
                if i:
                    need(keys["last"] < separator <= first.keys[0] or separator == first.keys[0] == keys["last"], "a separator is wrong")
                if node.level:
                    need(child not in seen, "a node has two parents")
                    seen.add(child)
                    need(self.node(child).level == node.level - 1, "a node's level is wrong")
                    visit(self.node(child))
                else:
                    need(child == len(leaves), "leaves are not in order")
                    need(first.first_rank == keys["rank"], "a leaf's first rank is wrong")
                    need([keys["last"]] + first.keys == sorted([keys["last"]] + first.keys), "keys are not in order")
                    leaves.append(first)
                    keys["last"], keys["rank"] = first.keys[-1], keys["rank"] + len(first.keys)

        if self.root:
            visit(self.root)
        need(len(leaves) == self.n_leaves and len(seen) == len(self.nodes) // PAGE, "leaves or nodes that the root does not lead to")
        return leaves

    def first_leaf(self, node, child):
        for level in range(node.level, 0, -1):
            down = self.node(child)
            need(down.level == level - 1, "a node's level is wrong")
            child = down.first_child
        return self.leaf(child)

    def lower_bound(self, key):
        """(leaf number, slot) of the first row whose key is not less; the leaf may be one behind the last."""
        if not self.root:
            return 0, 0
        node = self.root
        while True:
            child = node.first_child + max(0, bisect_left(node.separators, key, 1) - 1)
            if node.level == 0:
                slot = bisect_left(self.leaf(child).keys, key)
                return (child, slot) if slot < len(self.leaf(child).keys) else (child + 1, 0)
            node = self.node(child)


# ---- the archive ----

class Archive:
    def __init__(self, data, complain):
        self.data, self.complain = data, complain
        self.open_first_page()
        self.read_tables()
        self.read_blocks()
        self.raw = lru_cache(8)(self.decode_block)
        self.decompressor = lru_cache(8)(self.make_decompressor)

    def open_first_page(self):  # sections 2 and 3
        data = self.data
        need(len(data) >= 2 * PAGE, "the file is too short")
        copies = [data[:PAGE], data[-PAGE:]]
        good = [p for p in copies if p[:8] == MAGIC and p[8:24] == digest(p[:8] + bytes(16) + p[24:])]
        need(good, "this is no Tome archive, or both first pages are damaged")
        if len(good) < 2 or good[0] != good[1]:
            self.complain("a first page is damaged, or the two are not the same")
        page = self.first = good[0]
        h = self.head = Header(*HEAD.unpack_from(page))
        need((h.major, h.minor) == (0, 1), f"version {h.major}.{h.minor} is not 0.1")
        need(h.required == 0, "the archive requires unknown features")
        need(h.title_key == 1 and h.title_rule <= 2, "unknown title key or rule")
        need(not any(page[136:1024]), "reserved bytes of the first page are not zero")
        need(h.n_articles + h.n_media + h.n_redirects == h.n_entries, "the numbers of entries do not add up")
        need(h.main == NONE or h.main < h.n_entries, "the main page does not exist")
        # the levels of the hash tree (section 4): (digests, pages), lowest first
        self.levels, digests = [], h.table_pages
        while digests > 64:
            self.levels.append((digests, -(-digests // 256)))
            digests = self.levels[-1][1]
        self.top = page[1024:1024 + 16 * digests]
        need(not any(page[1024 + 16 * digests:2048]), "top is not padded with zeros")
        self.tree_pages = sum(pages for _, pages in self.levels)
        gap = PAGE * (self.tree_pages == 1)
        self.tree_at = h.tables_offset + PAGE * h.table_pages
        need(h.tables_offset >= PAGE and h.tables_offset % PAGE == 0, "tables_offset is wrong")
        need(h.body_end == self.tree_at + gap + 2 * PAGE * self.tree_pages, "body_end is wrong")
        need(len(data) == h.body_end + h.signature_len + PAGE, "the file's length is wrong")
        self.second_tree_at = self.tree_at + gap + PAGE * self.tree_pages
        if any(data[self.tree_at + PAGE:self.tree_at + PAGE + gap]):
            self.complain("the gap between the trees is not zero")
        self.file_id = blake(page[:8] + bytes(16) + page[24:56] + bytes(8) + page[64:])
        self.sections = {}
        rows = [Section(*struct.unpack_from("<HHIQQQ", page, at)) for at in range(2048, PAGE, 32)]
        used = [row for row in rows if row.kind]
        need(all(not any(row) for row in rows if not row.kind), "an unused section row is not zero")
        end = 0
        for row in sorted(used, key=lambda row: (row.offset, row.len)):
            need(row.kind <= LAST_KIND or row.flags & 1, f"unknown section {row.kind}")
            need(row.kind not in self.sections, f"section {row.kind} occurs twice")
            need(end <= row.offset <= row.offset + row.len <= PAGE * h.table_pages, f"section {row.kind} is out of bounds or overlaps")
            need(row.kind not in OF_PAGES or row.offset % PAGE == row.len % PAGE == 0, f"section {row.kind} is not of pages")
            need(row.copy < max(h.table_pages, 1), f"the copy of section {row.kind} is out of bounds")
            self.sections[row.kind], end = row, row.offset + row.len
        need(self.length(BLOCKS) == PAGE * -(-h.n_blocks // 151), "the section of blocks has a wrong length")
        need(self.length(ENTRIES) >= h.n_entries, "the section of entries is too short")

    def read_tables(self):
        """Checks both copies of the tree and all table pages (section 4), repairs pages from copies, and looks between sections."""
        above, skip = self.top, 0
        for digests, n in reversed(self.levels):
            level = b""
            for i in range(n):
                at = PAGE * (skip + i)
                copies = [self.data[start + at:start + at + PAGE] for start in (self.tree_at, self.second_tree_at)]
                right = [page for page in copies if digest(page) == above[16 * i:16 * i + 16]]
                if len(right) < 2:
                    self.complain(f"page {skip + i} of the hash tree is damaged in {2 - len(right)} of 2 copies")
                level += right[0] if right else bytes(PAGE)
            if any(level[16 * digests:]):
                self.complain("a level of the hash tree is not padded with zeros")
            above, skip = level, skip + n
        start, size = self.head.tables_offset, PAGE * self.head.table_pages
        tables = pages_of(self.data[start:start + size])
        ok = [digest(page) == above[16 * i:16 * i + 16] for i, page in enumerate(tables)]
        copy_of, copies = {}, self.sections.get(COPIES, Section(0, 0, 0, 0, 0, 0))
        for row in self.sections.values():
            if row.copy and row.len:
                first, last = row.offset // PAGE, (row.offset + row.len - 1) // PAGE
                for i in range(first, last + 1):
                    copy = copy_of[i] = row.copy + i - first
                    need(copies.offset <= PAGE * copy < copies.offset + copies.len, f"the copy of section {row.kind} is not in copies")
        self.bad_pages = set()
        for i, good in enumerate(ok):
            if not good:
                copy = copy_of.get(i)
                repaired = copy is not None and digest(tables[copy]) == above[16 * i:16 * i + 16]
                self.complain(f"table page {i} is damaged{', but has a copy' if repaired else ''}")
                if repaired:
                    tables[i] = tables[copy]
                else:
                    self.bad_pages.add(i)
            elif i in copy_of and ok[copy_of[i]] and tables[copy_of[i]] != tables[i]:
                self.complain(f"table page {copy_of[i]} is not the copy of page {i}")
        self.tables = b"".join(tables)
        at = 0
        for row in [*sorted(self.sections.values(), key=lambda row: (row.offset, row.len)), Section(0, 0, 0, size, 0, 0)]:
            if any(self.tables[at:row.offset]):
                self.complain("bytes between the sections are not zero")
            at = row.offset + row.len

    def length(self, kind):
        return self.sections[kind].len if kind in self.sections else 0

    def section(self, kind, page=None):
        """A section's bytes, or those of one of its pages; empty if there is no such section."""
        row = self.sections.get(kind) or Section(kind, 0, 0, 0, 0, 0)
        begin, end = row.offset, row.offset + row.len
        if page is not None:
            need((page + 1) * PAGE <= row.len, f"section {kind} has no page {page}")
            begin, end = begin + page * PAGE, begin + (page + 1) * PAGE
        if self.bad_pages and begin < end:
            need(self.bad_pages.isdisjoint(range(begin // PAGE, (end - 1) // PAGE + 1)), f"section {kind} is needed, but damaged")
        return self.tables[begin:end]

    # -- blocks (section 5) --

    def read_blocks(self):
        self.blocks, at, n = [], PAGE, self.head.n_blocks
        for page in pages_of(self.section(BLOCKS)):
            need(struct.unpack_from("<Q", page)[0] == at, "a page of block records has a wrong first_offset")
            used = min(151, n - len(self.blocks))
            need(not any(page[8:19]) and not any(page[19 + 27 * used:]), "padding of block records is not zero")
            for pos in range(19, 19 + 27 * used, 27):
                cur = Cursor(page[pos:pos + 27])
                block = Block(at, cur.number(3), cur.number(3), cur.number(1), cur.number(4), cur.take(16))
                self.blocks.append(block)
                at += block.stored_len
        need(at == self.head.tables_offset, "blocks do not end where tables begin")
        for i, b in enumerate(self.blocks):
            need(b.stored_len >= 1 and b.raw_len >= 1, f"block {i} is empty")
            need(b.codec in (0x00, 0x01, 0x10, 0x11, 0x20), f"block {i} has an unknown codec")
            need(b.codec & 1 or b.stored_len == b.raw_len, f"block {i} is stored but has two lengths")
            need(b.codec >> 4 != 1 or b.raw_len <= 2 << 20, f"reference {i} is too long")
            if b.reference != NONE:
                need(b.codec == 1 and b.reference < n and self.blocks[b.reference].codec in (0x10, 0x11), f"block {i}: wrong reference")

    def stored(self, i):
        b = self.blocks[i]
        return self.data[b.offset:b.offset + b.stored_len]

    def decode_block(self, i):
        b, data = self.blocks[i], self.stored(i)
        need(digest(data) == b.hash, f"block {i} is damaged")
        if b.codec & 1:
            need(data[:4] == b"\x28\xb5\x2f\xfd", f"block {i} is no zstd frame")
            frame = zstandard.get_frame_parameters(data)
            need(not frame.has_checksum and not frame.dict_id and frame.window_size <= 8 << 20, f"block {i}: a frame of a forbidden kind")
            need(frame.content_size in (b.raw_len, zstandard.CONTENTSIZE_UNKNOWN), f"block {i}: the frame has another length")
            data = self.decompressor(b.reference).decompress(data, max_output_size=b.raw_len, allow_extra_data=False)
        need(len(data) == b.raw_len, f"block {i} has another length once decoded")
        need(b.codec != 0x20 or not any(data), f"padding block {i} is not zero")
        need(b.codec >> 4 != 1 or (len(data) >= 8 and data[:4] != b"\x37\xa4\x30\xec"), f"reference {i} is invalid")
        return data

    def make_decompressor(self, reference):
        if reference == NONE:
            return zstandard.ZstdDecompressor()
        content = zstandard.ZstdCompressionDict(self.decode_block(reference), dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        return zstandard.ZstdDecompressor(dict_data=content)

    def check_blocks(self):
        for i in range(len(self.blocks)):
            try:
                self.raw(i)
            except EXPECTED as error:
                self.complain(f"block {i}: {error}")

    def blob(self, block, offset, length):  # 5.1
        parts = []
        while length:
            need(block < len(self.blocks) and self.blocks[block].codec in (0, 1), "a blob leaves the blocks of content")
            need(offset < self.blocks[block].raw_len, "a blob begins behind its block")
            parts.append(self.raw(block)[offset:offset + length])
            block, offset, length = block + 1, 0, length - len(parts[-1])
        return b"".join(parts)

    def check_parity(self):  # 5.2
        references = [i for i, b in enumerate(self.blocks) if b.codec >> 4 == 1]
        data = self.section(PARITY)
        if not data:
            return
        cur = Cursor(data)
        k = cur.number(4)
        need([cur.number(4) for _ in range(cur.number(4))] == references and k >= 2, "parity is not over the references")
        need(not any(cur.take(-cur.at % PAGE)) and len(data) - cur.at == k * PAGE, "parity has a wrong length or padding")
        joined = b"".join(map(self.stored, references))
        for j in range(k):
            stripe = 0
            for at in range(j * PAGE, len(joined), k * PAGE):
                stripe ^= int.from_bytes(joined[at:at + PAGE].ljust(PAGE, b"\0"), "little")
            if cur.take(PAGE) != stripe.to_bytes(PAGE, "little"):
                self.complain(f"parity stripe {j} does not fit the references")

    # -- entries (section 7) --

    def read_small(self):
        cur = Cursor(self.section(METADATA) or b"\0")
        self.metadata = cur.list(lambda: (cur.string(), cur.string(), cur.string()))  # key, mime type, value
        keys = [key for key, _, _ in self.metadata]
        need(keys == sorted(set(keys)), "metadata is not in order")
        cur = Cursor(self.section(CLASSES) or b"\0")
        self.classes = cur.list(lambda: (cur.number(1), cur.number(1), cur.string()))  # kind, flags, mime type
        need(all(kind <= 2 and flags < 8 and (kind < 2 or not mime) for kind, flags, mime in self.classes), "a class is wrong")
        self.suffix = self.section(SUFFIX)
        for text in [*keys, *(m for _, m, _ in self.metadata), *(m for _, _, m in self.classes), self.suffix]:
            text.decode()
        n, order, languages = self.head.n_entries, self.section(READING_ORDER), Cursor(self.section(LANGUAGES))
        need(len(order) % 4 == 0 and all(i < n for i, in struct.iter_unpack("<I", order)), "the reading order is wrong")
        if languages.data:
            names, count = [languages.take(languages.number(1)) for _ in range(languages.number(2))], self.sections[LANGUAGES].count
            need(len(languages.data) - languages.at == 6 * count, "languages have a wrong length")
            ids, which = [languages.number(4) for _ in range(count)], [languages.number(2) for _ in range(count)]
            need(ids == sorted(set(ids)) and all(i < n for i in ids) and all(i < len(names) for i in which), "languages are wrong")

    def long_name(self, cur):
        offset, length = cur.varint(), cur.varint()
        need(offset + length <= len(self.long_names), "a long name is out of bounds")
        return self.long_names[offset:offset + length]

    def read_entries(self):
        self.read_small()
        self.long_names, title_symbols = self.section(LONG_NAMES), symbol_table(self.section(TITLE_SYMBOLS))
        self.tree = Tree(self, ENTRY_ROOT, ENTRY_NODES, ENTRIES, PATH_SYMBOLS)
        self.entries, counted = [], 0
        for number, leaf in enumerate(self.tree.walk()):
            n, cur = len(leaf.keys), leaf.records
            bits = cur.number((n + 7) // 8)  # 7.1
            need(bits >> n == 0, "the bitmap's padding is not zero")
            redirect = [bits >> i & 1 for i in range(n)]
            r = sum(redirect)
            own, blocks, offsets, lengths, classes, targets = columns(cur, [n - r] * 4 + [r] * 2)
            need(not any(cur.rest()), "something follows a leaf's records")
            need(leaf.first_counted == counted, "a leaf's first_counted is wrong")
            blobs, redirects = iter(zip(own, blocks, offsets, lengths)), iter(zip(classes, targets))
            for slot in range(n):
                cls, target = next(redirects) if redirect[slot] else (None, None)
                blob = None
                if not redirect[slot]:
                    cls, *blob = next(blobs)
                    blob = tuple(blob) if blob[2] else (0, 0, 0)
                need(cls < len(self.classes) and (self.classes[cls][0] == 2) == redirect[slot], "an entry's class is wrong")
                need(target is None or target < self.head.n_entries, "a redirect's target does not exist")
                path, title, fragment = self.names(leaf.keys[slot], leaf.extra[slot], title_symbols)
                need(fragment is None or redirect[slot], "an entry that is no redirect has a fragment")
                for name in (path, title, fragment or b""):
                    need(len(name) <= 65535, "a name is too long")
                    name.decode()
                self.entries.append(Entry(path, cls, blob, target, title, fragment, number, slot))
                counted += self.classes[cls][0] == 0
        kinds = [self.classes[e.cls][0] for e in self.entries]
        need([kinds.count(i) for i in range(3)] == [self.head.n_articles, self.head.n_media, self.head.n_redirects],
             "the first page's numbers of entries are wrong")
        need(all(a.path < b.path for a, b in zip(self.entries, self.entries[1:])), "paths are not in order or not unique")
        for i, e in enumerate(self.entries):
            need(self.find(e.path) == i, f"{e.path!r} is not found from the root")
            need(self.find(e.path + b"\0") in (None, i + 1), f"{e.path!r} and a byte more is found")

    def names(self, key, extra, symbols):  # 7.3 and 7.4
        path, title, fragment, cur = key, None, None, Cursor(extra)
        flags = cur.number(1) if extra else 0
        need(flags < 64 and flags & 6 != 6 and flags & 48 != 48 and (not flags & 8 or flags & 6), "an entry's flags are wrong")
        if flags & 1:
            need(len(key) == 512, "a short path goes on")
            path += self.long_name(cur)
        if flags & 16:
            fragment = decode(cur.take(cur.varint()), symbols)
        if flags & 32:
            fragment = self.long_name(cur)
        if flags & 4:
            title = self.long_name(cur)
        if flags & 2:
            title = decode(cur.rest(), symbols)
        need(cur.at == len(extra), "extra bytes are left over")
        if flags & 8:
            title += self.suffix
        return path, self.title_by_rule(path) if title is None else title, fragment

    def title_by_rule(self, path, rule=None):
        rule = self.head.title_rule if rule is None else rule
        if rule == 0:
            return path
        folder, slash, name = path.rpartition(b"/")
        name = re.sub(rb"(?s)(.)\.[A-Za-z][A-Za-z0-9]{0,4}\Z", rb"\1", name)
        return (name if rule == 1 else folder + slash + name).replace(b"_", b" ")

    def find(self, path):
        """The id of the entry with this path, going down from the root; or None."""
        number, slot = self.tree.lower_bound(path[:512])
        while number < self.tree.n_leaves:
            leaf = self.tree.leaf(number)
            if slot == len(leaf.keys):
                number, slot = number + 1, 0
                continue
            if leaf.keys[slot] != path[:512]:
                return None
            if self.entries[leaf.first_rank + slot].path == path:
                return leaf.first_rank + slot
            slot += 1
        return None

    def check_titles(self):  # section 9
        tree = Tree(self, TITLE_ROOT, TITLE_NODES, TITLES, KEY_SYMBOLS)
        first = {(e.leaf, e.slot): i for i, e in enumerate(self.entries)}
        rows, keys_compared = [], 0
        for leaf in tree.walk():
            need(not any(leaf.extra) and leaf.first_counted == 0, "a leaf of titles has extra bytes or counts")
            leaves, slots = columns(leaf.records, [len(leaf.keys)] * 2)
            need(not any(leaf.records.rest()), "something follows a leaf's records")
            for key, where in zip(leaf.keys, zip(leaves, slots)):
                need(where in first, "a row of titles leads nowhere")
                i = first[where]
                e = self.entries[i]
                rows.append((key, e.title, i))
                need(self.classes[e.cls][1] & 4, f"{e.path!r} has a row of titles without flag 4")
                expected = title_key(e.title.decode())
                if expected is not None:
                    keys_compared += 1
                    if expected.encode()[:512] != key:
                        self.complain(f"the key of {e.title.decode()!r} is {key!r}, not {expected!r}")
        need(rows == sorted(set(rows)), "rows of titles are not in order")
        flagged = {i for i, e in enumerate(self.entries) if self.classes[e.cls][1] & 4}
        need({row[2] for row in rows} == flagged and len(rows) == len(flagged), "not all entries with flag 4 have one row of titles")
        need(all(self.classes[e.cls][1] & 4 or self.classes[e.cls][0] == 1 for e in self.entries), "an article or redirect has no flag 4")
        keys = [row[0] for row in rows]
        self.title_rows = [(key, i) for key, _, i in rows]
        for key in set(keys):
            number, slot = tree.lower_bound(key)
            need(tree.leaf(number).first_rank + slot == bisect_left(keys, key), f"key {key!r} is not found from the root")
        return keys_compared, len(rows)

    def hash_blobs(self, against):
        """The BLAKE3 of every entry's bytes (None if damaged); blobs are read in the order of the file."""
        result = {}
        for i in sorted((i for i, e in enumerate(self.entries) if e.blob), key=lambda i: self.entries[i].blob):
            e = self.entries[i]
            try:
                data = self.blob(*e.blob)
                result[i] = blake(data)
                if against is not None:
                    with open(file_name(against, e.path, self.classes[e.cls][1]), "rb") as file:
                        need(file.read() == data, "differs from the file in the folder")
            except EXPECTED as error:
                self.complain(f"{e.path.decode()!r}: {error}")
        return result

    def content_id(self, hashes):  # section 12
        def put(data):
            h.update(len(data).to_bytes(8, "little") + data)
        h = blake3()
        for i, e in enumerate(self.entries):
            kind, _, mime = self.classes[e.cls]
            put(e.path)
            h.update(bytes([kind]))
            put(e.title)
            put(mime)
            if e.target is None:
                need(i in hashes, "it cannot be computed, as an entry is damaged")
                h.update(hashes[i])
            else:
                put(self.entries[e.target].path)
                h.update(bytes([e.fragment is not None]))
                put(e.fragment or b"")
        h.update(b"\xff" * 8)
        for values in self.metadata:
            for value in values:
                put(value)
        h.update(b"\xff" * 8 + bytes([self.head.main != NONE]))
        put(b"" if self.head.main == NONE else self.entries[self.head.main].path)
        return h.digest()


def file_name(folder, path, flags):
    if flags & 2:  # 7.5
        path = re.sub("\uf8ff(\uf8ff|[0-9a-f]{2})".encode(), lambda m: m[1] if len(m[1]) == 3 else bytes.fromhex(m[1].decode()), path)
    need(path.startswith(b"/") is False and b".." not in path.split(b"/"), "the path leaves the folder")
    return os.fsencode(folder) + b"/" + path


def main():
    import independent_search  # which needs this module
    parser = argparse.ArgumentParser(description="Reads and checks a Tome archive.")
    parser.add_argument("archive")
    parser.add_argument("--against", metavar="FOLDER")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--texts", metavar="N", type=int, default=0)
    parser.add_argument("--search", metavar="QUERY", action="append", default=[])
    args = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    problems, note = [], lambda text: print(text, file=sys.stderr)

    def complain(message):
        problems.append(message)
        if len(problems) <= 50:
            note(f"damaged: {message}")

    def step(name, function, *arguments):
        try:
            return function(*arguments)
        except EXPECTED as error:
            complain(f"{name}: {error if isinstance(error, Damage) else repr(error)}")

    def check_suggestions(a):
        if not a.length(independent_search.TITLE_CLASSES):
            return  # so are all other sections of suggestions absent, or of no use
        found, rows = independent_search.Suggestions(a).check()
        note(f"suggestions: {found} words, {rows} titles compared")

    def check_full_text(a):
        """The full-text index, or None if there is none."""
        if not a.length(independent_search.SEARCH):
            return None
        text = independent_search.FullText(a)
        articles = [e for e in a.entries if a.classes[e.cls][0] == 0]
        text.paths = [e.path.decode() for e in articles]
        # A title that its path's last part gives is indexed as that of the whole path.
        by_rule = lambda e: e.title == a.title_by_rule(e.path, 1)
        titles = [a.title_by_rule(e.path, 2) if by_rule(e) else e.title for e in articles]
        compared = text.check_articles([title.decode() for title in titles])
        note(f"full text: {len(text.words)} words, {text.of_lists} lists, {compared} titles compared")
        pages = [i for i, e in enumerate(articles) if a.classes[e.cls][2].startswith((b"text/html", b"application/xhtml"))]
        pages = pages[::max(1, len(pages) // args.texts)][:args.texts] if args.texts else []
        for i in pages:
            page = a.blob(*articles[i].blob).decode(errors="replace")
            if not unknown(page) and "\ufffd" not in page:
                text.check_text(i, articles[i].title.decode(), page)
        return text

    def search(text):
        for query in args.search:
            need(text, "the archive has no index")
            hits = [{"score": score, "path": text.paths[i]} for score, i in text.search(query)]
            if args.json:
                print(json.dumps({"query": query, "hits": hits}, ensure_ascii=False))
            else:
                for hit in hits:
                    print(query, hit["score"], hit["path"], sep="\t")

    def run():
        with open(args.archive, "rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        a = Archive(data, complain)
        step("blocks", a.check_blocks)
        step("parity", a.check_parity)
        a.read_entries()
        for key, mime, value in a.metadata:
            note(f"metadata {key.decode()} ({mime.decode()}): {value[:80]!r}")
        titles = step("titles", a.check_titles)
        if titles:
            note(f"titles: {titles[1]} rows, {titles[0]} keys compared")
            step("suggestions", check_suggestions, a)
        text = step("full text", check_full_text, a)
        if args.search:
            step("search", search, text)
            return
        hashes = a.hash_blobs(args.against)
        content_id = step("content_id", a.content_id, hashes)
        if content_id and content_id != a.head.content_id:
            complain("content_id is not that of the first page")
        for i, e in enumerate(a.entries):
            kind, _, mime = a.classes[e.cls]
            values = {
                "path": e.path.decode(), "kind": KINDS[kind], "title": e.title.decode(), "mime": mime.decode(),
                "size": e.blob[2] if e.blob else None,
                "target": None if e.target is None else a.entries[e.target].path.decode(),
                "fragment": None if e.fragment is None else e.fragment.decode(),
                "blake3": hashes[i].hex() if i in hashes else None}
            print(json.dumps(values, ensure_ascii=False) if args.json else
                  "\t".join("-" if v is None else str(v) for k, v in values.items() if k != "blake3"))
        ids = {"file_id": a.file_id.hex(), "content_id": content_id.hex() if content_id else None}
        print(json.dumps(ids) if args.json else "\n".join(f"{k} {v}" for k, v in ids.items()))

    step(args.archive, run)
    if problems:
        note(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    import independent_reader  # so that there is one of each class
    sys.exit(independent_reader.main())
