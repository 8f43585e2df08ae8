//! What is said on stderr. Every message may hold names by strangers, so all are sanitised here.

use std::io::{IsTerminal, Write};

use tome::terminal::{Keep, sanitize};

/// Says what went wrong.
pub fn error(message: &str) {
    say("error", "1;31", message);
}

/// Says what was left out by a rule, or is odd.
pub fn warning(message: &str) {
    say("warning", "1;33", message);
}

/// Says what the user could do.
pub fn hint(message: &str) {
    say("hint", "1;36", message);
}

/// Says something in passing.
pub fn note(message: &str) {
    write(&sanitize(message, Keep::Nothing));
}

/// Says what has lines already.
pub fn lines(message: &str) {
    write(sanitize(message, Keep::Newline).trim_end_matches('\n'));
}

fn say(label: &str, style: &str, message: &str) {
    let message = sanitize(message, Keep::Nothing);
    if wants_colour() {
        write(&format!("\u{1b}[{style}m{label}:\u{1b}[0m {message}"));
    } else {
        write(&format!("{label}: {message}"));
    }
}

fn wants_colour() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal()
        && !set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn write(line: &str) {
    // `eprintln!` would panic where nobody listens.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Returns a number with its thousands apart.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns a number of bytes as people say it: MB is 10^6 bytes.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if n < 1000 {
        return format!("{n} bytes");
    }
    let mut value = n as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if value < 10.0 { format!("{value:.2} {}", UNITS[unit]) } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// Returns a rate in bytes a second.
pub fn rate(n: u64, seconds: f64) -> String {
    format!("{}/s", bytes((n as f64 / seconds.max(1e-6)) as u64))
}

/// Returns a count with its noun, which takes an `s`.
pub fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1000), "1.00 kB");
        assert_eq!(bytes(999_960), "1.00 MB");
        assert_eq!(bytes(12_345_678), "12.3 MB");
        assert_eq!(count(1, "entry"), "1 entry");
    }
}
