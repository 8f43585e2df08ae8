"""Tells what libzim reads of a ZIM: one JSON object a line, the last one of the archive as a whole.

usage: zim_peer.py FILE
needs: pip install libzim
"""
import hashlib, json, sys
from libzim.reader import Archive


def attempt(read):
    try:
        return read()
    except Exception as error:  # libzim throws for what is absent
        return f"error: {error}"


archive = Archive(sys.argv[1])
for index in range(archive.all_entry_count):
    try:
        entry = archive._get_entry_by_id(index)
        told = {"index": index, "path": entry.path, "title": entry.title}
    except UnicodeDecodeError:
        told = {"index": index, "path": None}
        print(json.dumps(told))
        continue
    if entry.is_redirect:
        told["target"] = attempt(lambda: entry.get_redirect_entry()._index)
    else:
        try:
            item = entry.get_item()
            told["mime"] = item.mimetype
            told["size"] = item.size
            told["md5"] = hashlib.md5(bytes(item.content)).hexdigest()
        except Exception as error:
            told["error"] = str(error)
    print(json.dumps(told))
print(json.dumps({
    "all": archive.all_entry_count,
    "entries": archive.entry_count,
    "articles": attempt(lambda: archive.article_count),
    "media": attempt(lambda: archive.media_count),
    "main": attempt(lambda: archive.main_entry.get_item().path),
    "uuid": archive.uuid.hex,
    "keys": archive.metadata_keys,
    "metadata": {
        key: hashlib.md5(archive.get_metadata(key)).hexdigest() for key in archive.metadata_keys
    },
    "icon": hashlib.md5(bytes(archive.get_illustration_item(48).content)).hexdigest()
    if archive.has_illustration(48) else None,
}))
