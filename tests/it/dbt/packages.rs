//! `deps`: packages from repositories, archives and a hub, here all of them folders on this disk.

use std::process::Command;

use crate::run::support::Project;

/// A project with `pkg` as a repository and as an archive, and a hub that has two versions of it.
struct World {
    project: Project,
    root: String,
}

fn sh(world: &str, script: &str) {
    let done = Command::new("sh")
        .args(["-ec", script])
        .current_dir(world)
        .output();
    let done = done.expect("sh runs");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn world() -> World {
    let project = Project::new(&[
        ("models/m.sql", "select {{ pkg.one() }} as v"),
        ("away/pkg/dbt_project.yml", "name: pkg\nversion: '1.0.0'\n"),
        (
            "away/pkg/macros/one.sql",
            "{% macro one() %}1{% endmacro %}",
        ),
    ]);
    let root = project.root().display().to_string();
    sh(
        &root,
        "cd away; export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
         tar -czf pkg-1.0.0.tar.gz pkg
         cp -r pkg repo; cd repo; git init -q -b main; git add .; git commit -qm one; git tag v1
         echo '{% macro one() %}2{% endmacro %}' > macros/one.sql; git commit -qam two; cd ..
         mkdir two; cp -r repo two/pkg; rm -rf two/pkg/.git; tar -czf pkg-1.1.0.tar.gz -C two pkg
         mkdir -p hub/api/v1/people",
    );
    let version = |v: &str| {
        format!(
            "\"{v}\": {{\"downloads\": {{\"tarball\": \"file://{root}/away/pkg-{v}.tar.gz\"}}}}"
        )
    };
    project.write(
        "away/hub/api/v1/people/pkg.json",
        &format!(
            "{{\"versions\": {{{}, {}}}}}",
            version("1.0.0"),
            version("1.1.0")
        ),
    );
    World { project, root }
}

impl World {
    #[track_caller]
    fn deps(&self, args: &[&str], code: i32) -> String {
        let mut command = self.project.command(&[&["deps"], args].concat());
        command.env(
            "DBT_PACKAGE_HUB_URL",
            format!("file://{}/away/hub/", self.root),
        );
        let output = command.output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    }

    fn asks(&self, list: &str) {
        let list = list.replace("ROOT", &self.root);
        self.project
            .write("packages.yml", &format!("packages:\n{list}\n"));
    }

    #[track_caller]
    fn gives(&self, value: &str) {
        self.project.ok(&["run"]);
        assert_eq!(self.project.rows("select v from shop.m"), value);
    }
}

#[test]
fn a_repository_is_cloned_at_its_revision_and_locked() {
    let world = world();
    world.asks("  - git: file://ROOT/away/repo\n    revision: v1");
    assert!(
        world
            .deps(&[], 0)
            .contains("1 package installed, 1 of them fetched")
    );
    world.gives("1");
    let lock = world.project.read("package-lock.yml");
    assert!(
        lock.contains("revision: ") && lock.contains("name: pkg"),
        "{lock}"
    );
    world.asks("  - git: file://ROOT/away/repo");
    world.deps(&["--upgrade"], 0);
    world.gives("2");
    world.asks("  - git: file://ROOT/away/repo\n    revision: no_such");
    let said = world.deps(&["--upgrade"], 2);
    assert!(
        said.contains("has no revision no_such") && said.contains("packages.yml"),
        "{said}"
    );
    world.gives("2");
}

#[test]
fn an_archive_is_unpacked() {
    let world = world();
    world.asks("  - tarball: file://ROOT/away/pkg-1.1.0.tar.gz\n    name: pkg");
    world.deps(&[], 0);
    world.gives("2");
    assert!(world.project.read("package-lock.yml").contains("tarball: "));
}

#[test]
fn the_hub_gives_the_greatest_version_that_fits_and_the_lock_keeps_it() {
    let world = world();
    world.asks("  - package: people/pkg\n    version: [\">=1.0.0\", \"<1.1.0\"]");
    world.deps(&[], 0);
    world.gives("1");
    assert!(
        world
            .project
            .read("package-lock.yml")
            .contains("version: 1.0.0")
    );
    world.asks("  - package: people/pkg\n    version: [\">=1.0.0\"]");
    world.deps(&[], 0);
    world.gives("1");
    world.deps(&["--upgrade"], 0);
    world.gives("2");
    world.asks("  - package: people/pkg\n    version: 1.0.0");
    world.deps(&[], 0);
    world.gives("1");
    world.asks("  - package: people/pkg\n    version: \">=7.0.0\"");
    assert!(
        world
            .deps(&["--upgrade"], 2)
            .contains("the hub has no people/pkg of version >=7.0.0")
    );
}

#[test]
fn what_cannot_be_fetched_is_told_and_nothing_changes() {
    let world = world();
    world.asks("  - package: people/none\n    version: 1.0.0");
    let said = world.deps(&[], 2);
    assert!(
        said.contains("package-fetch") && said.contains("- local: path"),
        "{said}"
    );
    assert!(!world.project.path("package-lock.yml").exists());
    // What lies there already needs no network.
    world.asks("  - package: people/pkg\n    version: 9.9.9");
    sh(
        &world.root,
        "mkdir -p dbt_packages && cp -r away/pkg dbt_packages/",
    );
    world.deps(&[], 0);
    world.gives("1");
}

#[test]
fn a_secret_in_a_url_is_not_told() {
    let world = world();
    world.asks("  - git: \"https://{{ env_var('DBT_ENV_SECRET_TOKEN') }}@localhost:1/x.git\"");
    let mut command = world.project.command(&["deps"]);
    let output = command
        .env("DBT_ENV_SECRET_TOKEN", "hunter2")
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("*****") && !said.contains("hunter2"),
        "{said}"
    );
}
