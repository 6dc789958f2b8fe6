//! Before anything is tested: what of the live table's constraints and unique indexes the
//! delta would break, told as Postgres would tell it at publish, by name and with the keys.
//!
//! Row-level triggers cannot be asked, and a merge that swaps the values of a unique column
//! between rows may still fail: Postgres checks such an index row by row.

use super::Overlay;
use super::shape::{Check, ForeignKey, Unique, regclass};
use crate::diag::{Diagnostic, codes};
use crate::names::{quote_ident, quote_literal};
use crate::session::{Session, SessionError};

/// At most so many offending keys are shown.
const SHOWN: usize = 3;

/// A constraint that the delta breaks.
struct Broken {
    sqlstate: &'static str,
    /// What Postgres would say.
    says: String,
    /// Offending rows, each as Postgres would describe it.
    details: Vec<String>,
    hint: &'static str,
}

/// Checks everything that can be checked; the first thing that is wrong ends it.
pub(super) async fn run(overlay: &Overlay<'_>, session: &dyn Session) -> Result<(), SessionError> {
    written_columns(overlay)?;
    if overlay.rule.strategy == "merge" {
        matched_twice(overlay, session).await?;
    }
    let rows = Rows {
        incoming: overlay.part("incoming", session).await?,
        name: quote_ident(&overlay.spec.live.identifier),
        overlay,
    };
    rows.values(session).await?;
    let shape = &overlay.staged.shape;
    for unique in &shape.uniques {
        rows.unique(unique, session).await?;
    }
    for key in &shape.foreign_keys {
        rows.refers_to_nothing(key, session).await?;
    }
    if ["delete_insert", "insert_overwrite"].contains(&overlay.rule.strategy) {
        for key in shape.referenced_by.iter().filter(|k| !k.deferrable) {
            rows.still_referenced(key, session).await?;
        }
    }
    Ok(())
}

/// Columns that only the server may write.
fn written_columns(overlay: &Overlay<'_>) -> Result<(), SessionError> {
    let mut columns = overlay.staged.shape.columns.iter();
    let fixed = columns.find(|c| {
        (c.generated || c.identity_always) && overlay.written.iter().any(|w| w.name == c.name)
    });
    match fixed {
        None => Ok(()),
        Some(column) => Err(refusal(
            overlay,
            Broken {
                sqlstate: "428C9",
                says: format!(
                    "cannot insert a non-DEFAULT value into column {:?}",
                    column.name
                ),
                details: Vec::new(),
                hint: "leave the column out of the query and set on_schema_change to \
                       append_new_columns, so that only the query's columns are written",
            },
        )),
    }
}

/// A live row that a merge would change twice.
async fn matched_twice(overlay: &Overlay<'_>, session: &dyn Session) -> Result<(), SessionError> {
    let sql = overlay.part("duplicates", session).await?;
    let found = session.query(&sql).await?;
    if found.rows.is_empty() {
        return Ok(());
    }
    let key = overlay.rule.unique_key.join(", ");
    let details = found.rows.iter();
    let details = details.map(|row| format!("Key ({key})=({}) comes twice.", cells(row)));
    Err(refusal(
        overlay,
        Broken {
            sqlstate: "21000",
            says: "MERGE command cannot affect row a second time".to_owned(),
            details: details.collect(),
            hint: "make the query give each unique_key once",
        },
    ))
}

/// The rows that the delta makes or changes, as the table would hold them.
struct Rows<'a> {
    /// Their query.
    incoming: String,
    /// The table's own name, by which an expression of its may call it.
    name: String,
    overlay: &'a Overlay<'a>,
}

