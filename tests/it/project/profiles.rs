//! Profiles, targets, secrets and URLs.

use marts::diag::{RenderOptions, render_all};
use marts::project::read;
use serde_json::json;

use super::support::Scratch;

const PROFILE: &str = r#"
shop:
  target: "{{ env_var('TARGET', 'dev') }}"
  outputs:
    dev:
      type: postgres
      host: localhost
      port: "{{ env_var('PORT') | as_number }}"
      user: ann
      password: "{{ env_var('DBT_ENV_SECRET_PASSWORD') }}"
      dbname: shop
      schema: "dev_{{ env_var('USER', 'nobody') }}"
      threads: 8
    broken:
      type: postgres
      user: "{{ env_var('NOT_SET') }}"
"#;

fn scratch() -> Scratch {
    Scratch::new()
        .file("profiles.yml", PROFILE)
        .env("PORT", "5433")
        .env("DBT_ENV_SECRET_PASSWORD", "hunter2")
}

#[test]
fn only_the_chosen_output_is_rendered() {
    let project = scratch().env("USER", "ann").read();
    assert_eq!(project.target.output["port"], json!(5433));
    assert_eq!(project.target.output["password"], json!("hunter2"));
    assert_eq!(project.target.schema, "dev_ann");
    assert_eq!(project.target.threads, 8);
}

#[test]
fn the_target_variable_holds_no_secret() {
    let variable = scratch().read().target.variable();
    assert_eq!(variable["name"], json!("dev"));
    assert_eq!(variable["database"], json!("shop"));
    assert!(!variable.to_string().contains("hunter2"), "{variable}");
}

#[test]
fn no_message_holds_a_secret() {
    let scratch = scratch().file(
        "profiles.yml",
        "shop: {target: dev, outputs: {dev: {type: postgres, schema: s, port: \"{{ env_var('DBT_ENV_SECRET_PASSWORD') | as_number }}\", threads: \"{{ env_var('DBT_ENV_SECRET_PASSWORD') }}\"}}}",
    );
    let failure = read(&scratch.options()).expect_err("a port is a number");
    let text = render_all(
        &failure.diagnostics,
        &failure.sources,
        RenderOptions::default(),
    );
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn the_target_can_be_asked_for() {
    let options = marts::project::ReadOptions {
        target: Some("broken".to_owned()),
        ..scratch().options()
    };
    let failure = read(&options);
    assert!(failure.is_err());
}

#[test]
fn a_profile_beside_the_project_wins_over_the_one_at_home() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join(".dbt")).expect("a folder");
    let text = "shop: {target: dev, outputs: {dev: {type: postgres, schema: home}}}";
    std::fs::write(home.path().join(".dbt/profiles.yml"), text).expect("a file");
    let scratch = Scratch::new().env("HOME", &home.path().to_string_lossy());
    assert_eq!(scratch.read().target.schema, "s");
    assert_eq!(scratch.without("profiles.yml").read().target.schema, "home");
}

#[test]
fn a_url_needs_no_profile() {
    let scratch = Scratch::new().without("profiles.yml");
    let options = marts::project::ReadOptions {
        url: Some("postgres://ann@localhost/shop?schema=mine".to_owned()),
        ..scratch.options()
    };
    let (project, _) = read(&options).expect("it reads");
    assert_eq!(project.target.schema, "mine");
    assert_eq!(project.target.output["user"], json!("ann"));
    assert_eq!(project.target.profile, "shop");
}

#[test]
fn config_sees_the_target() {
    let scratch = Scratch::new().file(
        "project.yml",
        "name: shop\nprofile: shop\nmodels:\n  shop:\n    +enabled: \"{{ target.name == 'prod' }}\"\n",
    );
    let project = scratch.read();
    let config = project
        .root_package()
        .file
        .configs
        .models
        .resolve(&["shop", "a"]);
    assert_eq!(config["enabled"], json!(false));
}
