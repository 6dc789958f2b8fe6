//! What a publication has to do, from what hangs on each live relation.

use std::collections::BTreeMap;

use super::{Group, Member};
use crate::diag::{Diagnostic, codes};
use crate::names::{Relation, RelationKind};
use crate::publish::facts::{self, DependentView, Facts, Live, Views};
use crate::publish::locking::Lock;
use crate::publish::swap::Swap;
use crate::publish::{Publication, inherit, rows, views};
use crate::session::{Session, SessionError};

/// The statements of a publish transaction, by phase.
#[derive(Debug, Default)]
pub(super) struct Work<'a> {
    /// Deltas and exchanged rows, each with the member that they belong to.
    pub(super) in_place: Vec<(Member<'a>, Vec<String>)>,
    /// Views before what they read, then tables by OID.
    pub(super) locks: Vec<Lock>,
    /// Once all is locked: names, views, what follows.
    pub(super) after: Vec<String>,
    /// What is left to drop after the commit, to be run last first.
    pub(super) garbage: Vec<String>,
    /// Tables whose rows are exchanged, with what keeps them from being replaced.
    rows: Vec<(String, Live)>,
    /// Views of others that are touched, for messages.
    theirs: Vec<String>,
}

/// What is known of one member.
struct Known<'a> {
    member: Member<'a>,
    facts: Facts,
    way: Way,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Swap,
    Rows,
    View,
    Delta,
    /// A materialized view that is made under its live name, over live relations.
    Renew,
    /// A materialized view that others read: it stays and is refreshed.
    Refresh,
    /// A function: it is replaced where it is.
    Function,
}

impl<'a> Work<'a> {
    /// Reads what hangs on the members' live relations and plans. With `force`, all views on
    /// them are dropped and made anew.
    pub(super) async fn plan(
        session: &dyn Session,
        group: Group<'a>,
        force: bool,
    ) -> Result<Self, SessionError> {
        let mut known = Vec::with_capacity(group.members.len());
        for member in group.members {
            known.push(know(session, group, *member, force).await?);
        }
        renew(session, &mut known).await?;
        let mut work = Self::default();
        work.prepare(session, &known).await?;
        work.in_place(group, &known)?;
        let views = Foreign::of(group, &known, force)?;
        work.lock(&known, &views);
        work.move_tables(group, &known, &views, force)?;
        work.create_views(&known, &views, force);
        work.theirs = views.by_depth().map(DependentView::sql_name).collect();
        work.clear(group, &known);
        Ok(work)
    }

    /// What changed on the live relation since the candidate took it over is taken over too.
    async fn prepare(
        &mut self,
        session: &dyn Session,
        known: &[Known<'a>],
    ) -> Result<(), SessionError> {
        let mut statements = Vec::new();
        for k in known.iter().filter(|k| k.way == Way::Swap) {
            if let Publication::Table { inherited }
            | Publication::MaterializedView { inherited, .. } = k.member.publication
                && !inherit::is_current(inherited, &k.facts)
            {
                let (live, candidate) = (k.member.live, k.member.candidate);
                statements.extend(inherit::of_candidate(&k.facts, live, candidate));
            }
        }
        if statements.is_empty() {
            return Ok(());
        }
        let text = format!("begin; {}; commit", statements.join("; "));
        session.execute((&text).into()).await.map(|_| ())
    }

    fn in_place(&mut self, group: Group<'a>, known: &[Known<'a>]) -> Result<(), SessionError> {
        let mut altering = Vec::new();
        for k in known {
            match (k.member.publication, &k.facts.live) {
                (Publication::Delta { alter, apply, .. }, _) => {
                    let statements = [alter.as_slice(), apply.as_slice()].concat();
                    if alter.is_empty() {
                        self.in_place.push((k.member, statements));
                    } else {
                        altering.push((k.member, statements));
                    }
                }
                (_, Some(live)) if k.way == Way::Rows => {
                    let swap = swap_of(group, k.member);
                    let statements = rows::plan(swap, live, &k.facts.candidate_columns)?;
                    self.rows.push((k.member.live.to_string(), live.clone()));
                    self.in_place.push((k.member, statements));
                }
                _ => {}
            }
        }
        // Those that take an exclusive lock hold it for the shortest time at the end.
        self.in_place.extend(altering);
        Ok(())
    }

