//! A full copy of a live table, for changes that no overlay can foretell: the copy gets the
//! delta and is then published as any table is.

use super::shape::{Index, Sequence, Shape, regclass};
use super::{Spec, settings};
use crate::names::{Relation, RelationKind, quote_ident, quote_literal};
use crate::session::{Session, SessionError};

/// Copies the live table with its rows, defaults, constraints, indexes and sequences, all
/// under their own names. Triggers, policies and whatever else hangs on a table stay on the
/// live one, which is then published by rows.
pub(in crate::materialize) async fn copy_of_live(
    spec: Spec<'_>,
    shape: &Shape,
    session: &dyn Session,
) -> Result<Relation, SessionError> {
    let copy = spec.home.candidate(spec.live).of_kind(RelationKind::Table);
    let live = spec.live;
    let mut texts = vec!["begin".to_owned(), create(live, &copy, shape)];
    let own = shape.sequences.iter().filter(|s| !s.identity);
    texts.extend(own.flat_map(|s| serial(s, &copy)));
    let columns = shape.columns.iter().filter(|c| !c.generated);
    let columns: Vec<String> = columns.map(|c| quote_ident(&c.name)).collect();
    let columns = columns.join(", ");
    texts.push(format!(
        "insert into {copy} ({columns}) overriding system value select {columns} from {live}"
    ));
    let identities = shape.sequences.iter().filter(|s| s.identity);
    texts.extend(identities.map(|s| {
        let column = quote_literal(&s.column);
        s.continue_at(&format!(
            "pg_get_serial_sequence({}, {column})",
            regclass(&copy)
        ))
    }));
    texts.extend(shape.indexes.iter().map(|i| index(i, &copy)));
    texts.extend(shape.links.iter().map(|link| {
        let name = quote_ident(&link.name);
        format!(
            "alter table {copy} add constraint {name} {}",
            link.definition
        )
    }));
    texts.push("commit".to_owned());
    let text = texts.join("\n;\n");
    session
        .execute((&settings::statement(&text)).into())
        .await?;
    Ok(copy)
}

fn create(live: &Relation, copy: &Relation, shape: &Shape) -> String {
    let unlogged = if shape.unlogged { "unlogged " } else { "" };
    let kept = [
        "defaults",
        "constraints",
        "generated",
        "identity",
        "storage",
        "compression",
    ];
    let kept: Vec<String> = kept
        .iter()
        .map(|what| format!("including {what}"))
        .collect();
    let options: Vec<String> = shape
        .options
        .iter()
        .filter_map(|option| option.split_once('='))
        .map(|(key, value)| format!("{} = {}", quote_ident(key), quote_literal(value)))
        .collect();
    let with = match options.is_empty() {
        true => String::new(),
        false => format!(" with ({})", options.join(", ")),
    };
    format!(
        "create {unlogged}table {copy} (like {live} {}){with}",
        kept.join(" ")
    )
}

/// A sequence of the copy's own: the live table's goes when that is dropped.
fn serial(sequence: &Sequence, copy: &Relation) -> Vec<String> {
    let own = copy.with_identifier(&sequence.name);
    let column = quote_ident(&sequence.column);
    let own_name = regclass(&own);
    vec![
        format!("create sequence {own} {}", sequence.definition),
        format!("alter table {copy} alter column {column} set default nextval({own_name})"),
        format!("alter sequence {own} owned by {copy}.{column}"),
        sequence.continue_at(&own_name),
    ]
}

fn index(index: &Index, copy: &Relation) -> String {
    let name = quote_ident(&index.name);
    match (&index.constraint, &index.definition) {
        (Some(constraint), Some(definition)) => format!(
            "alter table {copy} add constraint {} {definition}",
            quote_ident(constraint)
        ),
        _ => {
            let unique = if index.unique { "unique " } else { "" };
            format!("create {unique}index {name} on {copy}{}", index.tail)
        }
    }
}
