//! `marts ingest`: a second database of the tests' server is the source.

mod changes;
mod interrupted;
mod loads;

use crate::run::support::{Project, Ran};
use crate::support::TestDb;

/// A source, and a project that loads from it.
pub(crate) struct Pair {
    pub(crate) source: TestDb,
    pub(crate) project: Project,
}

impl Pair {
    /// A source with this content and a project whose `ingest.yml` has these tables.
    pub(crate) fn new(source_sql: &str, tables: &str) -> Self {
        let source = TestDb::new();
        source.sql(source_sql);
        let pair = Self {
            project: Project::new(&[]),
            source,
        };
        pair.declare(tables);
        pair
    }

    /// Writes `ingest.yml` with these tables.
    pub(crate) fn declare(&self, tables: &str) {
        let text =
            format!("source:\n  url: \"{{{{ env_var('SOURCE_URL') }}}}\"\ntables:\n{tables}");
        self.project.write("ingest.yml", &text);
    }

    /// `marts ingest` with further arguments.
    pub(crate) fn command(&self, args: &[&str]) -> std::process::Command {
        let mut all = vec!["ingest"];
        all.extend(args);
        let mut command = self.project.command(&all);
        command.env("SOURCE_URL", self.source.url());
        command
    }

    /// Runs it.
    pub(crate) fn ingest(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().expect("marts runs"))
    }

    /// Runs it, which must end well.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.ingest(args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran
    }

    /// Runs it, which must end with this code and say each of these.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, says: &[&str]) {
        let ran = self.ingest(&[]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        for text in says {
            assert!(ran.stderr.contains(text), "{text:?} in:\n{}", ran.stderr);
        }
    }

    /// Both databases give the same rows for a query, `{}` being the table here and there.
    #[track_caller]
    pub(crate) fn same(&self, query: &str, there: &str, here: &str) {
        let of = |db: &TestDb, table: &str| db.sql(&query.replace("{}", table));
        let (source, target) = (of(&self.source, there), of(&self.project.db, here));
        assert!(!source.is_empty(), "nothing in {there}");
        assert_eq!(source, target, "{there} and {here}");
    }

    /// What was compared last of a table: slices, whether all match, rows of both sides.
    pub(crate) fn compared(&self, table: &str) -> String {
        self.project.rows(&format!(
            "select count(*) filter (where slice is not null), bool_and(matches), \
             max(source_rows) filter (where slice is null), max(target_rows) filter (where slice is null) \
             from raw.dq_reconciliation where table_name = '{table}' and is_current"
        ))
    }

    /// Staging tables that are left in the target.
    pub(crate) fn staged(&self) -> String {
        self.project.rows("select count(*) from pg_class where relname like 'marts_ingest_%' and relkind = 'r' and relname <> 'marts_ingest_slices'")
    }
}
