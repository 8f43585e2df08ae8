//! `tome info`.

use serde::Serialize;
use tome::item::{Metadata, keys};

use super::args::InfoArgs;
use super::open::open;
use super::output::Output;
use super::{Outcome, Status, talk};

#[derive(Serialize)]
struct Info<'a> {
    format: &'static str,
    version: String,
    content_id: String,
    file_id: String,
    uuid: Option<&'a str>,
    title: &'a str,
    language: Option<&'a str>,
    creator: Option<&'a str>,
    publisher: Option<&'a str>,
    date: Option<&'a str>,
    description: Option<&'a str>,
    license: Option<&'a str>,
    source_url: Option<&'a str>,
    tags: Vec<&'a str>,
    main: Option<String>,
    articles: u32,
    media: u32,
    redirects: u32,
    blocks: u32,
    size: u64,
    has_search: bool,
    sections: Vec<Section>,
}

#[derive(Serialize)]
struct Section {
    kind: &'static str,
    offset: u64,
    length: u64,
    optional: bool,
}

/// Runs the command.
pub fn run(args: &InfoArgs) -> Outcome {
    let opened = open(&args.archive)?;
    let archive = &opened.archive;
    let first = archive.first_page();
    let mut whole = true;
    let none = Metadata::default();
    let mut report = |error| {
        talk::error(&opened.failure(error).message);
        whole = false;
    };
    let metadata = archive.metadata().unwrap_or_else(|error| {
        report(error);
        &none
    });
    let main = archive.main_entry().unwrap_or_else(|error| {
        report(error);
        None
    });
    let tags = metadata.text(keys::TAGS).unwrap_or_default();
    let info = Info {
        format: "tome",
        version: format!("{}.{}", first.version.0, first.version.1),
        content_id: hex(&archive.content_id()),
        file_id: hex(&archive.file_id()),
        uuid: metadata.text(keys::UUID),
        title: metadata.text(keys::TITLE).unwrap_or_default(),
        language: metadata.text(keys::LANGUAGE),
        creator: metadata.text(keys::CREATOR),
        publisher: metadata.text(keys::PUBLISHER),
        date: metadata.text(keys::DATE),
        description: metadata.text(keys::DESCRIPTION),
        license: metadata.text(keys::LICENSE),
        source_url: metadata.text(keys::SOURCE_URL),
        tags: tags.split(';').map(str::trim).filter(|tag| !tag.is_empty()).collect(),
        main: main.map(|entry| entry.path),
        articles: first.n_articles,
        media: first.n_media,
        redirects: first.n_redirects,
        blocks: first.n_blocks,
        size: archive.size(),
        has_search: archive.has_search(),
        sections: first
            .rows
            .iter()
            .map(|row| Section {
                kind: row.kind.name(),
                offset: first.tables_offset + row.offset,
                length: row.len,
                optional: row.flags & tome::format::first_page::Row::OPTIONAL != 0,
            })
            .collect(),
    };
    let mut out = Output::new();
    if args.json {
        out.json(&info)?;
    } else {
        print(&mut out, &info, metadata)?;
    }
    out.finish()?;
    Ok(if whole { Status::Yes } else { Status::Partial })
}

fn print(out: &mut Output, info: &Info<'_>, metadata: &Metadata) -> Result<(), super::Failure> {
    let mut field = |name: &str, value: &str| out.line(&format!("{name:<14}{value}"));
    let said = [
        ("title", Some(info.title).filter(|title| !title.is_empty())),
        ("description", info.description),
        ("language", info.language),
        ("creator", info.creator),
        ("publisher", info.publisher),
        ("date", info.date),
        ("license", info.license),
        ("source url", info.source_url),
        ("main page", info.main.as_deref()),
    ];
    for (name, value) in said {
        if let Some(value) = value {
            field(name, value)?;
        }
    }
    if !info.tags.is_empty() {
        field("tags", &info.tags.join(", "))?;
    }
    let shown = [
        keys::TITLE,
        keys::DESCRIPTION,
        keys::LANGUAGE,
        keys::CREATOR,
        keys::PUBLISHER,
        keys::DATE,
        keys::LICENSE,
        keys::SOURCE_URL,
        keys::TAGS,
    ];
    for (key, value) in metadata.iter().filter(|(key, _)| !shown.contains(key)) {
        match std::str::from_utf8(&value.bytes) {
            Ok(text) if value.mime.starts_with("text/plain") => field(key, text)?,
            _ => field(key, &format!("{}, {}", value.mime, talk::bytes(value.bytes.len() as u64)))?,
        }
    }
    field("articles", &talk::grouped(info.articles.into()))?;
    field("media", &talk::grouped(info.media.into()))?;
    field("redirects", &talk::grouped(info.redirects.into()))?;
    field("blocks", &talk::grouped(info.blocks.into()))?;
    field("size", &talk::bytes(info.size))?;
    field("format", &format!("tome {}", info.version))?;
    field("content id", &info.content_id)?;
    field("file id", &info.file_id)?;
    out.line("")?;
    out.line(&format!("{:<16} {:>14} {:>14}", "section", "offset", "length"))?;
    for section in &info.sections {
        let optional = if section.optional { "  optional" } else { "" };
        out.line(&format!("{:<16} {:>14} {:>14}{optional}", section.kind, section.offset, section.length))?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
