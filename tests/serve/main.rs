//! Tests of the server as clients meet it: over a socket.

#![allow(clippy::unwrap_used, reason = "a failing test may say so by panicking, its helpers included")]

mod api;
mod browser;
mod client;
mod house;
mod http;
mod kiwix;
mod library;
mod limits;
#[allow(dead_code, reason = "of the programs of others, not all are asked here")]
#[path = "../it/peers.rs"]
mod peers;
mod security;
