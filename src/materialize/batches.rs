//! The batches of a microbatch model gathered in a temporary table of the session, for a model
//! that is published later: readers get all of its batches or none.

use super::{Spec, settings};
use crate::names::{Relation, RelationKind, quote_ident};
use crate::session::{Embedded, Session, SessionError};

/// Where the batches of a node are gathered.
pub fn gathered(spec: Spec<'_>) -> Relation {
    temporary(spec, "__batches")
}

fn temporary(spec: Spec<'_>, suffix: &str) -> Relation {
    // Postgres cuts names, and with them what tells these apart.
    let mut end = spec.live.identifier.len().min(30);
    while !spec.live.identifier.is_char_boundary(end) {
        end -= 1;
    }
    let (name, tag) = (&spec.live.identifier[..end], spec.home.tag().as_str());
    Relation::new("", "", format!("{name}{tag}{suffix}")).of_kind(RelationKind::Table)
}

/// Adds the rows of `spec.sql`; those of a key that is there already take the place of the
/// earlier ones. The first batch makes the table.
pub async fn gather(
    spec: Spec<'_>,
    first: bool,
    session: &dyn Session,
) -> Result<(), SessionError> {
    let all = gathered(spec);
    if first {
        return create(spec, &all, session).await;
    }
    let batch = temporary(spec, "__batch");
    create(spec, &batch, session).await?;
    let mut texts = Vec::new();
    let key = spec.node.config.unique_key.join(", ");
    if !key.is_empty() {
        texts.push(format!(
            "delete from {all} where ({key}) in (select {key} from {batch})"
        ));
    }
    let columns = session.columns(&all).await?;
    let columns: Vec<String> = columns.iter().map(|c| quote_ident(&c.name)).collect();
    let columns = columns.join(", ");
    texts.push(format!(
        "insert into {all} ({columns}) select {columns} from {batch}"
    ));
    texts.push(format!("drop table {batch}"));
    session.execute((&texts.join(";\n")).into()).await?;
    Ok(())
}

async fn create(
    spec: Spec<'_>,
    relation: &Relation,
    session: &dyn Session,
) -> Result<(), SessionError> {
    let create = settings::create_table_as(session, true, relation, spec.sql).await?;
    let text = format!("drop table if exists {relation}; {create}");
    let compiled_at = text.find(spec.sql);
    let embedded = Embedded {
        text: &text,
        compiled_at,
    };
    session.execute(embedded).await.map(|_| ())
}