    fn lock(&mut self, known: &[Known<'a>], views: &Foreign<'_>) {
        let own_views = known.iter().filter_map(|k| {
            let live = k.facts.live.as_ref().filter(|live| live.kind == 'v')?;
            let name = k.member.live.to_string();
            let owner = crate::names::quote_ident(&live.owner);
            let depth = views.depth_of(k.member.live);
            let statement = format!("alter view {name} owner to {owner}");
            Some((
                depth,
                Lock {
                    statement,
                    relation: name,
                },
            ))
        });
        let mut locks: Vec<(u32, Lock)> = own_views.collect();
        locks.extend(views.all.values().map(|v| {
            let lock = Lock {
                statement: v.lock_statement(),
                relation: v.sql_name(),
            };
            (v.depth, lock)
        }));
        // A reader locks a view before what it reads.
        locks.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.relation.cmp(&b.1.relation)));
        let mut tables: Vec<(u32, Lock)> = known
            .iter()
            .filter(|k| !matches!(k.way, Way::Rows | Way::Delta | Way::Function))
            .filter_map(|k| {
                let live = k.facts.live.as_ref();
                let live = live.filter(|live| live.is_table() || live.kind == 'm')?;
                let name = k.member.live.to_string();
                let owner = crate::names::quote_ident(&live.owner);
                let statement = match live.kind {
                    'm' => format!("alter materialized view {name} owner to {owner}"),
                    _ => format!("lock table {name} in access exclusive mode"),
                };
                Some((
                    live.oid,
                    Lock {
                        statement,
                        relation: name,
                    },
                ))
            })
            .collect();
        tables.sort_by_key(|(oid, _)| *oid);
        let all = locks.into_iter().chain(tables);
        self.locks = all.map(|(_, lock)| lock).collect();
    }

    /// Old tables out, new tables in; with `force` the views on them go first.
    fn move_tables(
        &mut self,
        group: Group<'a>,
        known: &[Known<'a>],
        views: &Foreign<'_>,
        force: bool,
    ) -> Result<(), SessionError> {
        if force {
            let mut drops: Vec<(u32, String)> = views
                .all
                .values()
                .map(|v| (v.depth, v.sql_name()))
                .collect();
            drops.extend(known.iter().filter_map(|k| {
                let is_view = k.facts.live.as_ref().is_some_and(|live| live.kind == 'v');
                (is_view && k.way == Way::View)
                    .then(|| (views.depth_of(k.member.live), k.member.live.to_string()))
            }));
            drops.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
            let drops = drops
                .into_iter()
                .map(|(_, name)| format!("drop view {name}"));
            self.after.extend(drops);
        }
        for k in known {
            let retired = group.home.retired(k.member.live);
            if let Some(live) = &k.facts.live
                && (matches!(k.way, Way::Swap | Way::Renew)
                    || k.way == Way::View && live.kind != 'v')
            {
                check_no_blocker(k, live)?;
                let keyword = live.keyword();
                let out = group.home.move_statement(keyword, k.member.live, &retired);
                self.after.push(out);
                self.garbage
                    .push(format!("drop {keyword} if exists {retired}"));
            }
            if k.way == Way::Swap {
                let (candidate, live) = (k.member.candidate, k.member.live);
                let keyword = candidate.keyword();
                self.after
                    .push(group.home.move_statement(keyword, candidate, live));
            }
        }
        Ok(())
    }

    /// Our views in the order in which they read one another, then those of others.
    fn create_views(&mut self, known: &[Known<'a>], views: &Foreign<'_>, force: bool) {
        for k in known {
            match k.member.publication {
                Publication::View { create, then } => {
                    let live = k.facts.live.as_ref();
                    let in_place = live.is_none_or(|live| live.kind == 'v') && !force;
                    if in_place {
                        self.after.push(views::or_replace(create));
                    } else {
                        self.after
                            .push(create.trim().trim_end_matches(';').to_owned());
                        if let Some(live) = live {
                            self.after
                                .extend(views::view_inheritance(live, k.member.live));
                        }
                    }
                    self.after.extend_from_slice(then);
                }
                Publication::Delta { then, .. } => self.after.extend_from_slice(then),
                Publication::Function { create, .. } => self.after.extend_from_slice(create),
                Publication::MaterializedView { create, then, .. } if k.way == Way::Renew => {
                    self.after
                        .push(create.trim().trim_end_matches(';').to_owned());
                    let name = k.member.live.of_kind(RelationKind::MaterializedView);
                    self.after
                        .extend(inherit::of_candidate(&k.facts, &name, &name));
                    self.after.extend_from_slice(then);
                }
                Publication::MaterializedView { .. } if k.way == Way::Refresh => self
                    .after
                    .push(format!("refresh materialized view {}", k.member.live)),
                Publication::Table { .. } | Publication::MaterializedView { .. } => {}
            }
        }
        for view in views.by_depth() {
            if force {
                self.after.extend(inherit::recreate_view(view));
            } else {
                self.after.push(inherit::replace_view(view));
            }
        }
    }

    /// What remains of the candidates: views read tables, so they are dropped before them.
    fn clear(&mut self, group: Group<'a>, known: &[Known<'a>]) {
        for k in known {
            match k.member.publication {
                Publication::Delta { garbage, .. } => self.garbage.extend_from_slice(garbage),
                Publication::Table { .. } if k.way == Way::Rows => {
                    let drop = format!("drop table if exists {}", k.member.candidate);
                    self.garbage.push(drop);
                }
                Publication::Function { drop, .. } => self.garbage.push(drop.clone()),
                Publication::MaterializedView { .. } if k.way != Way::Swap => {
                    let candidate = k.member.candidate;
                    self.garbage
                        .push(format!("drop materialized view if exists {candidate}"));
                }
                _ => {}
            }
        }
        let views = known
            .iter()
            .filter(|k| matches!(k.way, Way::View | Way::Delta));
        self.garbage.extend(views.map(|k| {
            let candidate = group.home.candidate(k.member.live);
            format!("drop view if exists {candidate}")
        }));
    }

    /// Why rows were exchanged in place, where Postgres does not want that.
    pub(super) fn explain_rows(
        &self,
        group: Group<'a>,
        member: Member<'a>,
        error: SessionError,
    ) -> SessionError {
        let name = member.live.to_string();
        match self.rows.iter().find(|(relation, _)| *relation == name) {
            Some((_, live)) => rows::explain(swap_of(group, member), live, error),
            None => {
                let SessionError {
                    diagnostic,
                    sqlstate,
                    transient,
                } = error;
                SessionError {
                    diagnostic: Box::new(
                        diagnostic.note(format!("while the new rows of {name} were applied")),
                    ),
                    sqlstate,
                    transient,
                }
            }
        }
    }

    /// Names the views of others that no longer fit.
    pub(super) fn explain(&self, error: SessionError) -> SessionError {
        if !crate::publish::swap::is_view_mismatch(&error) || self.theirs.is_empty() {
            return error;
        }
        SessionError::new(
            Diagnostic::error(
                codes::PUBLISH_REFUSED,
                "nothing was published: a view that reads one of the relations would break",
            )
            .note(format!("Postgres says: {}", error.diagnostic.message))
            .note(format!("views that read them: {}", self.theirs.join(", ")))
            .hint("change or drop the view first, then run again"),
        )
    }
}

