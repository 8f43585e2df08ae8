//! How fast is an archive checked?
//!
//! - `full`: all of [`Archive::verify`], on all cores, in MB of *decoded content* a second: every block is
//!   decoded and every hash compared, the content's identity included.
//! - `quick`: structure and the hashes of the stored bytes, in MB of *archive* a second.
//!
//! The best of `--n` runs (3 by default), each with a fresh archive, since pages that were checked are
//! not checked again; the file is in the system's page cache. An archive with findings stops the bench.
//!
//! Corpus: an archive given, or the generated million, whose tables are more than its content, and the
//! real corpora (see `common`).

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Args, measure};
use tome::item::Silent;
use tome::reader::{Archive, VerifyOptions};

fn main() {
    let args = Args::parse();
    for subject in args.archives() {
        for quick in [false, true] {
            let mut bytes = 0;
            let times = measure(args.n(3), |_| {
                let archive = Archive::open(&subject.path).unwrap();
                let report = archive.verify(VerifyOptions { quick }, &Silent).unwrap();
                assert!(report.is_ok(), "{}: {:?}", subject.name, report.findings);
                bytes = if quick { archive.size() } else { report.bytes - archive.size() };
            });
            let name = format!("{}, {}", if quick { "quick" } else { "full" }, subject.name);
            args.rate(&name, bytes, times.into_iter().min().unwrap_or_default());
        }
    }
}
