//! `init`: a small project to start from, with a seed, a model and tests, on the private server.

use std::fs;
use std::path::Path;

use clap::Args;

use super::args::Global;
use super::failure::Failure;
use super::generate::say;
use super::{EXIT_OK, World};
use crate::diag::codes;

/// `init`.
#[derive(Args, Clone, Debug, Default)]
pub struct InitArgs {
    /// The project's name, and its folder [default: the folder where you are]
    pub name: Option<String>,
    /// Write no profiles.yml
    #[arg(long, short = 's')]
    pub skip_profile_setup: bool,
}

/// The files of a new project; `{name}` is its name.
const FILES: [(&str, &str); 7] = [
    ("project.yml", include_str!("init/project.yml")),
    ("profiles.yml", include_str!("init/profiles.yml")),
    (".gitignore", include_str!("init/gitignore")),
    ("README.md", include_str!("init/README.md")),
    ("seeds/raw_orders.csv", include_str!("init/raw_orders.csv")),
    ("models/orders.sql", include_str!("init/orders.sql")),
    ("models/orders.yml", include_str!("init/orders.yml")),
];

/// Runs the command.
pub(super) fn run(global: &Global, args: &InitArgs, world: &World) -> Result<u8, Failure> {
    let base = global.project_dir.clone().unwrap_or_else(|| ".".into());
    let base = std::path::absolute(&base).unwrap_or(base);
    let (folder, name) = match &args.name {
        Some(name) => (base.join(name), name.clone()),
        None => {
            let last = base.file_name();
            let name = last.map_or_else(|| "shop".to_owned(), |n| n.to_string_lossy().into_owned());
            (base, identifier(&name))
        }
    };
    if name != identifier(&name) {
        return Err(Failure::message(
            codes::PROJECT_NAME,
            format!("{name:?} cannot be a project's name: letters, digits and _ only"),
            format!("write `marts init {}`", identifier(&name)),
        ));
    }
    for file in ["project.yml", "dbt_project.yml"] {
        if folder.join(file).exists() {
            return Err(Failure::message(
                codes::CLI_USAGE,
                format!("{} has a {file} already", folder.display()),
                "give the new project another name",
            ));
        }
    }
    let profile = global.profile.as_deref().unwrap_or(&name);
    for (path, text) in FILES {
        let without = args.skip_profile_setup || global.profile.is_some();
        if without && path == "profiles.yml" || folder.join(path).exists() {
            continue;
        }
        let text = text.replace("{name}", &name).replace("{profile}", profile);
        write(&folder.join(path), &text)?;
    }
    if !world.stderr_style.quiet {
        let go = match &args.name {
            Some(name) => format!("cd {name} && "),
            None => String::new(),
        };
        say(&format!(
            "Made the project {name} in {}.\nNext: {go}marts build\n",
            folder.display()
        ));
    }
    Ok(EXIT_OK)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let parent = path.parent().map_or(Ok(()), fs::create_dir_all);
    parent
        .and_then(|()| fs::write(path, text))
        .map_err(|error| {
            Failure::message(
                codes::TARGET_UNWRITABLE,
                format!("cannot write {}: {error}", path.display()),
                "make the folder writable, or start in another",
            )
        })
}

/// Letters, digits and `_`, none of the digits first.
fn identifier(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = text.chars().map(safe).collect();
    let name = name.trim_start_matches(|c: char| c.is_ascii_digit());
    if name.trim_matches('_').is_empty() {
        "shop".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folders_name_becomes_a_projects_name() {
        assert_eq!(identifier("my-shop.2"), "my_shop_2");
        assert_eq!(identifier("2026-data"), "_data");
        assert_eq!(identifier("--"), "shop");
    }
}
