//! `/api`: the description for people, made from the one for programs.

use std::fmt::Write;

use hyper::StatusCode;
use serde_json::Value;

use super::{Fault, OPENAPI};
use crate::server::State;
use crate::server::answer::Answer;
use crate::text::escape;

/// How deep an object in an object is shown.
const MAX_DEPTH: usize = 6;

const STYLE: &str = "body{font:1rem/1.6 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;\
    color:#1c1c1c;background:#fff}code,pre{font:.9em ui-monospace,monospace;background:#f2f2f0;border-radius:3px;\
    padding:.1em .3em}pre{padding:.8em;overflow:auto}h2{margin-top:2.5rem;font-size:1.2rem}h2 code{background:none;\
    padding:0}table{border-collapse:collapse;width:100%}th,td{text-align:start;vertical-align:top;\
    padding:.3rem .8rem .3rem 0;border-bottom:1px solid #ddd}th{font-weight:600}ul{padding-inline-start:1.2rem}\
    a{color:#1a4f8b}@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}code,pre{background:#2a2a2a}\
    th,td{border-color:#3a3a3a}a{color:#8ab8ee}}";

pub(super) fn page(state: &State) -> Result<Answer, Fault> {
    let broken = |_| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the description cannot be read");
    let document: Value = serde_json::from_str(OPENAPI).map_err(broken)?;
    let html = Writer { document: &document, root: &state.options.root, out: String::new() }.page();
    Ok(Answer::page(&state.assets, StatusCode::OK, html)
        .tagged(concat!("api-", env!("CARGO_PKG_VERSION")).to_owned() + &tag_of(&state.options.root)))
}

/// Returns what tells pages with one root from those with another, as digits.
fn tag_of(root: &str) -> String {
    root.bytes().fold(String::new(), |out, byte| out + &format!("{byte:02x}"))
}

struct Writer<'a> {
    document: &'a Value,
    root: &'a str,
    out: String,
}

impl<'a> Writer<'a> {
    fn page(mut self) -> String {
        let info = &self.document["info"];
        let (title, description) = (text(&info["title"]), text(&info["description"]));
        // Writing to a String cannot fail.
        let _ = write!(
            self.out,
            "<!doctype html><html lang=en><meta charset=utf-8>\
             <meta name=viewport content=\"width=device-width,initial-scale=1\"><title>{0}</title>\
             <style>{STYLE}</style><main><h1>{0}</h1><p>{1}</p>\
             <p><a href=\"{2}/api/openapi.json\">openapi.json</a></p>",
            escape(title),
            escape(description),
            escape(self.root),
        );
        for (path, item) in members(&self.document["paths"]) {
            self.operation(path, &item["get"]);
        }
        self.out + "</main></html>"
    }

    fn operation(&mut self, path: &str, get: &'a Value) {
        let _ = write!(
            self.out,
            "<section><h2><code>GET {}{}</code></h2><p>{}</p>",
            escape(self.root),
            escape(path),
            escape(text(&get["description"]))
        );
        let parameters = list(&get["parameters"]);
        if !parameters.is_empty() {
            self.out.push_str("<table><tr><th>Parameter<th>Type<th>Meaning");
        }
        for parameter in parameters {
            let parameter = self.followed(parameter);
            let _ = write!(
                self.out,
                "<tr><td><code>{}</code>{}<td>{}<td>{}",
                escape(text(&parameter["name"])),
                if parameter["required"] == true { "" } else { " <small>optional</small>" },
                escape(&kind(&parameter["schema"])),
                escape(text(&parameter["description"]))
            );
        }
        if !parameters.is_empty() {
            self.out.push_str("</table>");
        }
        if let Some(example) = get["x-example"].as_str() {
            let _ = write!(
                self.out,
                "<p>For instance <a href=\"{0}{1}\"><code>{0}{1}</code></a>",
                escape(self.root),
                escape(example)
            );
        }
        self.out.push_str("<ul>");
        for (status, response) in members(&get["responses"]) {
            let response = self.followed(response);
            let _ = write!(
                self.out,
                "<li><strong>{}</strong>: {}",
                escape(status),
                escape(text(&response["description"]))
            );
            for (mime, media) in members(&response["content"]) {
                let _ = write!(self.out, " <code>{}</code>", escape(mime));
                if status == "200" {
                    self.schema(&media["schema"], 0);
                }
            }
        }
        self.out.push_str("</ul></section>");
    }

    /// Writes what an object holds, as a list in a list.
    fn schema(&mut self, schema: &'a Value, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let schema = self.followed(schema);
        if !schema["items"].is_null() {
            return self.schema(&schema["items"], depth + 1);
        }
        for one in list(&schema["oneOf"]) {
            self.schema(one, depth + 1);
        }
        if members(&schema["properties"]).next().is_none() {
            return;
        }
        self.out.push_str("<ul>");
        for (name, property) in members(&schema["properties"]) {
            let followed = self.followed(property);
            let _ = write!(
                self.out,
                "<li><code>{}</code> <small>{}</small> {}",
                escape(name),
                escape(&kind(followed)),
                escape(text(&followed["description"]))
            );
            self.schema(followed, depth + 1);
        }
        self.out.push_str("</ul>");
    }

    /// Returns what a reference names, else the value itself.
    fn followed(&self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str().and_then(|path| self.document.pointer(path.strip_prefix('#')?));
        target.unwrap_or(value)
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Says in words of what type a value is.
fn kind(schema: &Value) -> String {
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect(),
        one => vec![text(one)],
    };
    let choice: Vec<&str> = list(&schema["enum"]).iter().map(text).collect();
    if choice.is_empty() { types.join(" or ") } else { choice.join(", ") }
}
