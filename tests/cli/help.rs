//! `-h` and `--help` as they are, in `help/*.txt`. `TOME_UPDATE_HELP=1 cargo test --test cli help`
//! writes them anew.

use super::{home, tome};

const COMMANDS: [&str; 11] = [
    "pack",
    "info",
    "list",
    "read",
    "suggest",
    "search",
    "random",
    "extract",
    "verify",
    "completions",
    "man",
];

fn check(name: &str, args: &[&str]) {
    let out = tome().env("COLUMNS", "100").args(args).output().unwrap();
    assert!(out.status.success());
    let text = String::from_utf8(out.stdout).unwrap();
    let path = home().join("tests/cli/help").join(name);
    if std::env::var_os("TOME_UPDATE_HELP").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(text == known, "{name} differs; TOME_UPDATE_HELP=1 writes it anew\n{text}");
}

#[test]
fn help_is_as_it_was_reviewed() {
    check("tome-short.txt", &["-h"]);
    check("tome.txt", &["--help"]);
    for command in COMMANDS {
        check(&format!("{command}-short.txt"), &[command, "-h"]);
        check(&format!("{command}.txt"), &[command, "--help"]);
    }
}

#[test]
fn first_lines_are_imperative_and_without_a_period() {
    for command in COMMANDS {
        let out = tome().args([command, "-h"]).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let first = text.lines().next().unwrap();
        assert!(!first.ends_with('.') && first.starts_with(char::is_uppercase), "{command}: {first}");
    }
}

#[test]
fn manual_pages_and_completions_come_from_the_same_definition() {
    let folder = tempfile::tempdir().unwrap();
    assert!(tome().args(["man", "--all"]).arg(folder.path()).output().unwrap().status.success());
    for command in COMMANDS {
        let page = std::fs::read_to_string(folder.path().join(format!("tome-{command}.1"))).unwrap();
        assert!(page.contains(".SH NAME"), "{command}");
    }
    let page = String::from_utf8(tome().args(["man", "pack"]).output().unwrap().stdout).unwrap();
    assert!(page.contains("Exit status") && page.contains("block\\-size"), "{page}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = tome().args(["completions", shell]).output().unwrap().stdout;
        assert!(String::from_utf8(script).unwrap().contains("block-size"), "{shell}");
    }
}
