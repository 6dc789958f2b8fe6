//! What a publication would change: columns, row counts and, on demand, rows by key.
//!
//! Reads only; candidates and live relations are compared by queries on the connection that
//! holds the target.

use super::runner::Runner;
use crate::event::Change;
use crate::graph::{Detail, Node, NodeIx};
use crate::materialize::Candidate;
use crate::names::{Relation, quote_ident};
use crate::publish::Publication;
use crate::publish::facts::{self, LiveColumn, Views};
use crate::session::{Session, SessionError};

impl Runner {
    /// How the candidates of these nodes differ from what is live, in the same order.
    pub(super) async fn changes(&self, members: &[NodeIx]) -> Result<Vec<Change>, SessionError> {
        let keeper = self.kept()?;
        let mut changes = Vec::with_capacity(members.len());
        for ix in members {
            let candidate = self.candidates().get(ix).cloned();
            if let Some(candidate) = candidate {
                changes.push(self.change(*ix, &candidate, &*keeper).await?);
            }
        }
        Ok(changes)
    }

    async fn change(
        &self,
        ix: NodeIx,
        candidate: &Candidate,
        session: &dyn Session,
    ) -> Result<Change, SessionError> {
        let node = self.graph().node(ix);
        let mut change = Change {
            relation: node.label(),
            node: Some(node.id.clone()),
            ..Change::default()
        };
        let Some(live) = &node.relation else {
            return Ok(change);
        };
        let found = facts::read(session, live, Some(&candidate.relation), Views::Direct).await?;
        let is_view = matches!(candidate.publication, Publication::View { .. });
        let Some(now) = found.live else {
            change.kind = "new".to_owned();
            change.columns = found.candidate_columns.iter().map(added).collect();
            if !is_view {
                change.rows = Some((0, count(session, &candidate.relation).await?));
            }
            return Ok(change);
        };
        change.columns = column_changes(&now.columns, &found.candidate_columns);
        if is_view != (now.kind == 'v') {
            let what = if is_view { "view" } else { "table" };
            change
                .notes
                .push(format!("the {} becomes a {what}", now.keyword()));
        }
        if !is_view {
            let before = count(session, live).await?;
            let after = count(session, &candidate.relation).await?;
            change.rows = Some((before, after));
        }
        if self.compare_rows() {
            let sides = Sides {
                live,
                candidate: &candidate.relation,
                shared: shared(&now.columns, &found.candidate_columns),
                key: self.key_of(ix),
            };
            let (counts, note) = sides.compare(session).await?;
            change.by_key = Some(counts);
            change.notes.extend(note);
        }
        change.kind = kind(&change, is_view).to_owned();
        Ok(change)
    }

    /// The columns that tell a node's rows apart, as its config or its tests say.
    fn key_of(&self, ix: NodeIx) -> Vec<String> {
        let config = &self.graph().node(ix).config;
        if !config.unique_key.is_empty() {
            return config.unique_key.clone();
        }
        let tests = self.graph().nodes().map(|(_, node)| node);
        tests
            .filter_map(|test| unique_columns(test, ix))
            .min_by_key(Vec::len)
            .unwrap_or_default()
    }
}

/// The columns that a test claims to be unique in a node.
fn unique_columns(test: &Node, of: NodeIx) -> Option<Vec<String>> {
    let Detail::GenericTest(test) = &test.detail else {
        return None;
    };
    if test.attached != of {
        return None;
    }
    match test.test.as_str() {
        "unique" => Some(vec![test.column.clone()?]),
        "grain_unique" | "unique_combination_of_columns" => {
            let columns = test
                .arguments
                .get("columns")
                .or(test.arguments.get("combination_of_columns"))?;
            let names = columns.as_array()?.iter();
            names.map(|name| Some(name.as_str()?.to_owned())).collect()
        }
        _ => None,
    }
}

fn kind(change: &Change, is_view: bool) -> &'static str {
    let rows_differ = match (change.by_key, change.rows) {
        (Some(counts), _) => counts != (0, 0, 0),
        (None, Some((before, after))) => before != after,
        (None, None) => false,
    };
    match () {
        () if rows_differ || !change.columns.is_empty() || !change.notes.is_empty() => "changed",
        () if is_view => "view",
        // Equal counts say nothing of the rows themselves.
        () if change.by_key.is_none() => "rebuilt",
        () => "same",
    }
}

fn added(column: &LiveColumn) -> String {
    format!("+ {} {}", column.name, column.data_type)
}

