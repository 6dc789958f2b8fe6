//! `init`: a project to start from.

use crate::run::support::Project;

#[test]
fn a_new_project_builds_as_it_is() {
    let project = Project::new(&[]);
    project.remove("project.yml");
    project.remove("profiles.yml");
    let ran = project.ok(&["init", "first"]);
    assert!(
        ran.stderr.contains("cd first && marts build"),
        "{}",
        ran.stderr
    );
    assert!(
        project
            .read("first/profiles.yml")
            .contains("host: embedded")
    );
    let first = project.path("first");
    let build = ["build", "--project-dir", first.to_str().expect("is text")];
    project.ok(&build);
    assert_eq!(
        project.rows("select customer_id, orders, revenue from shop.orders order by 1"),
        "10|2|65 11|1|12.5"
    );
    project.fails(2, &["init", "first"], &["has a project.yml already"]);
    project.fails(
        2,
        &["init", "a b"],
        &["cannot be a project's name", "marts init a_b"],
    );
}

#[test]
fn what_lies_in_the_folder_stays() {
    let project = Project::new(&[("README.md", "mine")]);
    project.remove("project.yml");
    project.remove("profiles.yml");
    project.ok(&["init", "--skip-profile-setup"]);
    assert_eq!(project.read("README.md"), "mine");
    assert!(!project.path("profiles.yml").exists());
    assert!(project.path("project.yml").exists());
}
