//! What hints, help and documentation tell people to type exists: every `marts <command>`
//! and every `--flag` is known to the command line.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::CommandFactory;
use marts::cli::args::Cli;
use regex::Regex;

/// Flags of other programs that messages and documents name.
const OF_OTHERS: [&str; 19] = [
    "all-targets",
    "auth",
    "bindir",
    "encoding",
    "ignore-scripts",
    "locale",
    "no-instructions",
    "no-sync",
    "nocapture",
    "noconfirm",
    "pack-destination",
    "path",
    "pgdata",
    "porcelain",
    "release",
    "silent",
    "verify",
    "test",
    "username",
];

/// Every subcommand's path (`db`, `db start`) and every long flag.
fn known() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut commands, mut flags) = (BTreeSet::new(), BTreeSet::new());
    let mut root = Cli::command();
    root.build();
    gather(&root, "", &mut commands, &mut flags);
    (commands, flags)
}

fn gather(
    command: &clap::Command,
    path: &str,
    commands: &mut BTreeSet<String>,
    flags: &mut BTreeSet<String>,
) {
    for argument in command.get_arguments() {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        flags.extend(
            argument
                .get_long()
                .into_iter()
                .chain(aliases)
                .map(str::to_owned),
        );
    }
    for sub in command.get_subcommands() {
        for name in std::iter::once(sub.get_name()).chain(sub.get_all_aliases()) {
            let path = format!("{path} {name}").trim().to_owned();
            gather(sub, &path, commands, flags);
            commands.insert(path);
        }
    }
}

/// Rust sources without their tests, and the documentation.
fn texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for folder in ["src", "docs", "README.md", "CONTRIBUTING.md"] {
        for entry in walkdir::WalkDir::new(root.join(folder)) {
            let path = entry.expect("can be walked").into_path();
            let name = path
                .strip_prefix(root)
                .expect("is inside")
                .display()
                .to_string();
            let is_text = [".rs", ".md"].iter().any(|end| name.ends_with(end));
            if !is_text || name.ends_with("tests.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("reads");
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            texts.push((name, text.replace("\\\n", " ")));
        }
    }
    texts
}

#[test]
fn every_command_that_people_are_told_to_type_exists() {
    let (commands, _) = known();
    let told = Regex::new(r"`marts ((?:--?[\w-]+ )*)([a-z][a-z-]*)( [a-z]+)?").expect("is one");
    let mut wrong = Vec::new();
    for (file, text) in texts() {
        for found in told.captures_iter(&text) {
            let first = found[2].to_owned();
            let both = found.get(3).map(|word| format!("{first}{}", word.as_str()));
            let has_subcommands = commands.iter().any(|c| c.starts_with(&format!("{first} ")));
            let fine = commands.contains(&first)
                && (!has_subcommands || both.is_none_or(|both| commands.contains(&both)));
            if !fine {
                wrong.push(format!("{file}: {}", &found[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "no such command:\n{}", wrong.join("\n"));
}

#[test]
fn every_flag_that_people_are_told_to_give_exists() {
    let (_, flags) = known();
    let told = Regex::new(r"(?:^|[\s`(\x22'])--([a-z][a-z-]+)").expect("is one");
    let mut wrong = Vec::new();
    // README lists flags that are not there yet.
    let texts = texts().into_iter().filter(|(file, _)| file != "README.md");
    let scripts = Regex::new(r"`bench/[^`]*`").expect("is one");
    for (file, text) in texts {
        for found in told.captures_iter(&scripts.replace_all(&text, "")) {
            let flag = &found[1];
            let known = flags.contains(flag) || ["help", "version"].contains(&flag);
            if !known && !OF_OTHERS.contains(&flag) {
                wrong.push(format!("{file}: --{flag}"));
            }
        }
    }
    assert!(wrong.is_empty(), "no such flag:\n{}", wrong.join("\n"));
}