/// Reads a member's facts and decides how it is published.
async fn know<'a>(
    session: &dyn Session,
    group: Group<'a>,
    member: Member<'a>,
    force: bool,
) -> Result<Known<'a>, SessionError> {
    let moves = matches!(
        member.publication,
        Publication::Table { .. } | Publication::MaterializedView { .. }
    );
    let candidate = moves.then_some(member.candidate);
    let nested = if force { Views::Nested } else { Views::Direct };
    let mut facts = facts::read(session, member.live, candidate, nested).await?;
    // Materialized views of the group are replaced themselves.
    facts.live = facts
        .live
        .map(|live| live.without_readers(|v| group.replaces(v)));
    let way = match member.publication {
        Publication::View { .. } => Way::View,
        Publication::Delta { .. } => Way::Delta,
        Publication::Function { .. } => Way::Function,
        Publication::MaterializedView { .. } => match &facts.live {
            Some(live) if live.must_stay() && live.kind == 'm' => {
                same_query(session, group, member).await?;
                Way::Refresh
            }
            Some(live) if live.must_stay() => return Err(stays(member, live)),
            _ => Way::Swap,
        },
        Publication::Table { .. } => match &facts.live {
            Some(live) if live.must_stay() => Way::Rows,
            Some(live) if member.by_rows && rows::fits(live, &facts.candidate_columns) => Way::Rows,
            _ => Way::Swap,
        },
    };
    Ok(Known { member, facts, way })
}

