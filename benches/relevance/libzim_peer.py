"""The other side of the relevance suite: packs a folder into a ZIM, and asks a ZIM, with libzim.

    libzim_peer.py version                      says which libzim this is, as one line of JSON
    libzim_peer.py pack FOLDER OUT.zim LANG3    packs a folder of pages, as zimwriterfs would
    libzim_peer.py run ARCHIVE.zim              answers queries

`run` first says {"libzim", "call_us"}; then it reads a query a line, {"kind": "suggest" or "search",
"query", "limit", "repeat"}, and answers each with a line, {"paths", "titles", "us"}: the hits in order,
and the least time of so many runs, from the query's text to the list of paths. Titles are looked up
outside of that time. `call_us` is what one call from Python into the library costs by itself.
"""

import html
import json
import mimetypes
import os
import posixpath
import re
import sys
import time
import urllib.parse

from libzim.reader import Archive
from libzim.search import Query, Searcher
from libzim.suggestion import SuggestionSearcher
from libzim.version import get_libzim_version
from libzim.writer import Creator, FileProvider, Hint, Item

HEAD_LIMIT = 64 * 1024
# Redirects of rustdoc and of most generators are shorter; a page that says something is not.
STUB_LIMIT = 4096
TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.I | re.S)
REFRESH = re.compile(
    rb"""<meta[^>]*http-equiv\s*=\s*["']?refresh["']?[^>]*content\s*=\s*["']?\s*\d+\s*;\s*url\s*=\s*([^"'>]+)""",
    re.I,
)


def text_of(raw):
    return " ".join(html.unescape(raw.decode("utf8", "replace")).split())


class Page(Item):
    def __init__(self, path, file, mime, title):
        super().__init__()
        self.path, self.file, self.mime, self.title = path, file, mime, title

    def get_path(self):
        return self.path

    def get_title(self):
        return self.title

    def get_mimetype(self):
        return self.mime

    def get_contentprovider(self):
        return FileProvider(self.file)

    def get_hints(self):
        return {Hint.FRONT_ARTICLE: self.mime == "text/html"}


def files_of(folder):
    """Yields the path of each file, and for a link the path that it leads to."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = os.path.join(parent, name)
            path = os.path.relpath(file, folder)
            if not os.path.islink(file):
                yield path, file, None
            else:
                target = os.path.relpath(os.path.realpath(file), os.path.realpath(folder))
                if os.path.isfile(file) and not target.startswith(".."):
                    yield path, file, target


def stub_target(path, head):
    """Returns where a page leads that does nothing else."""
    found = REFRESH.search(head)
    if not found or len(head) >= STUB_LIMIT:
        return None
    url = urllib.parse.urlsplit(html.unescape(found.group(1).decode("utf8", "replace")))
    if url.scheme or url.netloc or not url.path:
        return None
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), urllib.parse.unquote(url.path)))
    return None if target.startswith("..") or target == path else target


def pack(folder, out, language):
    started = time.perf_counter()
    n, main, redirects = 0, None, []
    paths = {path for path, _, target in files_of(folder) if target is None}
    part = out + ".part"
    with Creator(part).config_indexing(True, language) as creator:
        for path, file, target in files_of(folder):
            mime = mimetypes.guess_type(file)[0] or "application/octet-stream"
            title = ""
            if target is None and mime == "text/html":
                with open(file, "rb") as opened:
                    head = opened.read(HEAD_LIMIT)
                found = TITLE.search(head)
                title = (text_of(found.group(1)) if found else "") or path
                target = stub_target(path, head)
            if target in paths:
                redirects.append((path, title, target))
                continue
            if main is None and os.path.basename(path) == "index.html":
                main = path
                creator.set_mainpath(path)
            creator.add_item(Page(path, file, mime, title))
            n += 1
        dead = {path for path, _, _ in redirects}
        for path, title, target in redirects:
            if target not in dead:
                creator.add_redirection(path, title, target, {})
                n += 1
        about = dict.fromkeys(("Title", "Description", "Creator", "Publisher", "Name"), os.path.basename(out))
        about |= {"Language": language, "Date": "2000-01-01"}
        for key, value in about.items():
            creator.add_metadata(key, value)
    os.replace(part, out)
    print(json.dumps({"entries": n, "seconds": time.perf_counter() - started, "bytes": os.path.getsize(out)}))


def cost_of_a_call(archive):
    """Returns the microseconds of one call that asks next to nothing of the library."""
    best, n = float("inf"), 1000
    for _ in range(20):
        started = time.perf_counter_ns()
        for _ in range(n):
            archive.has_fulltext_index
        best = min(best, time.perf_counter_ns() - started)
    return best / n / 1e3


def run(file):
    archive = Archive(file)
    titles, words = SuggestionSearcher(archive), Searcher(archive)

    def once(kind, query, limit):
        started = time.perf_counter_ns()
        if kind == "suggest":
            found = list(titles.suggest(query).getResults(0, limit))
        else:
            found = list(words.search(Query().set_query(query)).getResults(0, limit))
        return time.perf_counter_ns() - started, found

    def title_of(path):
        try:
            return archive.get_entry_by_path(path).title
        except KeyError:
            return ""

    print(json.dumps({"libzim": get_libzim_version(), "call_us": cost_of_a_call(archive)}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        best, paths, error = None, [], None
        for _ in range(max(1, asked.get("repeat", 1))):
            try:
                spent, paths = once(asked["kind"], asked["query"], asked.get("limit", 10))
            except RuntimeError as failed:
                error = str(failed)
                break
            best = spent if best is None else min(best, spent)
        answer = {"paths": paths, "titles": [title_of(path) for path in paths], "us": (best or 0) / 1e3}
        if error is not None:
            answer["error"] = error
        print(json.dumps(answer), flush=True)


def main(words):
    match words:
        case ["version"]:
            print(json.dumps({"libzim": get_libzim_version()}))
        case ["pack", folder, out, language]:
            pack(folder, out, language)
        case ["run", file]:
            run(file)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
