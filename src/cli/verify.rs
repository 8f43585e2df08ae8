//! `tome verify`.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;
use tome::book::{self, Book, CacheOptions, Format, VerifyOptions};
use tome::error::Error;
use tome::findings::{Finding, Report, Severity};

use super::args::{ArchiveArgs, Globals, VerifyArgs};
use super::output::Output;
use super::progress::Progress;
use super::{Failure, Outcome, Status, interrupt, open, talk};

/// One line of JSON.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Finding {
        check: &'a str,
        severity: &'static str,
        message: &'a str,
        section: Option<&'a str>,
        block: Option<u32>,
        entries: &'a [String],
        n_entries: u64,
    },
    End {
        ok: bool,
        blocks: u64,
        n_entries: u64,
        bytes: u64,
        seconds: f64,
    },
}

impl<'a> Line<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self::Finding {
            check: finding.check,
            severity: severity(finding),
            message: &finding.message,
            section: finding.section,
            block: finding.block,
            entries: &finding.entries,
            n_entries: finding.n_entries,
        }
    }
}

/// Runs the command.
pub fn run(args: &VerifyArgs, globals: &Globals) -> Outcome {
    let started = Instant::now();
    let report = match open::try_open(&args.archive, CacheOptions::default()) {
        Ok(book) => check(args, &book, globals)?,
        Err(error) => unopened(args, error)?,
    };
    let seconds = started.elapsed().as_secs_f64();
    let mut out = Output::new();
    if args.json {
        for finding in &report.findings {
            out.json(&Line::of(finding))?;
        }
        out.json(&Line::End {
            ok: report.is_ok(),
            blocks: report.blocks,
            n_entries: report.entries,
            bytes: report.bytes,
            seconds,
        })?;
    } else {
        print(&mut out, args, &report, seconds)?;
    }
    out.finish()?;
    Ok(if report.is_ok() { Status::Yes } else { Status::No })
}

fn check(args: &VerifyArgs, book: &Book, globals: &Globals) -> Result<Report, Failure> {
    let progress = Progress::new(globals);
    interrupt::watch();
    progress.start("checking", None);
    let options = VerifyOptions { quick: args.quick, links: args.links };
    let report = book.verify(options, &progress);
    progress.finish();
    report.map_err(|error| Failure::of_archive(&args.archive.archive, error))
}

/// Returns the report on a file that cannot be opened: damage, if it ever was an archive.
fn unopened(args: &VerifyArgs, error: Error) -> Result<Report, Failure> {
    let ArchiveArgs { archive: path, at, .. } = &args.archive;
    let format = book::format_of(path, *at);
    let is_damage = error.is_damage() || matches!(error, Error::NotAnArchive { .. });
    let (true, Some(format)) = (is_damage, format) else {
        return Err(open::failure(path, error));
    };
    let mut finding = Finding::of(&error);
    match format {
        Format::Tome => {
            if let Error::NotAnArchive { .. } = error {
                finding.check = "magic";
            }
            finding.section = Some("first page");
            finding.message =
                format!("{error}; neither the first page nor its copy is whole, and nothing can be read");
        }
        Format::Zim => finding.message.push_str("; nothing can be read"),
    }
    let bytes = std::fs::metadata(path).map_or(0, |m| m.len());
    Ok(Report { findings: vec![finding], bytes, ..Report::default() })
}

fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Findings of one check stand together, errors first.
fn print(out: &mut Output, args: &VerifyArgs, report: &Report, seconds: f64) -> Result<(), Failure> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        groups.entry((severity(finding), finding.check)).or_default().push(finding);
    }
    for ((severity, check), findings) in &groups {
        out.line(&format!("{severity}: {check} ({})", talk::grouped(findings.len() as u64)))?;
        for finding in findings {
            out.line(&format!("  {}", finding.message))?;
        }
    }
    let n_errors = report.findings.iter().filter(|f| f.severity == Severity::Error).count();
    let verdict = match n_errors {
        0 if args.quick => "whole as far as a quick check tells".to_owned(),
        0 => "whole".to_owned(),
        n => format!("DAMAGED, {}", talk::count(n as u64, "error")),
    };
    let n_warnings = report.findings.len() - n_errors;
    let warnings = match n_warnings {
        0 => String::new(),
        n => format!(", {}", talk::count(n as u64, "warning")),
    };
    out.line(&format!("{}: {verdict}{warnings}", args.archive.archive.display()))?;
    out.line(&format!(
        "{}, {} {}, {} bytes in {seconds:.2} s ({:.2} GB/s)",
        talk::count(report.blocks, "block"),
        talk::grouped(report.entries),
        if report.entries == 1 { "entry" } else { "entries" },
        talk::grouped(report.bytes),
        report.bytes as f64 / 1e9 / seconds.max(1e-9)
    ))
}
