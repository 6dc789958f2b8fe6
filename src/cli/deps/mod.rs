//! `deps`: brings the packages of `packages.yml` and `dependencies.yml` into the install folder,
//! and writes which into `package-lock.yml`.
//!
//! Local packages are used where they lie. What lies in the install folder already stays, unless
//! the lock file or `--upgrade` says otherwise, so that vendored packages need no network.

mod fetch;
mod lock;
mod version;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value as Json;

use super::args::Global;
use super::failure::Failure;
use super::invocation::{project_dir, read, read_options, reporter};
use super::{EXIT_OK, World};
use crate::diag::{Diagnostic, Spanned, codes};
use crate::event::Event;
use crate::project::{PackageEntry, PackageList, PackageSource, ReadOptions, read_package_list};
use crate::report::format::count;
use fetch::{Tools, has_project, make};
use lock::{Lock, Locked};

/// `deps`.
#[derive(Args, Clone, Debug, Default)]
pub struct DepsArgs {
    /// Fetch all again, the newest that packages.yml allows
    #[arg(long)]
    pub upgrade: bool,
    /// Only write package-lock.yml
    #[arg(long)]
    pub lock: bool,
}

/// Where the hub is, unless the environment says otherwise.
const HUB: &str = "https://hub.getdbt.com/";

/// Runs the command.
pub(super) fn run(global: &Global, args: &DepsArgs, world: &mut World) -> Result<u8, Failure> {
    let root = project_dir(global);
    let options = read_options(global, world)?;
    let list = list_of(&root, &options)?;
    let install = root.join(&list.install_path);
    let earlier = Lock::read(&root);
    let mut fetcher = Fetcher {
        args,
        options: &options,
        tools: Tools { env: &world.env },
        hub: world
            .env
            .get("DBT_PACKAGE_HUB_URL")
            .map_or(HUB, String::as_str),
        room: install.join(format!(".marts-fetch-{}", std::process::id())),
        install: &install,
        earlier: &earlier,
        chosen: HashMap::new(),
        fetched: Vec::new(),
        lock: Lock::of_list(&list.sha1_hash),
    };
    let done = fetcher.all(&root, list).and_then(|()| fetcher.put());
    let _ = std::fs::remove_dir_all(&fetcher.room);
    done?;
    let (lock, fetched) = (fetcher.lock, fetcher.fetched.len());
    lock.write(&root, &earlier)?;
    let mut reporter = reporter(global, world);
    if !args.lock {
        lock.remove_gone(&install, &earlier);
        let (project, _) = read(global, world)?;
        let packages = project.packages.len().saturating_sub(1);
        let message = match (packages, fetched) {
            (0, _) => "the project has no packages".to_owned(),
            (n, 0) => format!("{} installed", count(n as u64, "package")),
            (n, new) => format!(
                "{} installed, {new} of them fetched",
                count(n as u64, "package")
            ),
        };
        reporter.event(&Event::Logged { message });
    }
    reporter.finish();
    Ok(EXIT_OK)
}

fn list_of(folder: &Path, options: &ReadOptions) -> Result<PackageList, Failure> {
    let list = read_package_list(folder, options);
    list.map_err(|failed| Failure::new(failed.diagnostics, failed.sources))
}

/// Fetches what lists ask for, and what that asks for.
struct Fetcher<'a> {
    args: &'a DepsArgs,
    options: &'a ReadOptions,
    tools: Tools<'a>,
    hub: &'a str,
    /// A folder for what is not in its place yet.
    room: PathBuf,
    install: &'a Path,
    earlier: &'a Lock,
    /// The version or commit that each hub package, repository or archive was taken at.
    chosen: HashMap<String, String>,
    /// Names, and where they are now.
    fetched: Vec<(String, PathBuf)>,
    lock: Lock,
}