/// A materialized view keeps reading what it was made over. Over a relation that does not move to
/// its live name with it, it is made anew once that is published.
async fn renew(session: &dyn Session, known: &mut [Known<'_>]) -> Result<(), SessionError> {
    for at in 0..known.len() {
        let is_kind = matches!(
            known[at].member.publication,
            Publication::MaterializedView { .. }
        );
        if !is_kind || known[at].way != Way::Swap {
            continue;
        }
        let stays: Vec<&Relation> = known
            .iter()
            .filter(|k| k.way != Way::Swap)
            .map(|k| k.member.candidate)
            .collect();
        let name = known[at].member.candidate.to_string();
        let table = session.ask_catalog(READS, &[Some(&name)]).await?;
        let reads_it = table.rows.iter().any(|row| {
            let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
            let (schema, name) = (cell(0), cell(1));
            let same = |r: &&Relation| r.schema == schema && r.identifier == name;
            stays.iter().any(same)
        });
        if reads_it {
            known[at].way = Way::Renew;
        }
    }
    Ok(())
}

/// The relations and functions that a view or materialized view (`$1`) uses.
const READS: &str = "select distinct n.nspname, c.relname from pg_rewrite r join pg_depend d on \
                     d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = \
                     'pg_class'::regclass join pg_class c on c.oid = d.refobjid join pg_namespace \
                     n on n.oid = c.relnamespace where r.ev_class = to_regclass($1) union \
                     select n.nspname, p.proname from pg_rewrite r join pg_depend d on d.classid = \
                     'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = \
                     'pg_proc'::regclass join pg_proc p on p.oid = d.refobjid join pg_namespace n \
                     on n.oid = p.pronamespace where r.ev_class = to_regclass($1)";

/// Refuses to refresh a materialized view whose query is no longer that of its candidate.
async fn same_query(
    session: &dyn Session,
    group: Group<'_>,
    member: Member<'_>,
) -> Result<(), SessionError> {
    let sql = "select pg_get_viewdef(to_regclass($1)), pg_get_viewdef(to_regclass($2))";
    let (candidate, live) = (member.candidate.to_string(), member.live.to_string());
    let table = session
        .ask_catalog(sql, &[Some(&candidate), Some(&live)])
        .await?;
    let row = table.rows.into_iter().next().unwrap_or_default();
    let mut cells = row.into_iter().map(Option::unwrap_or_default);
    let (mut next, now) = (
        cells.next().unwrap_or_default(),
        cells.next().unwrap_or_default(),
    );
    for schema in group.held {
        let shadow = crate::publish::home::shadow_schema(schema, group.home.tag());
        next = next.replace(&shadow, schema);
    }
    if next.replace('"', "") == now.replace('"', "") {
        return Ok(());
    }
    let live = facts::read(session, member.live, None, Views::Direct).await?;
    match &live.live {
        Some(live) => Err(stays(member, live)),
        None => Ok(()),
    }
}

/// Names what keeps a relation from being replaced by a materialized view.
fn stays(member: Member<'_>, live: &Live) -> SessionError {
    let mut error = Diagnostic::error(
        codes::PUBLISH_REFUSED,
        format!(
            "{} was not replaced by the new materialized view: others depend on it",
            member.live
        ),
    );
    for blocker in &live.blockers {
        error = error.note(format!("it has: {blocker}"));
    }
    SessionError::new(
        error.hint("build what is named above in the same run, or drop it; then run again"),
    )
}

fn swap_of<'a>(group: Group<'a>, member: Member<'a>) -> Swap<'a> {
    Swap {
        home: group.home,
        live: member.live,
        candidate: member.candidate,
        then: &[],
        pending: group.pending,
    }
}

/// A table that others depend on does not become a view.
fn check_no_blocker(known: &Known<'_>, live: &Live) -> Result<(), SessionError> {
    if known.way != Way::View || live.blockers.is_empty() {
        return Ok(());
    }
    Err(views::does_not_become_a_view(known.member.live, live))
}

/// Views that read the members' live relations and are not members themselves.
struct Foreign<'f> {
    all: BTreeMap<(String, String), DependentView>,
    /// How deep the members' own live views lie.
    own: BTreeMap<(&'f str, &'f str), u32>,
}

