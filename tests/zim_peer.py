"""What libzim makes of a ZIM, and a ZIM that libzim makes, for tests to compare with.

    zim_peer.py dump FILE.zim    one JSON line an entry, in libzim's order of paths, then one on the file
    zim_peer.py read FILE.zim    one JSON line a dirent, by its number, then one on the file; what libzim
                                 cannot read is told and passed over
    zim_peer.py make OUT.zim     a file with what is common and what is odd: titles, redirects, empty
                                 items, equal items, paths of all kinds, metadata that is no text
"""

import hashlib
import json
import sys

from libzim.reader import Archive
from libzim.writer import Creator, Hint, Item, StringProvider


def described(data):
    return {
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "md5": hashlib.md5(data).hexdigest(),
    }


def dump(path):
    zim = Archive(path)
    # Numbers beyond the entries of content are metadata and indexes.
    for number in range(zim.all_entry_count):
        entry = zim._get_entry_by_id(number)
        if not zim.has_new_namespace_scheme and entry.path[:2] in ("M/", "X/", "Z/"):
            continue
        try:
            if zim.get_entry_by_path(entry.path)._index != number:
                continue
        except KeyError:
            continue
        line = {"type": "entry", "path": entry.path, "title": entry.title}
        if entry.is_redirect:
            line["target"] = entry.get_redirect_entry().path
        else:
            item = entry.get_item()
            line |= {"mime": item.mimetype} | described(bytes(item.content))
        print(json.dumps(line))
    metadata = {}
    for key in zim.metadata_keys:
        item = zim.get_metadata_item(key)
        metadata[key] = {"mime": item.mimetype} | described(bytes(item.content))
    print(
        json.dumps(
            {
                "type": "archive",
                "uuid": str(zim.uuid),
                "entries": zim.entry_count,
                "articles": zim.article_count,
                "media": zim.media_count,
                "main": zim.main_entry.get_item().path if zim.has_main_entry else None,
                "illustrations": [size for size in (48, 96) if zim.has_illustration(size)],
                "new_scheme": zim.has_new_namespace_scheme,
                "metadata": metadata,
                "checked": zim.check(),
            }
        )
    )


def attempt(call):
    try:
        return call()
    except Exception as error:  # libzim throws for what is absent
        return f"error: {error}"


def read(path):
    zim = Archive(path)
    for number in range(zim.all_entry_count):
        told = {"index": number, "path": None}
        try:
            entry = zim._get_entry_by_id(number)
            told |= {"path": entry.path, "title": entry.title}
            if entry.is_redirect:
                told["target"] = entry.get_redirect_entry()._index
            else:
                item = entry.get_item()
                told |= {"mime": item.mimetype} | described(bytes(item.content))
        except Exception as error:
            told["error"] = str(error)
        print(json.dumps(told))
    print(
        json.dumps(
            {
                "all": zim.all_entry_count,
                "entries": zim.entry_count,
                "articles": attempt(lambda: zim.article_count),
                "media": attempt(lambda: zim.media_count),
                "main": attempt(lambda: zim.main_entry.get_item().path),
                "uuid": zim.uuid.hex,
                "keys": zim.metadata_keys,
                "metadata": {key: described(zim.get_metadata(key))["md5"] for key in zim.metadata_keys},
                "icon": described(bytes(zim.get_illustration_item(48).content))["md5"]
                if zim.has_illustration(48)
                else None,
            }
        )
    )


class Page(Item):
    def __init__(self, path, title, mime, content, front):
        super().__init__()
        self.values = path, title, mime, content, front

    def get_path(self):
        return self.values[0]

    def get_title(self):
        return self.values[1]

    def get_mimetype(self):
        return self.values[2]

    def get_contentprovider(self):
        return StringProvider(self.values[3])

    def get_hints(self):
        return {Hint.FRONT_ARTICLE: self.values[4]}


# A picture of 48 by 48 points.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000300000003001000000007f79c42a000000104944415478da6358"
    "05060ca3147528008aa3bf418361f3a00000000049454e44ae426082"
)


def make(path):
    html = "<html><head><title>{0}</title></head><body><h1>{0}</h1><p>{1}</p></body></html>"
    with Creator(path).config_indexing(True, "eng") as zim:
        zim.set_mainpath("main")
        zim.add_illustration(48, PNG)
        zim.add_illustration(96, PNG)
        text = " ".join(f"word{n}" for n in range(400))
        zim.add_item(Page("main", "The main page", "text/html", html.format("Main", "see <a href='b/c d.html'>b</a>"), True))
        zim.add_item(Page("b/c d.html", "", "text/html", html.format("B", text), True))
        zim.add_item(Page("no-front.html", "A page that nobody looks for", "text/html", html.format("N", text), False))
        zim.add_item(Page("équivoque/ß?x=1&y=#z%20", "Équivoque", "text/html", html.format("É", "x"), True))
        zim.add_item(Page("style.css", "", "text/css", "p { margin: 0 }", False))
        zim.add_item(Page("empty.js", "", "application/javascript", "", False))
        zim.add_item(Page("a.json", "", "application/json; charset=utf-8", "{}", False))
        for name in ("equal-1.txt", "equal-2.txt"):
            zim.add_item(Page(name, f"Title of {name}", "text/plain", "the same " * 100, True))
        noise = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(4000))
        zim.add_item(Page("noise.bin", "", "application/octet-stream", noise.decode("latin-1"), False))
        zim.add_redirection("r/first", "First redirect", "main", {Hint.FRONT_ARTICLE: True})
        zim.add_redirection("r/second", "", "r/first", {})
        zim.add_redirection("r/to-media", "The style", "style.css", {})
        for key, value in {
            "Title": "A file of libzim",
            "Description": "What is odd in it is meant",
            "LongDescription": "What is odd in it is meant to be odd, and comes back as it is.",
            "Language": "eng,fra",
            "Creator": "Nobody",
            "Publisher": "Somebody",
            "Name": "odd_en_all",
            "Date": "2024-02-29",
            "Tags": "_category:odd;_pictures:no;odd things",
            "Source": "https://example.org/",
            "License": "CC0",
            "Flavour": "maxi",
            "Scraper": "by hand",
            "X-Own": "kept",
        }.items():
            zim.add_metadata(key, value)
        zim.add_metadata("X-Binary", bytes(range(256)), "application/octet-stream")


if __name__ == "__main__":
    {"dump": dump, "read": read, "make": make}[sys.argv[1]](sys.argv[2])