impl Fetcher<'_> {
    /// All entries of a list, then those of what they brought.
    fn all(&mut self, root: &Path, list: PackageList) -> Result<(), Failure> {
        let mut queue = vec![(root.to_owned(), list)];
        while let Some((folder, list)) = queue.pop() {
            for entry in &list.entries {
                let brought = self
                    .entry(&folder, entry)
                    .map_err(|failed| place(failed, entry, &list))?;
                if let Some(folder) = brought {
                    let below = list_of(&folder, self.options)?;
                    queue.push((folder, below));
                }
            }
        }
        Ok(())
    }

    /// The folder of what an entry asks for, unless it was brought before.
    fn entry(&mut self, folder: &Path, entry: &PackageEntry) -> Result<Option<PathBuf>, Failure> {
        match &entry.source {
            PackageSource::Local(path) => {
                let path = folder.join(path);
                let real = path.canonicalize().unwrap_or(path);
                let key = format!("local {}", real.display());
                let known = self.chosen.insert(key, String::new()).is_some();
                // A folder that is not there is told when the project is read.
                Ok((!known && has_project(&real)).then_some(real))
            }
            PackageSource::Hub {
                package,
                versions,
                prerelease,
            } => self.hub_package(package, versions, *prerelease),
            PackageSource::Git {
                url,
                revision,
                subdirectory,
            } => self.repository(url, revision.as_deref(), subdirectory.as_deref()),
            PackageSource::Tarball { url, name } => self.archive(url, name),
        }
    }

    fn hub_package(
        &mut self,
        package: &str,
        versions: &[String],
        prerelease: bool,
    ) -> Result<Option<PathBuf>, Failure> {
        if let Some(chosen) = self.chosen.get(package) {
            if version::fulfils(chosen, versions) || chosen.is_empty() {
                return Ok(None);
            }
            return Err(Failure::message(
                codes::PACKAGE_FETCH,
                format!(
                    "{package} {chosen} was chosen, but another package asks for {}",
                    versions.join(", ")
                ),
                "give it a version in packages.yml that all can live with",
            ));
        }
        let name = package.rsplit('/').next().unwrap_or(package);
        let locked = self.earlier.hub(package);
        let locked = locked.filter(|l| version::fulfils(l, versions) && !self.args.upgrade);
        let there = self.install.join(name);
        // What lies there and is not known to be another version is used as it is.
        if has_project(&there) && !self.args.upgrade && !self.args.lock {
            let other = self
                .earlier
                .hub(package)
                .filter(|l| !version::fulfils(l, versions));
            if other.is_none() {
                let version = locked.unwrap_or_default().to_owned();
                if !version.is_empty() {
                    self.lock.add(Locked::hub(name, package, &version));
                }
                self.chosen.insert(package.to_owned(), version);
                return Ok(Some(there));
            }
        }
        let index = self.index(package)?;
        let all = index.get("versions").and_then(Json::as_object);
        let known = all
            .into_iter()
            .flat_map(|map| map.keys().map(String::as_str));
        let chosen = locked.map(str::to_owned);
        let chosen =
            chosen.or_else(|| version::greatest(known, versions, prerelease).map(str::to_owned));
        let Some(chosen) = chosen else {
            let newest: Vec<&str> = all
                .into_iter()
                .flat_map(|m| m.keys().map(String::as_str))
                .rev()
                .take(3)
                .collect();
            return Err(Failure::message(
                codes::PACKAGE_FETCH,
                format!(
                    "the hub has no {package} of version {}",
                    versions.join(", ")
                ),
                format!("it has for example {}", newest.join(", ")),
            ));
        };
        let url = &index["versions"][&chosen]["downloads"]["tarball"];
        let Some(url) = url.as_str().map(str::to_owned) else {
            return Err(Failure::message(
                codes::PACKAGE_FETCH,
                format!("the hub does not say where {package} {chosen} is"),
                "name its repository instead: `- git: url`",
            ));
        };
        self.lock.add(Locked::hub(name, package, &chosen));
        self.chosen.insert(package.to_owned(), chosen);
        self.unpacked(&url, Some(name)).map(Some)
    }

    /// What the hub knows of a package.
    fn index(&self, package: &str) -> Result<Json, Failure> {
        make(&self.room)?;
        let path = self.room.join("index.json");
        let base = self.hub.trim_end_matches('/');
        let url = format!("{base}/api/v1/{package}.json");
        self.tools.download(&url, &path)?;
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        serde_json::from_str(&text).map_err(|error| {
            Failure::message(
                codes::PACKAGE_FETCH,
                format!("the hub's answer about {package} is no JSON: {error}"),
                "try again later, or name its repository: `- git: url`",
            )
        })
    }

    fn archive(&mut self, url: &str, name: &str) -> Result<Option<PathBuf>, Failure> {
        if self.chosen.insert(url.to_owned(), String::new()).is_some() {
            return Ok(None);
        }
        self.lock
            .add(Locked::tarball(name, &self.tools.masked(url)));
        let there = self.install.join(name);
        if has_project(&there) && !self.args.upgrade {
            return Ok(Some(there));
        }
        self.unpacked(url, Some(name)).map(Some)
    }

    /// Downloads and unpacks an archive; its folder, waiting to be put in its place.
    fn unpacked(&mut self, url: &str, name: Option<&str>) -> Result<PathBuf, Failure> {
        make(&self.room)?;
        let number = self.fetched.len();
        let archive = self.room.join(format!("{number}.tar.gz"));
        self.tools.download(url, &archive)?;
        let into = self.room.join(number.to_string());
        let folder = self.tools.unpack(&archive, &into)?;
        self.is_fetched(&folder, name, url)
    }

    fn repository(
        &mut self,
        url: &str,
        revision: Option<&str>,
        subdirectory: Option<&str>,
    ) -> Result<Option<PathBuf>, Failure> {
        let key = format!("{url} {}", subdirectory.unwrap_or_default());
        if self.chosen.contains_key(&key) {
            return Ok(None);
        }
        let shown = self.tools.masked(url);
        let locked = self.earlier.git(&shown, subdirectory);
        let locked = locked.filter(|_| !self.args.upgrade);
        // A lock of another branch or tag does not hold.
        let locked = locked.filter(|l| {
            revision
                .is_none_or(|r| l.asked.as_deref() == Some(r) || l.revision.as_deref() == Some(r))
        });
        if let Some(locked) = locked {
            let there = self.install.join(&locked.name);
            if has_project(&there) && !self.args.lock {
                self.chosen.insert(key, String::new());
                self.lock.add(locked.clone());
                return Ok(Some(there));
            }
        }
        let last = url
            .trim_end_matches('/')
            .rsplit(['/', ':'])
            .next()
            .unwrap_or_default();
        let there = self.install.join(last.trim_end_matches(".git"));
        if has_project(&there) && self.earlier.is_empty() && !self.args.upgrade && !self.args.lock {
            self.chosen.insert(key, String::new());
            return Ok(Some(there));
        }
        make(&self.room)?;
        let into = self.room.join(self.fetched.len().to_string());
        let wanted = locked.and_then(|l| l.revision.clone());
        let wanted = wanted.as_deref().or(revision);
        let commit = self.tools.clone(url, wanted, &into)?;
        let folder = subdirectory.map_or_else(|| into.clone(), |below| into.join(below));
        let folder = self.is_fetched(&folder, None, &shown)?;
        let name = self
            .fetched
            .last()
            .map(|(name, _)| name.clone())
            .unwrap_or_default();
        let mut entry = Locked::git(&name, &shown, &commit, subdirectory);
        entry.asked = revision.map(str::to_owned);
        self.lock.add(entry);
        self.chosen.insert(key, commit);
        Ok(Some(folder))
    }

    /// Notes a folder that is to be put in its place under the project's own name.
    fn is_fetched(
        &mut self,
        folder: &Path,
        name: Option<&str>,
        from: &str,
    ) -> Result<PathBuf, Failure> {
        let list = match has_project(folder) {
            true => list_of(folder, self.options)?,
            false => {
                return Err(Failure::message(
                    codes::PACKAGE_FETCH,
                    format!("{} holds no project", self.tools.masked(from)),
                    "name the folder that does with `subdirectory:`",
                ));
            }
        };
        let own = list.name.or_else(|| name.map(str::to_owned));
        let own = own.filter(|n| n.chars().all(|c| c.is_alphanumeric() || c == '_'));
        let name = own.unwrap_or_else(|| "package".to_owned());
        self.fetched.push((name, folder.to_owned()));
        Ok(folder.to_owned())
    }

    /// Exchanges the installed folders for the fetched ones.
    fn put(&self) -> Result<(), Failure> {
        if self.args.lock {
            return Ok(());
        }
        for (name, from) in &self.fetched {
            let to = self.install.join(name);
            let gone = if to.is_symlink() {
                std::fs::remove_file(&to)
            } else if to.exists() {
                std::fs::remove_dir_all(&to)
            } else {
                Ok(())
            };
            gone.and_then(|()| std::fs::rename(from, &to))
                .map_err(|error| {
                    Failure::message(
                        codes::TARGET_UNWRITABLE,
                        format!("cannot put {name} into {}: {error}", self.install.display()),
                        "make the folder writable",
                    )
                })?;
        }
        Ok(())
    }
}

/// Points a failure at the entry that it is about, if it is at no place yet.
fn place(failure: Failure, entry: &PackageEntry, list: &PackageList) -> Failure {
    let at = Spanned {
        value: (),
        span: entry.span,
    };
    let diagnostics: Vec<Diagnostic> = failure.diagnostics().to_vec();
    let placed = diagnostics
        .into_iter()
        .map(|problem| match problem.labels.is_empty() {
            true => problem.at(at.span, "asked for here"),
            false => problem,
        });
    Failure::new(placed.collect(), list.sources.clone())
}