impl<'f> Foreign<'f> {
    fn of(group: Group<'f>, known: &'f [Known<'f>], force: bool) -> Result<Self, SessionError> {
        let mut own: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        for k in known.iter().filter(|k| k.way == Way::View) {
            let live = k.member.live;
            own.insert((live.schema.as_str(), live.identifier.as_str()), 0);
        }
        let mut all: BTreeMap<(String, String), DependentView> = BTreeMap::new();
        for k in known {
            let Some(live) = &k.facts.live else { continue };
            let stays = matches!(k.way, Way::Rows | Way::Delta | Way::Refresh | Way::Function)
                || k.way == Way::View && !force;
            let replaced = k.way == Way::View && live.kind != 'v';
            if stays && !replaced {
                continue;
            }
            let mut of_this = Vec::new();
            for view in live.views.iter().filter(|v| !v.is_retired()) {
                let key = (view.schema.as_str(), view.name.as_str());
                if let Some(depth) = own.get_mut(&key) {
                    *depth = view.depth.max(*depth);
                    continue;
                }
                if force && group.pending.contains(&view.schema, &view.name) {
                    continue;
                }
                of_this.push(view);
                let key = (view.schema.clone(), view.name.clone());
                let entry = all.entry(key).or_insert_with(|| view.clone());
                entry.depth = entry.depth.max(view.depth);
            }
            if force {
                views::check_may_recreate(k.member.live, &of_this)?;
            }
        }
        Ok(Self { all, own })
    }

    fn depth_of(&self, relation: &Relation) -> u32 {
        let key = (relation.schema.as_str(), relation.identifier.as_str());
        self.own.get(&key).copied().unwrap_or(0)
    }

    /// Each after what it reads.
    fn by_depth(&self) -> impl Iterator<Item = &DependentView> {
        let mut views: Vec<&DependentView> = self.all.values().collect();
        views.sort_by_key(|v| v.depth);
        views.into_iter()
    }
}
