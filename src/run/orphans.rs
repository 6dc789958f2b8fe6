//! Relations that removed models left behind: told by a dry run, dropped on demand.
//!
//! Always holds: only what the ledger says this project published on this target is dropped,
//! in a schema into which the project still builds, with its entry in the same transaction,
//! and never with CASCADE.

use std::collections::HashSet;

use super::dispatcher::Progress;
use super::garbage;
use super::runner::Runner;
use super::session::RunSession;
use crate::diag::{Diagnostic, RenderOptions, codes, render};
use crate::event::{Change, Event};
use crate::graph::ResourceKind;
use crate::ledger::published::{DROPPED, Published, published};
use crate::ledger::{self, Entry, Kind, tables};
use crate::names::{Relation, quote_ident, quote_literal};
use crate::session::{Session, SessionError};

/// What a command does about relations that removed models left behind.
#[derive(Clone, Debug)]
pub struct Orphans {
    /// The target's name, as the ledger has it.
    pub target: String,
    /// Whether they are dropped when all went well, else they are only told.
    pub drop: bool,
}

/// SQLSTATE of a relation that others depend on, and of one that is not there.
const DEPENDED_ON: &str = "2BP01";
const GONE: &str = "42P01";

/// A relation that no node makes any more.
#[derive(Debug)]
struct Orphan {
    was: Published,
    /// `pg_class.relkind`.
    kind: String,
}

impl Orphan {
    /// For SQL.
    fn sql(&self) -> String {
        let (schema, name) = (
            quote_ident(&self.was.schema),
            quote_ident(&self.was.identifier),
        );
        format!("{schema}.{name}")
    }

    /// For people.
    fn label(&self) -> String {
        format!("{}.{}", self.was.schema, self.was.identifier)
    }

    fn keyword(&self) -> &'static str {
        match self.kind.as_str() {
            "v" => "view",
            "m" => "materialized view",
            _ => "table",
        }
    }

    /// A snapshot holds a history that nothing can build anew.
    fn is_history(&self) -> bool {
        self.was.node.as_str().starts_with("snapshot.")
    }
}

impl Progress<'_, '_> {
    /// Tells the relations that removed models left behind, or drops them if all went well.
    pub(super) async fn orphans(&mut self) {
        let Some(orphans) = self.runner.orphans_wanted() else {
            return;
        };
        if orphans.drop && (self.counts.error > 0 || self.is_stopped()) {
            let message = "relations of removed models stay, since the run did not end well";
            (self.emit)(Event::Logged {
                message: message.to_owned(),
            });
            return;
        }
        let done = match self.runner.left_over(orphans).await {
            Ok(found) if orphans.drop => self.drop_orphans(found).await,
            Ok(found) => self.tell_orphans(&found).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            self.counts.error += usize::from(orphans.drop);
            self.complain(&error.diagnostic);
        }
    }

    async fn tell_orphans(&mut self, found: &[Orphan]) -> Result<(), SessionError> {
        let session = self.runner.kept()?;
        let mut changes = Vec::with_capacity(found.len());
        for orphan in found {
            let mut change = Change {
                relation: orphan.label(),
                kind: "orphan".to_owned(),
                notes: vec![match orphan.is_history() {
                    true => format!("left over from {}; kept, it is a history", orphan.was.node),
                    false => format!(
                        "left over from {}; --drop-orphans drops it",
                        orphan.was.node
                    ),
                }],
                ..Change::default()
            };
            if orphan.kind != "v" {
                // A table that may not be read is told all the same.
                let sql = format!("select count(*) from {}", orphan.sql());
                let count = session.query(&sql).await.ok();
                let cell = count.and_then(|t| t.rows.into_iter().next()?.pop()?);
                change.rows = cell.and_then(|text| Some((text.parse().ok()?, 0)));
            }
            changes.push(change);
        }
        if !changes.is_empty() {
            (self.emit)(Event::Changes { changes });
        }
        Ok(())
    }

    async fn drop_orphans(&mut self, found: Vec<Orphan>) -> Result<(), SessionError> {
        let session = self.runner.kept()?;
        // What was replaced just now may still read them.
        let left = garbage::drop_all(&*session, &self.runner.take_garbage()).await;
        self.runner.collect_garbage(left).await;
        let (kept, mut open): (Vec<_>, Vec<_>) = found.into_iter().partition(Orphan::is_history);
        for orphan in kept {
            let message = format!(
                "{} is the history of a removed snapshot and stays",
                orphan.label()
            );
            (self.emit)(Event::Logged { message });
        }
        // One may read another: as long as some go, the others are tried again.
        loop {
            let (before, mut refused) = (open.len(), Vec::new());
            for orphan in open {
                match self.runner.drop_orphan(&orphan, &session).await {
                    Ok(()) => (self.emit)(Event::Logged {
                        message: format!("dropped {} {}", orphan.keyword(), orphan.label()),
                    }),
                    Err(error) => refused.push((orphan, error)),
                }
            }
            if refused.is_empty() || refused.len() == before {
                for (orphan, error) in refused {
                    self.counts.error += 1;
                    self.complain(&why(&orphan, error));
                }
                return Ok(());
            }
            open = refused.into_iter().map(|(orphan, _)| orphan).collect();
        }
    }

