//! `render/<name>.sql`: macros, a line `--- template ---`, and a template. The snapshot shows what
//! the scan found, what was rendered, and what the database was asked; or the error as users see it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use marts::diag::{RenderOptions, SourceMap, render_all};
use marts::jinja::{Arg, Engine, MacroFile, NodeContext, Scan, Settings, Template};
use marts::names::{NodeId, Relation, RelationKind};
use serde_json::json;

use super::fake::{FakeDatabase, FakeNames};

const SPLIT: &str = "--- template ---\n";

#[test]
fn every_template_renders_as_its_snapshot_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases/render");
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .expect("the folder of cases can be read")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "sql"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let text = fs::read_to_string(&path).expect("a case can be read");
        let name = path
            .file_stem()
            .expect("a case has a name")
            .to_string_lossy()
            .into_owned();
        insta::with_settings!({snapshot_path => &folder, prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, shown(&text));
        });
    }
}

fn settings() -> Settings {
    let vars = IndexMap::from([
        ("days".to_owned(), json!(3)),
        ("names".to_owned(), json!(["a", "b"])),
    ]);
    Settings {
        project_name: "shop".to_owned(),
        vars: IndexMap::from([("shop".to_owned(), vars)]),
        target: json!({"name": "dev", "schema": "main", "dbname": "shop", "type": "postgres"}),
        flags: json!({"FULL_REFRESH": false, "WHICH": "run"}),
        invocation_id: "0".to_owned(),
        run_started_at: "2024-05-06T07:08:09.123456Z".to_owned(),
        env: Arc::new(IndexMap::from([("PORT".to_owned(), "5432".to_owned())])),
        ..Settings::default()
    }
}

fn node(scan: &Scan, execute: bool) -> NodeContext {
    let mut config = IndexMap::from([("materialized".to_owned(), json!("incremental"))]);
    for found in &scan.configs {
        config.extend(found.clone());
    }
    NodeContext {
        id: NodeId::new("model.shop.m"),
        package: "shop".to_owned(),
        this: Some(Relation::new("shop", "main", "m").of_kind(RelationKind::Table)),
        model: json!({
            "name": "m",
            "unique_id": "model.shop.m",
            "description": "What it's for",
            "columns": {"id": {"name": "id", "description": "The key", "data_type": "integer"}},
        }),
        config,
        extra: IndexMap::from([("given".to_owned(), Arg::Json(json!({"x": 1})))]),
        execute,
    }
}

fn shown(text: &str) -> String {
    let (macros, template) = text.split_once(SPLIT).unwrap_or(("", text));
    let sources = SourceMap::default();
    let files = [MacroFile {
        package: "shop".to_owned(),
        file: sources.add("macros/case.sql", macros),
    }];
    let engine = match Engine::new(settings(), &files, sources.clone()) {
        Ok(engine) => engine,
        Err(errors) => return render_all(&errors, &sources, RenderOptions::default()),
    };
    let template = Template {
        file: sources.add("models/m.sql", template),
        text: Arc::from(template),
        first_line: 1,
    };
    let scan = match engine.scan_text(node(&Scan::default(), false), &template) {
        Ok(scan) => scan,
        Err(error) => {
            return format!(
                "scan: {}",
                render_all(&[error], &sources, RenderOptions::default())
            );
        }
    };
    let database = Arc::new(FakeDatabase::default());
    let rendered = engine.render(
        node(&scan, true),
        &template,
        Arc::new(FakeNames),
        Some(Arc::clone(&database) as _),
    );
    let mut out = found(&scan);
    match rendered {
        Ok(rendered) => out.push_str(rendered.text.trim_matches('\n')),
        Err(error) => out.push_str(&render_all(&[error], &sources, RenderOptions::default())),
    }
    for line in database
        .asked
        .lock()
        .expect("no case panics while it holds this")
        .iter()
    {
        write!(out, "\n-- asked: {line}").expect("text can be written to");
    }
    out
}

/// What a scan found, as comment lines.
fn found(scan: &Scan) -> String {
    let mut out = String::new();
    for config in &scan.configs {
        out += &format!("-- config: {}\n", json!(config));
    }
    for (call, line) in &scan.refs {
        let parts: Vec<&str> = call
            .package
            .as_deref()
            .into_iter()
            .chain([call.name.as_str()])
            .collect();
        let version = call
            .version
            .as_ref()
            .map_or(String::new(), |v| format!(" v{v}"));
        out += &format!("-- ref: {}{version} on line {line}\n", parts.join("."));
    }
    for (call, line) in &scan.sources {
        out += &format!("-- source: {}.{} on line {line}\n", call.source, call.table);
    }
    out
}
