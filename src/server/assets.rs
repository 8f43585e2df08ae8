//! Files of our own that pages need, and the policy under which pages run our script.
//!
//! No script runs in a page but ours. A page has one inline script, which the policy knows by its hash
//! and which loads [`tome.js`](self) from an address that stands in its own text: nothing in a page of
//! strangers can lead it elsewhere, and whatever else they write is not run. In that text stands the name
//! of our bar, too, by which the script finds it among whatever bars a page brings along. It is drawn by
//! lot when the server starts, later than any page was written.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use hyper::StatusCode;
use hyper::header::HeaderValue;
use sha2::{Digest, Sha256};

use super::answer::{Answer, Caching, Policy};
use crate::hex::{base64, to_hex};

/// A file of ours.
struct Asset {
    name: &'static str,
    mime: &'static str,
    text: String,
    /// What changes with it, in its address and its tag.
    version: String,
}

const CSS: &str = "text/css; charset=utf-8";

/// The script of all pages, of parts that share their names and no others.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("assets/script/start.js"),
    include_str!("assets/script/kept.js"),
    include_str!("assets/script/look.js"),
    include_str!("assets/script/bar.js"),
    include_str!("assets/script/suggest.js"),
    include_str!("assets/script/pages.js"),
    "})();\n"
);

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |name, mime, text: &str| Asset {
        name,
        mime,
        text: text.to_owned(),
        version: to_hex(&blake3::hash(text.as_bytes()).as_bytes()[..6]),
    };
    vec![
        asset("tome.js", "text/javascript; charset=utf-8", SCRIPT),
        asset("page.css", CSS, &shortened(include_str!("assets/page.css"))),
        asset("content.css", CSS, &shortened(include_str!("assets/content.css"))),
        asset("tome.svg", "image/svg+xml", include_str!("assets/tome.svg")),
    ]
});

/// The style of the bar, which stands in every page.
pub static BAR_CSS: LazyLock<String> = LazyLock::new(|| shortened(include_str!("assets/bar.css")));

/// The style in the head of every page that has the bar.
pub static READER_CSS: LazyLock<String> = LazyLock::new(|| shortened(include_str!("assets/reader.css")));

/// Changes with every file of ours, so that pages made by another version are not taken for ours.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    for asset in ASSETS.iter() {
        hasher.update(asset.version.as_bytes());
    }
    for text in [&*BAR_CSS, &*READER_CSS, include_str!("assets/loader.js"), env!("CARGO_PKG_VERSION")] {
        hasher.update(text.as_bytes());
    }
    to_hex(&hasher.finalize().as_bytes()[..4])
});

/// Takes comments and indentation out of a style sheet of ours, none of which has either in a string.
fn shortened(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What pages of a server have in common: its script and the policy that lets it run.
pub struct Assets {
    root: String,
    bar: String,
    loader: String,
    policy: HeaderValue,
    own_policy: HeaderValue,
}

impl Assets {
    /// Makes them for a server whose paths begin with `root`.
    pub fn new(root: &str) -> Self {
        let source = address(root, "tome.js");
        // Keyed by the system's random numbers: no page can guess it.
        let bar = format!("tome-bar-{:016x}", RandomState::new().hash_one(root));
        // An address is made of letters that mean nothing in a string of a script.
        let script = include_str!("assets/loader.js").trim().replace("SOURCE", &source).replace("BAR", &bar);
        let hash = base64(&Sha256::digest(script.as_bytes()));
        let policy = format!(
            "default-src 'none'; img-src 'self' data: blob:; media-src 'self' data: blob:; \
             font-src 'self' data:; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
             frame-src 'self'; object-src 'self'; script-src 'sha256-{hash}' 'strict-dynamic'; \
             base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
        );
        let header = |policy: String| {
            HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
        };
        Self {
            root: root.to_owned(),
            bar,
            loader: format!("<script>{script}</script>"),
            own_policy: header(policy.replace("frame-ancestors 'self'", "frame-ancestors 'none'")),
            policy: header(policy),
        }
    }

    /// Returns the policy of an archive's pages that have our script.
    pub fn page_policy(&self) -> Policy {
        Policy::Page(self.policy.clone())
    }

    /// Returns the policy of pages of ours. They are in no other page, where somebody might be led to click on
    /// what is not seen.
    pub fn own_policy(&self) -> Policy {
        Policy::Page(self.own_policy.clone())
    }

    /// Returns the id of the bar, which no page of strangers knows; another one whenever a server starts.
    pub fn bar(&self) -> &str {
        &self.bar
    }

    /// Returns the element that loads our script, for the head of a page.
    pub fn loader(&self) -> &str {
        &self.loader
    }

    /// Returns the address of one of our files.
    pub fn address(&self, name: &str) -> String {
        address(&self.root, name)
    }
}

fn address(root: &str, name: &str) -> String {
    let version = ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| &asset.version);
    format!("{root}/_tome/{name}?v={version}")
}

/// Answers with one of our files; it may be kept for ever under an address that names its version.
pub fn answer(name: &str, version: Option<&str>) -> Answer {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return Answer::text(StatusCode::NOT_FOUND, "there is no such file\n");
    };
    let mut answer = Answer::data(asset.mime, asset.text.clone()).tagged(format!("a-{}", asset.version));
    if version == Some(&asset.version) {
        answer.caching = Caching::Forever;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_lets_the_loader_run_and_nothing_else() {
        let assets = Assets::new("/w");
        let script = assets.loader().strip_prefix("<script>").unwrap().strip_suffix("</script>").unwrap();
        assert!(script.contains("\"/w/_tome/tome.js?v=") && !script.contains('<'), "{script}");
        assert!(script.contains(&format!("\"{}\"", assets.bar())), "{script}");
        let Policy::Page(policy) = assets.page_policy() else { panic!("no page") };
        let policy = policy.to_str().unwrap();
        let hash = base64(&Sha256::digest(script.as_bytes()));
        assert!(policy.contains(&format!("script-src 'sha256-{hash}' 'strict-dynamic';")), "{policy}");
        let scripts = policy.split("script-src").nth(1).unwrap().split(';').next().unwrap();
        assert!(!scripts.contains("unsafe") && !scripts.contains("self"), "{scripts}");
    }

    #[test]
    fn no_two_servers_have_one_name_for_the_bar() {
        assert_ne!(Assets::new("/w").bar(), Assets::new("/w").bar());
    }

    #[test]
    fn style_sheets_lose_comments_and_nothing_else() {
        assert_eq!(
            shortened("/* a */\n.b { c: d; }\n\n  /* e\n f */ .g { h: i }\n"),
            ".b { c: d; }\n.g { h: i }"
        );
        for css in [&*BAR_CSS, &*READER_CSS] {
            assert_eq!(css.matches('{').count(), css.matches('}').count());
            assert!(!css.contains("/*") && !css.contains("</"));
        }
    }

    #[test]
    fn files_are_kept_for_ever_under_an_address_that_changes_with_them() {
        let address = address("", "tome.js");
        let found = answer("tome.js", address.split_once("?v=").map(|(_, version)| version));
        assert_eq!((found.status, found.caching), (StatusCode::OK, Caching::Forever));
        assert!(found.tag.is_some());
        assert_eq!(answer("tome.js", None).caching, Caching::Revalidate);
        assert_eq!(answer("tome.js", Some("0")).caching, Caching::Revalidate);
        assert_eq!(answer("../tome.js", None).status, StatusCode::NOT_FOUND);
    }
}
