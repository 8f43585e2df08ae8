//! `/api`: the description for people, made from the one for programs.

use std::fmt::Write;

use hyper::StatusCode;
use serde_json::Value;

use super::{Fault, OPENAPI};
use crate::server::answer::Answer;
use crate::server::words::Words;
use crate::server::{State, pages};
use crate::text::escape;

/// How deep an object in an object is shown.
const MAX_DEPTH: usize = 6;

pub(super) fn page(state: &State) -> Result<Answer, Fault> {
    let broken = |_| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the description cannot be read");
    let document: Value = serde_json::from_str(OPENAPI).map_err(broken)?;
    let writer =
        Writer { document: &document, root: &state.options.root, w: pages::words(), out: String::new() };
    Ok(pages::manual(state, text(&document["info"]["title"]), &writer.page()))
}

struct Writer<'a> {
    document: &'a Value,
    root: &'a str,
    w: &'a Words,
    out: String,
}

impl<'a> Writer<'a> {
    fn page(mut self) -> String {
        // Writing to a String cannot fail.
        let _ = write!(
            self.out,
            "<p>{}</p><p><a href=\"{}/api/openapi.json\">openapi.json</a></p>",
            escape(text(&self.document["info"]["description"])),
            escape(self.root),
        );
        for (path, item) in members(&self.document["paths"]) {
            self.operation(path, &item["get"]);
        }
        self.out
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
            let [name, kind, meaning] = [self.w.parameter, self.w.kind, self.w.meaning].map(escape);
            let _ = write!(self.out, "<table><tr><th>{name}<th>{kind}<th>{meaning}");
        }
        for parameter in parameters {
            let parameter = self.followed(parameter);
            let _ = write!(
                self.out,
                "<tr><td><code>{}</code>{}<td>{}<td>{}",
                escape(text(&parameter["name"])),
                match parameter["required"] == true {
                    true => String::new(),
                    false => format!(" <small>{}</small>", escape(self.w.optional)),
                },
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
                "<p>{2} <a href=\"{0}{1}\"><code>{0}{1}</code></a>",
                escape(self.root),
                escape(example),
                escape(self.w.for_instance)
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
