//! What a page says, whatever its markup and its letters' coding.
//!
//! A page is HTML, Markdown or plain text, and comes from strangers. [`charset`] gives its letters,
//! [`head`] what a packer asks of it: title, language, whether it only leads elsewhere. [`walk`]
//! turns HTML into events that nest, in linear time and without recursion; everything else here
//! listens to them: [`to_text`] and [`page`] for those who look for words, [`links`] and [`headings`]
//! for those who look for structure, [`from_html`] for Markdown, and the terminal's renderer from
//! outside. Markdown pages become HTML first ([`to_html`]), so that there is one way through.

pub mod borders;
pub mod charset;
mod escape;
mod events;
mod forms;
pub mod head;
mod hrefs;
mod html;
pub mod language;
mod markdown;
mod markdown_writer;
mod markup;
pub mod phrase;
mod points;
mod raw_tags;
mod references;
pub mod search_text;
pub mod signpost;
pub mod snippet;
pub mod stems;
mod tags;
pub mod words;
pub mod xml;

pub use escape::escape;
pub use events::{Attributes, Options, Visitor, walk};
pub use forms::Readable;
pub use hrefs::resolve;
pub use html::{Heading, Link, Page, headings, links, page, title, to_text};
pub use markdown::{FrontMatter, split_front_matter, to_html};
pub use markdown_writer::from_html;
pub use markup::{Markup, charset_of_mime, essence};
pub use points::{Address, HeadingAt, Points, points};
pub use raw_tags::decoded as attribute_value;
pub use references::{Purpose, references};
pub use tags::{Attribute, Tag};

#[cfg(test)]
pub(crate) mod tests;