impl Rows<'_> {
    /// Not-null columns and check constraints, in one scan.
    async fn values(&self, session: &dyn Session) -> Result<(), SessionError> {
        let shape = &self.overlay.staged.shape;
        let columns = &self.overlay.change.columns;
        let kept = |name: &String| columns.iter().any(|c| &c.name == name);
        let required = shape.columns.iter().filter(|c| c.not_null);
        let required: Vec<&String> = required.map(|c| &c.name).filter(|n| kept(n)).collect();
        if required.is_empty() && shape.checks.is_empty() {
            return Ok(());
        }
        let nulls = required
            .iter()
            .map(|c| format!("{} is null", quote_ident(c)));
        let fails = shape
            .checks
            .iter()
            .map(|c| format!("({}) is false", c.holds));
        let conditions: Vec<String> = nulls.chain(fails).collect();
        let any = conditions.iter().map(|c| format!("bool_or({c})"));
        let sql = format!(
            "select {} from ({}) as {}",
            any.collect::<Vec<_>>().join(", "),
            self.incoming,
            self.name
        );
        let found = session.query(&sql).await?;
        let verdicts = found.rows.first().map_or(&[][..], Vec::as_slice);
        for (at, condition) in conditions.iter().enumerate() {
            if verdicts.get(at).and_then(Option::as_deref) != Some("t") {
                continue;
            }
            let broken = match required.get(at) {
                Some(column) => self.is_null(column),
                None => self.fails(&shape.checks[at - required.len()]),
            };
            let details = self.failing_rows(condition, session).await?;
            return Err(refusal(self.overlay, Broken { details, ..broken }));
        }
        Ok(())
    }

    fn is_null(&self, column: &str) -> Broken {
        Broken {
            sqlstate: "23502",
            says: format!(
                "null value in column {column:?} of relation {} violates not-null constraint",
                self.name
            ),
            details: Vec::new(),
            hint: "filter such rows out of the query, or give them a value",
        }
    }

    fn fails(&self, check: &Check) -> Broken {
        Broken {
            sqlstate: "23514",
            says: format!(
                "new row for relation {} violates check constraint {:?}",
                self.name, check.name
            ),
            details: Vec::new(),
            hint: "filter such rows out of the query, or mend their values",
        }
    }

    /// Samples: the unique key of each row where the model has one, else its first columns.
    async fn failing_rows(
        &self,
        condition: &str,
        session: &dyn Session,
    ) -> Result<Vec<String>, SessionError> {
        let columns = self.overlay.change.columns.iter();
        let mut shown: Vec<&str> = columns.map(|c| c.name.as_str()).collect();
        let is_key = |name: &&str| self.overlay.rule.unique_key.iter().any(|k| k == name);
        if shown.iter().any(is_key) {
            shown.retain(is_key);
        }
        shown.truncate(4);
        let list: Vec<String> = shown
            .iter()
            .map(|c| self.shown(c, &quote_ident(c)))
            .collect();
        let sql = format!(
            "select {} from ({}) as {} where {condition} limit {SHOWN}",
            list.join(", "),
            self.incoming,
            self.name
        );
        let found = session.query(&sql).await?;
        let names = shown.join(", ");
        let rows = found.rows.iter();
        Ok(rows
            .map(|row| format!("Failing row: ({names})=({}).", cells(row)))
            .collect())
    }

    /// A value as text; one that is marked sensitive is not shown.
    fn shown(&self, column: &str, sql: &str) -> String {
        let info = self.overlay.spec.node.columns.get(column);
        let meta = info.and_then(|info| {
            let config = info.other.get("config").and_then(|c| c.get("meta"));
            config.or(info.other.get("meta"))?.get("sensitive")
        });
        match meta.and_then(serde_json::Value::as_bool) {
            Some(true) => quote_literal("***"),
            _ => format!("{sql}::text"),
        }
    }

    /// Keys of a unique index that come twice, or that a live row which stays has as well.
    async fn unique(&self, unique: &Unique, session: &dyn Session) -> Result<(), SessionError> {
        let alias = |at: usize| format!("k{at}");
        let of = |rows: &str| {
            let keys = unique.keys.iter().enumerate();
            let keys: Vec<String> = keys
                .map(|(at, key)| format!("{} as {}", key.sql, alias(at)))
                .collect();
            let condition = unique.condition.as_deref().unwrap_or("true");
            format!(
                "(select {} from ({rows}) as {} where {condition})",
                keys.join(", "),
                self.name
            )
        };
        let aliases: Vec<String> = (0..unique.keys.len()).map(alias).collect();
        let shown = self.shown_keys(unique, &aliases);
        let compared = match unique.nulls_equal {
            true => "true".to_owned(),
            false => all(&aliases, |a| format!("new.{a} is not null")),
        };
        let incoming = of(&self.incoming);
        let groups = aliases.iter().map(|a| format!("new.{a}"));
        let twice = format!(
            "select {shown} from {incoming} as new where {compared} group by {} having count(*) > \
             1 limit {SHOWN}",
            groups.collect::<Vec<_>>().join(", ")
        );
        let found = session.query(&twice).await?;
        if !found.rows.is_empty() {
            return Err(self.duplicate(unique, &found.rows, "comes twice"));
        }
        if self.replaces_all_of(unique) {
            return Ok(());
        }
        let kept = of(&self.overlay.part("kept", session).await?);
        let same = all(&aliases, |a| match unique.nulls_equal {
            true => format!("old.{a} is not distinct from new.{a}"),
            false => format!("old.{a} = new.{a}"),
        });
        let there = format!(
            "select {shown} from {incoming} as new where exists (select 1 from {kept} as old \
             where {same}) limit {SHOWN}"
        );
        let found = session.query(&there).await?;
        match found.rows.is_empty() {
            true => Ok(()),
            false => Err(self.duplicate(unique, &found.rows, "already exists")),
        }
    }

    fn shown_keys(&self, unique: &Unique, aliases: &[String]) -> String {
        let keys = unique.keys.iter().zip(aliases);
        let shown = keys.map(|(key, alias)| {
            let name = key.column.as_deref().unwrap_or(&key.sql);
            self.shown(name, &format!("new.{alias}"))
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    /// Whether no live row that stays can share a key of this index with a new one: the rule
    /// replaces every row whose unique_key comes again, and the index includes that key.
    fn replaces_all_of(&self, unique: &Unique) -> bool {
        let rule = self.overlay.rule;
        let covers = |key: &String| {
            let mut columns = unique.keys.iter().filter_map(|k| k.column.as_deref());
            columns.any(|column| key == column)
        };
        ["delete_insert", "merge"].contains(&rule.strategy)
            && rule.predicates.is_empty()
            && !unique.nulls_equal
            && !rule.unique_key.is_empty()
            && rule.unique_key.iter().all(covers)
    }

    fn duplicate(&self, unique: &Unique, rows: &[Vec<Option<String>>], what: &str) -> SessionError {
        let names: Vec<&str> = unique
            .keys
            .iter()
            .map(|k| k.column.as_deref().unwrap_or(&k.sql))
            .collect();
        let names = names.join(", ");
        let details = rows.iter();
        let details = details.map(|row| format!("Key ({names})=({}) {what}.", cells(row)));
        refusal(
            self.overlay,
            Broken {
                sqlstate: "23505",
                says: format!(
                    "duplicate key value violates unique constraint {:?}",
                    unique.name
                ),
                details: details.collect(),
                hint: "make the query give each key once, or name the key as the model's \
                       unique_key so that old rows are replaced",
            },
        )
    }

    /// New rows that refer to a row which is not there, nor in its own candidate.
    async fn refers_to_nothing(
        &self,
        key: &ForeignKey,
        session: &dyn Session,
    ) -> Result<(), SessionError> {
        let columns = &self.overlay.change.columns;
        if !key
            .columns
            .iter()
            .all(|k| columns.iter().any(|c| &c.name == k))
        {
            return Ok(());
        }
        let parent = self.parent(key, session).await?;
        let name = |c: &String| format!("new.{}", quote_ident(c));
        let compared = match key.full {
            false => all(&key.columns, |c| format!("{} is not null", name(c))),
            true => format!(
                "not ({})",
                all(&key.columns, |c| format!("{} is null", name(c)))
            ),
        };
        let pairs = key.columns.iter().zip(&key.referenced);
        let same: Vec<String> = pairs
            .map(|(c, r)| format!("old.{} = {}", quote_ident(r), name(c)))
            .collect();
        let shown = key.columns.iter().map(|c| self.shown(c, &name(c)));
        let sql = format!(
            "select distinct {} from ({}) as new where {compared} and not exists (select 1 from \
             {parent} as old where {}) limit {SHOWN}",
            shown.collect::<Vec<_>>().join(", "),
            self.incoming,
            same.join(" and ")
        );
        let found = session.query(&sql).await?;
        if found.rows.is_empty() {
            return Ok(());
        }
        let names = key.columns.join(", ");
        let detail = |row: &Vec<Option<String>>| {
            format!(
                "Key ({names})=({}) is not present in table {:?}.",
                cells(row),
                key.table
            )
        };
        Err(refusal(
            self.overlay,
            Broken {
                sqlstate: "23503",
                says: format!(
                    "insert or update on table {} violates foreign key constraint {:?}",
                    self.name, key.name
                ),
                details: found.rows.iter().map(detail).collect(),
                hint: "build the referenced table first, or filter such rows out of the query",
            },
        ))
    }

    /// What a foreign key's rows are looked up in, in parentheses where it is a query: the
    /// referenced table as it will be after this run where that is known.
    async fn parent(
        &self,
        key: &ForeignKey,
        session: &dyn Session,
    ) -> Result<String, SessionError> {
        let live = key.relation();
        let own = &self.overlay.spec.live;
        if live.schema == own.schema && live.identifier == own.identifier {
            let all = self.overlay.part("all", session).await?;
            return Ok(format!("({all})"));
        }
        let candidate = self.overlay.spec.home.candidate(&live);
        let sql = format!("select to_regclass({})::text", regclass(&candidate));
        let found = session.query(&sql).await?;
        let there = found.rows.first().and_then(|row| row.first()?.as_deref());
        Ok(if there.is_some() { candidate } else { live }.to_string())
    }

    /// Live rows that the delta takes away, if only to bring them again, while others refer
    /// to them: Postgres refuses the delete.
    async fn still_referenced(
        &self,
        key: &ForeignKey,
        session: &dyn Session,
    ) -> Result<(), SessionError> {
        let replaced = self.overlay.part("replaced", session).await?;
        let pairs = key.columns.iter().zip(&key.referenced);
        let same: Vec<String> = pairs
            .map(|(c, r)| format!("other.{} = old.{}", quote_ident(c), quote_ident(r)))
            .collect();
        let shown = key.referenced.iter();
        let shown = shown.map(|c| self.shown(c, &format!("old.{}", quote_ident(c))));
        let other = key.relation();
        let sql = format!(
            "select {} from ({replaced}) as old where exists (select 1 from {other} as other \
             where {}) limit {SHOWN}",
            shown.collect::<Vec<_>>().join(", "),
            same.join(" and ")
        );
        let found = session.query(&sql).await?;
        if found.rows.is_empty() {
            return Ok(());
        }
        let names = key.referenced.join(", ");
        let detail = |row: &Vec<Option<String>>| {
            format!(
                "Key ({names})=({}) is still referenced from table {:?}.",
                cells(row),
                key.table
            )
        };
        Err(refusal(
            self.overlay,
            Broken {
                sqlstate: "23503",
                says: format!(
                    "update or delete on table {} violates foreign key constraint {:?} on table \
                     {:?}",
                    self.name, key.name, key.table
                ),
                details: found.rows.iter().map(detail).collect(),
                hint: "use incremental_strategy='merge', which updates rows in place, or make \
                       the foreign key deferrable",
            },
        ))
    }
}

/// `f` of each, joined by `and`.
fn all(names: &[String], f: impl Fn(&String) -> String) -> String {
    names.iter().map(f).collect::<Vec<_>>().join(" and ")
}

fn cells(row: &[Option<String>]) -> String {
    let cells = row.iter().map(|c| c.as_deref().unwrap_or("null"));
    cells.collect::<Vec<_>>().join(", ")
}

fn refusal(overlay: &Overlay<'_>, broken: Broken) -> SessionError {
    let message = format!(
        "the new rows of {} break a rule of its table, so nothing of it is published: {}",
        overlay.spec.node.name, broken.says
    );
    let mut diagnostic = Diagnostic::error(codes::PUBLISH_VIOLATION, message);
    for detail in broken.details {
        diagnostic = diagnostic.note(detail);
    }
    SessionError {
        sqlstate: Some(broken.sqlstate.to_owned()),
        ..SessionError::new(diagnostic.hint(broken.hint))
    }
}
