//! Markdown to HTML, and back.