/// Columns that come, go or change type, in the candidate's order, then those that go.
fn column_changes(before: &[LiveColumn], after: &[LiveColumn]) -> Vec<String> {
    let find = |columns: &[LiveColumn], name: &str| {
        let found = columns.iter().find(|c| c.name == name);
        found.map(|c| c.data_type.clone())
    };
    let mut out = Vec::new();
    for column in after {
        match find(before, &column.name) {
            None => out.push(added(column)),
            Some(old) if old != column.data_type => {
                out.push(format!("~ {} {old} -> {}", column.name, column.data_type));
            }
            Some(_) => {}
        }
    }
    let gone = before.iter().filter(|c| find(after, &c.name).is_none());
    out.extend(gone.map(|c| format!("- {} {}", c.name, c.data_type)));
    out
}

/// Columns that both have, by name.
fn shared(before: &[LiveColumn], after: &[LiveColumn]) -> Vec<String> {
    let has = |name: &str| after.iter().any(|c| c.name == name);
    let names = before.iter().map(|c| c.name.clone());
    names.filter(|name| has(name)).collect()
}

/// Two relations to compare row by row.
struct Sides<'a> {
    live: &'a Relation,
    candidate: &'a Relation,
    shared: Vec<String>,
    key: Vec<String>,
}

impl Sides<'_> {
    /// Rows added, removed and changed, and what limits the comparison.
    async fn compare(
        &self,
        session: &dyn Session,
    ) -> Result<((u64, u64, u64), Option<String>), SessionError> {
        if self.shared.is_empty() {
            return Ok(((0, 0, 0), Some("no column in common".to_owned())));
        }
        let has_key = !self.key.is_empty() && self.key.iter().all(|k| self.shared.contains(k));
        let sql = if has_key {
            self.by_key()
        } else {
            self.by_rows()
        };
        let table = session.query(&sql).await?;
        let cell = |at: usize| -> u64 {
            let row = table.rows.first();
            let cell = row.and_then(|row| row.get(at).cloned().flatten());
            cell.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        let note = match (has_key, cell(3)) {
            (true, 0) => None,
            (true, n) => Some(format!(
                "{n} rows repeat the key ({}) or have none",
                self.key.join(", ")
            )),
            (false, _) => Some("no key is known, so whole rows were compared".to_owned()),
        };
        Ok(((cell(0), cell(1), cell(2)), note))
    }

    /// Values as text, so that columns without equality and of other types compare as well.
    fn row(&self) -> String {
        let columns: Vec<String> = self.shared.iter().map(|c| quote_ident(c)).collect();
        format!("row({})::text", columns.join(", "))
    }

    fn by_key(&self) -> String {
        let columns = |prefix: &str| {
            let names = self
                .key
                .iter()
                .map(|k| format!("{prefix}{}", quote_ident(k)));
            names.collect::<Vec<_>>().join(", ")
        };
        let side = |relation: &Relation| {
            format!(
                "select md5(row({key})::text) as marts_key, md5({row}) as marts_row, count(*) over \
                 (partition by {key}) > 1 or num_nulls({key}) > 0 as marts_odd from {relation}",
                key = columns(""),
                row = self.row()
            )
        };
        format!(
            "select count(*) filter (where l.marts_key is null), count(*) filter (where \
             c.marts_key is null), count(*) filter (where l.marts_row <> c.marts_row), count(*) \
             filter (where l.marts_odd or c.marts_odd) from ({}) l full join ({}) c on l.marts_key \
             = c.marts_key",
            side(self.live),
            side(self.candidate)
        )
    }

    fn by_rows(&self) -> String {
        let side = |relation: &Relation| {
            format!(
                "select md5({row}) as marts_row, count(*) as n from {relation} group by 1",
                row = self.row()
            )
        };
        format!(
            "select coalesce(sum(greatest(coalesce(c.n, 0) - coalesce(l.n, 0), 0)), 0)::bigint, \
             coalesce(sum(greatest(coalesce(l.n, 0) - coalesce(c.n, 0), 0)), 0)::bigint, 0, 0 \
             from ({}) l full join ({}) c using (marts_row)",
            side(self.live),
            side(self.candidate)
        )
    }
}

async fn count(session: &dyn Session, relation: &Relation) -> Result<u64, SessionError> {
    let table = session
        .query(&format!("select count(*) from {relation}"))
        .await?;
    let cell = table
        .rows
        .first()
        .and_then(|row| row.first().cloned().flatten());
    Ok(cell.and_then(|text| text.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(list: &[(&str, &str)]) -> Vec<LiveColumn> {
        let column = |(name, data_type): &(&str, &str)| LiveColumn {
            name: (*name).to_owned(),
            data_type: (*data_type).to_owned(),
            comment: None,
        };
        list.iter().map(column).collect()
    }

    #[test]
    fn columns_that_come_go_or_change_are_named() {
        let before = columns(&[("id", "integer"), ("old", "text"), ("amount", "integer")]);
        let after = columns(&[("id", "integer"), ("amount", "bigint"), ("new", "date")]);
        assert_eq!(
            column_changes(&before, &after),
            ["~ amount integer -> bigint", "+ new date", "- old text"]
        );
        assert!(column_changes(&before, &before).is_empty());
    }
}
