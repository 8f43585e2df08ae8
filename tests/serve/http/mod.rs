//! HTTP as the standards have it: tags, conditions, ranges, encodings, connections.

mod addresses;
mod conditions;
mod connections;
mod encodings;
mod ranges;

use std::path::Path;
use std::sync::LazyLock;

use tome::item::{About, Item};

use crate::client::{self, Answer};
use crate::house::{Ours, article, media, noise, redirect, write};

/// What most tests here ask.
struct Library {
    server: Ours,
    _folder: tempfile::TempDir,
}

/// More than is answered in one piece.
const BIG: usize = (2 << 20) + 70_017;

static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let files = ["one.tome", "two.tome", "three.zim"].map(|name| folder.path().join(name));
    for (i, file) in files.iter().enumerate() {
        archive(file, &format!("Archive {i}"));
    }
    Library { server: Ours::over(files.into()), _folder: folder }
});

/// A page of some length, with letters beyond ASCII.
fn page(title: &str, more: &str) -> String {
    let text = "Granite is hard, и это правда, 花崗岩. ".repeat(60);
    format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title></head>\
         <body><h1>{title}</h1><p>{text}</p>{more}</body></html>"
    )
}

fn big_text() -> Vec<u8> {
    "Zażółć gęślą jaźń.\n".bytes().cycle().take(BIG + 9).collect()
}

fn items(salt: &str) -> Vec<Item> {
    let mut latin = b"<html><head><title>Caf\xe9</title></head><body><p>".to_vec();
    latin.extend(b"Un caf\xe9 tr\xe8s serr\xe9, s'il vous pla\xeet. ".repeat(20));
    latin.extend(b"</body></html>");
    vec![
        article("index.html", salt, page("Start", &format!("<p>{salt}</p><h2 id=b>B</h2>"))),
        article("dir/index.html", "Folder", page("Folder", "")),
        article("dir/page.html", "Page", page("Page", "")),
        article("latin.html", "Café", latin),
        redirect("old", "dir/page.html", Some("a b#ü\"")),
        redirect("older", "old", None),
        media("sound.ogg", "audio/ogg", noise(30_000)),
        media("even.png", "image/png", vec![7; 5000]),
        media("big.bin", "application/octet-stream", noise(BIG)),
        media("big.txt", "text/plain", big_text()),
        media("style.css", "text/css", "body { color: #222 }\n".repeat(80)),
        media("drawing.svg", "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/> ".repeat(40)),
        media("data.json", "application/json", "{\"a\": 1}".repeat(90)),
        media("empty.txt", "text/plain", ""),
    ]
}

fn archive(file: &Path, salt: &str) {
    let mut about = About { main: Some("index.html".into()), ..About::default() };
    about.metadata.set_text("title", salt);
    about.metadata.set_text("language", "en");
    write(file, items(salt), &about);
}

/// Returns the server that most tests here ask.
pub fn server() -> std::net::SocketAddr {
    LIBRARY.server.address
}

fn ask(method: &str, target: &str, headers: &str) -> Answer {
    client::ask(LIBRARY.server.address, method, target, headers)
}

fn get(target: &str, headers: &str) -> Answer {
    ask("GET", target, headers)
}

/// Returns the tag of an answer.
fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap_or_else(|| panic!("no tag: {:?}", answer.headers)).to_owned()
}

/// Addresses of all sorts: our pages, pages of archives, entries as they are, data, what is not there.
pub const SORTS: &[&str] = &[
    "/",
    "/saved",
    "/search",
    "/search?q=granite",
    "/external?to=https%3A%2F%2Fexample.org%2F",
    "/viewer",
    "/a/one/index.html",
    "/a/one/",
    "/a/one",
    "/a/one/old",
    "/a/one/dir/page.html",
    "/a/one/sound.ogg",
    "/a/one/big.bin",
    "/a/one/style.css",
    "/a/one/no-such-page",
    "/a/none/x",
    "/a/three/index.html",
    "/raw/one/content/index.html",
    "/raw/one/content/big.txt",
    "/raw/three/content/big.bin",
    "/raw/one/content/empty.txt",
    "/raw/one/content/none",
    "/raw/three/meta/Title",
    "/download/three.zim",
    "/api",
    "/api/openapi.json",
    "/api/archives",
    "/api/suggest?archive=one&q=pa",
    "/api/search?archive=one&q=granite",
    "/api/entry?archive=one&path=index.html",
    "/api/content?archive=one&path=index.html&form=text",
    "/api/none",
    "/catalog/v2/entries",
    "/catalog/v2/root.xml",
    "/catalog/search",
    "/suggest?content=three&term=pa",
    "/search?pattern=granite&format=xml&content=three",
    "/_tome/icon/one",
    "/_tome/tome.js",
    "/favicon.ico",
    "/robots.txt",
    "/healthz",
    "/none",
];