    fn complain(&mut self, problem: &Diagnostic) {
        let options = RenderOptions {
            color: self.runner.color(),
        };
        (self.emit)(Event::Warned {
            code: problem.code.as_str().to_owned(),
            message: render(problem, self.runner.sources(), options),
        });
    }
}

impl Runner {
    /// What the ledger says of this project's nodes that are gone, as far as it is still there.
    async fn left_over(&self, orphans: &Orphans) -> Result<Vec<Orphan>, SessionError> {
        let session = self.kept()?;
        if !tables::exists(&*session).await? {
            if !orphans.drop {
                return Ok(Vec::new());
            }
            let problem = Diagnostic::error(
                codes::LEDGER_UNAVAILABLE,
                "no relation is known to be left over: this target has no ledger",
            );
            return Err(SessionError::new(problem.hint(
                "write `ledger: true` in the project file; what runs publish from then on is known",
            )));
        }
        let known = published(&*session, &orphans.target, self.project_name()).await?;
        let (made, schemas) = self.made();
        let gone: Vec<Published> = known
            .into_iter()
            .filter(|p| self.graph().find(&p.node).is_none() && schemas.contains(&p.schema))
            .filter(|p| !made.contains(&(p.schema.clone(), p.identifier.clone())))
            .collect();
        let mut found = Vec::new();
        for was in gone {
            let sql = format!(
                "select c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace \
                 where n.nspname = {} and c.relname = {} and c.relkind in ('r', 'p', 'v', 'm')",
                quote_literal(&was.schema),
                quote_literal(&was.identifier)
            );
            let table = session.query(&sql).await?;
            let kind = table.rows.into_iter().next().and_then(|mut row| row.pop());
            if let Some(kind) = kind.flatten() {
                found.push(Orphan { was, kind });
            }
        }
        Ok(found)
    }

    /// The relations that the project makes or reads, and the schemas into which it builds.
    fn made(&self) -> (HashSet<(String, String)>, HashSet<String>) {
        let (mut made, mut schemas) = (HashSet::new(), HashSet::new());
        for (_, node) in self.graph().nodes() {
            let Some(Relation {
                schema, identifier, ..
            }) = &node.relation
            else {
                continue;
            };
            made.insert((schema.clone(), identifier.clone()));
            if node.kind != ResourceKind::Source {
                schemas.insert(schema.clone());
            }
        }
        (made, schemas)
    }

    /// Drops one and writes that down in the same transaction.
    async fn drop_orphan(&self, orphan: &Orphan, session: &RunSession) -> Result<(), SessionError> {
        let text = format!(
            "begin isolation level read committed; set local synchronous_commit = on; set local \
             lock_timeout = '2s'; drop {} {}",
            orphan.keyword(),
            orphan.sql()
        );
        let mut done = session.execute((&text).into()).await.map(|_| ());
        if done.is_ok() {
            done = self.record_drop(orphan, session).await;
        }
        if done.is_ok() {
            done = session.execute("commit".into()).await.map(|_| ());
        }
        let Err(error) = done else { return Ok(()) };
        let _ = session.execute("rollback".into()).await;
        match error.is(GONE) {
            true => Ok(()),
            false => Err(error),
        }
    }

    async fn record_drop(&self, orphan: &Orphan, session: &RunSession) -> Result<(), SessionError> {
        let Some(origin) = self.ledger_origin() else {
            return Ok(());
        };
        let entry = Entry {
            node: Some(orphan.was.node.clone()),
            relation: Some(orphan.was.relation.clone()),
            published: Some(false),
            ..Entry::new(Kind::Node, DROPPED)
        };
        ledger::append(session, origin, &[entry]).await.map(|_| ())
    }
}

/// Why a relation stays, with what depends on it.
fn why(orphan: &Orphan, error: SessionError) -> Diagnostic {
    let hint = match error.is(DEPENDED_ON) {
        true => "drop or change what depends on it first, then run again with --drop-orphans",
        false => "run again with --drop-orphans once the cause is removed",
    };
    let problem = Diagnostic::error(
        codes::PUBLISH_REFUSED,
        format!(
            "{} of the removed node {} was not dropped",
            orphan.label(),
            orphan.was.node
        ),
    )
    .note(format!("Postgres says: {}", error.diagnostic.message));
    let notes = error.diagnostic.notes.into_iter();
    notes.fold(problem, Diagnostic::note).hint(hint)
}
