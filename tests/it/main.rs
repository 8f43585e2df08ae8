//! Tests of the library through its public face. A module a capability; what needs no archive is
//! tested beside its code, what a person types in `tests/cli`.
#![allow(clippy::unwrap_used, missing_docs)]

mod archive;
mod book;
mod broken;
mod cold;
mod common;
mod corrupt;
mod damage;
mod extract;
mod independent;
mod layering;
mod peers;
mod roundtrip;
mod search;
mod search_damage;
mod spec;
mod storage;
mod suggest;
mod zim_check;
mod zim_convert;
mod zim_index;
mod zim_read;
mod zim_small;
mod zim_write;
