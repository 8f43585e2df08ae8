//! A page on a terminal.
//!
//! Content is written by strangers: [`sanitize()`] shows each control character that would reach a
//! terminal, and what [`render_html`] and its siblings return holds none but line breaks and their own
//! styling. A page becomes blocks (`flow`), whose cells are blocks again; blocks become lines of a
//! given width (`layout`, `wrap`, `table`). [`show`] hands the lines to a pager.

mod flow;
mod layout;
mod render;
mod sanitize;
mod table;
mod view;
mod wrap;

pub use render::{RenderOptions, render_html, render_markdown, render_text};
pub use sanitize::{Keep, sanitize};
pub use view::{show, terminal_width, wants_style};

#[cfg(test)]
mod tests;
