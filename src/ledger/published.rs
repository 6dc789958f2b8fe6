//! Relations of which the ledger says that a run published them.

use super::SCHEMA;
use crate::names::{NodeId, quote_literal};
use crate::session::{Session, SessionError};

/// How an entry says that a relation was dropped because no node makes it any more.
pub const DROPPED: &str = "dropped";

/// A relation and the node that published it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub identifier: String,
    /// The relation as the entry has it.
    pub relation: String,
    /// Whose it was.
    pub node: NodeId,
}

/// What a project's own nodes published last on a target. A relation that somebody else
/// published under the same name later, or that was dropped since, is not among them.
pub async fn published(
    session: &dyn Session,
    target: &str,
    project: &str,
) -> Result<Vec<Published>, SessionError> {
    let table = session
        .query(&format!(
            "select relation, node from (select distinct on (relation) relation, node, status, \
             target from {SCHEMA}.entry where kind = 'node' and relation is not null and node is \
             not null and (published or status = '{DROPPED}') order by relation, seq desc) last \
             where status <> '{DROPPED}' and target = {} and split_part(node, '.', 2) = {} order \
             by relation",
            quote_literal(target),
            quote_literal(project)
        ))
        .await?;
    let read = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter();
        let (relation, node) = (cells.next().flatten()?, cells.next().flatten()?);
        let mut names = names(&relation)?;
        let identifier = names.pop()?;
        Some(Published {
            schema: names.pop()?,
            identifier,
            relation,
            node: NodeId::new(node),
        })
    };
    Ok(table.rows.into_iter().filter_map(read).collect())
}

/// The names of a rendered relation, as the catalog has them; `None` if it is none.
fn names(relation: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = relation;
    loop {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut end = 0;
                loop {
                    end += quoted[end..].find('"')?;
                    match quoted[end + 1..].starts_with('"') {
                        true => end += 2,
                        false => break,
                    }
                }
                (quoted[..end].replace("\"\"", "\""), &quoted[end + 1..])
            }
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_lowercase(), &rest[end..])
            }
        };
        names.push(name);
        if after.is_empty() {
            return Some(names);
        }
        rest = after.strip_prefix('.')?;
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn names_are_as_the_catalog_has_them() {
        let of = |text: &str| names(text).map(|names| names.join("|"));
        assert_eq!(of(r#""db"."shop"."t""#).as_deref(), Some("db|shop|t"));
        assert_eq!(
            of(r#""d"."a.b"."say ""hi""""#).as_deref(),
            Some(r#"d|a.b|say "hi""#)
        );
        assert_eq!(of("Db.Shop.T").as_deref(), Some("db|shop|t"));
        assert_eq!(of(r#""open"#), None);
    }
}
