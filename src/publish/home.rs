//! Where candidates are built and where replaced relations go until they are dropped.
//!
//! Normally a shadow schema per target schema and run, `<schema>__m_<run tag>`, so that taking
//! the suffix from compiled SQL gives the live text, and names of indexes and constraints
//! never collide. A role that may not create schemas builds `<name>__m_<run tag>` beside the
//! live relation instead.

use crate::names::{MAX_IDENT_BYTES, Relation, quote_ident};

/// What stands between a name and a run tag; leftovers are recognised by it.
pub const MARK: &str = "__m_";

/// The suffix of what was replaced.
const RETIRED: &str = "_old";

/// The number of characters of a run tag.
pub const TAG_CHARS: usize = 10;

/// Ten characters (a-z, 0-9) that name a run in schema and relation names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunTag(String);

impl RunTag {
    /// A tag from any unique text, for example the invocation's id.
    pub fn from_unique(text: &str) -> Self {
        let mut hash = crate::publish::hash64(text);
        let mut tag = String::with_capacity(TAG_CHARS);
        for _ in 0..TAG_CHARS {
            let digit = (hash % 36) as u32;
            tag.push(char::from_digit(digit, 36).unwrap_or('0'));
            hash /= 36;
        }
        Self(tag)
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where this run's candidates live.
#[derive(Clone, Debug)]
pub enum CandidateHome {
    /// In a shadow schema per target schema.
    ShadowSchemas(RunTag),
    /// Beside the live relation, under a marked name.
    SameSchema(RunTag),
}

impl CandidateHome {
    /// The run's tag.
    pub fn tag(&self) -> &RunTag {
        match self {
            Self::ShadowSchemas(tag) | Self::SameSchema(tag) => tag,
        }
    }

    /// Where the next version of `live` is built.
    pub fn candidate(&self, live: &Relation) -> Relation {
        match self {
            Self::ShadowSchemas(tag) => live.in_schema(shadow_schema(&live.schema, tag)),
            Self::SameSchema(tag) => live.with_identifier(marked(&live.identifier, tag, "")),
        }
    }

    /// Gives constraints of a model's variable that are indexes a name of this run, where the
    /// candidate stands in the schema of the live table, which has an index of that name.
    pub fn name_constraints(&self, model: &mut serde_json::Value) {
        let Self::SameSchema(tag) = self else { return };
        let rename = |owner: &mut serde_json::Value| {
            let list = owner.get_mut("constraints");
            for constraint in list.and_then(|l| l.as_array_mut()).into_iter().flatten() {
                let kind = constraint.get("type").and_then(|t| t.as_str());
                let is_index = matches!(kind, Some("unique" | "primary_key"));
                let name = constraint.get("name").and_then(|n| n.as_str());
                if let Some(name) = name.filter(|_| is_index).map(|n| of_run(n, tag)) {
                    constraint["name"] = name.into();
                }
            }
        };
        rename(model);
        let columns = model.get_mut("columns").and_then(|c| c.as_object_mut());
        columns
            .into_iter()
            .flat_map(|c| c.values_mut())
            .for_each(rename);
    }

    /// Where the version that `live` names goes when it is replaced.
    pub fn retired(&self, live: &Relation) -> Relation {
        match self {
            Self::ShadowSchemas(tag) => live.in_schema(retired_schema(&live.schema, tag)),
            Self::SameSchema(tag) => live.with_identifier(marked(&live.identifier, tag, RETIRED)),
        }
    }

    /// The statement that moves `from` to `to`, which this home made of one another.
    pub fn move_statement(&self, keyword: &str, from: &Relation, to: &Relation) -> String {
        match self {
            Self::ShadowSchemas(_) => {
                format!(
                    "alter {keyword} {from} set schema {}",
                    quote_ident(&to.schema)
                )
            }
            Self::SameSchema(_) => {
                format!(
                    "alter {keyword} {from} rename to {}",
                    quote_ident(&to.identifier)
                )
            }
        }
    }
}

/// The schema in which candidates of a target schema are built.
pub fn shadow_schema(schema: &str, tag: &RunTag) -> String {
    marked(schema, tag, "")
}

/// The schema that takes what was replaced.
pub fn retired_schema(schema: &str, tag: &RunTag) -> String {
    marked(schema, tag, RETIRED)
}

/// `<name>__m_<tag><suffix>`, with the name cut (on a character's boundary) and made unique
/// by a hash where Postgres' limit asks for it.
fn marked(name: &str, tag: &RunTag, suffix: &str) -> String {
    let room = MAX_IDENT_BYTES - MARK.len() - TAG_CHARS - RETIRED.len();
    if name.len() <= room {
        return format!("{name}{MARK}{}{suffix}", tag.as_str());
    }
    let mut end = room - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let hash = crate::publish::hash64(name) & 0xffff_ffff;
    format!("{}_{hash:08x}{MARK}{}{suffix}", &name[..end], tag.as_str())
}

/// A name of this run that outlives it, so it does not bear the mark of leftovers; a quoted one
/// stays quoted.
fn of_run(name: &str, tag: &RunTag) -> String {
    let bare = name.trim_matches('"');
    let mut end = bare.len().min(MAX_IDENT_BYTES - TAG_CHARS - 1);
    while !bare.is_char_boundary(end) {
        end -= 1;
    }
    let quote = if bare.len() < name.len() { "\"" } else { "" };
    format!("{quote}{}_{}{quote}", &bare[..end], tag.as_str())
}

/// The run tag in a marked name, if it is one.
pub fn tag_of(name: &str) -> Option<RunTag> {
    let name = name.strip_suffix(RETIRED).unwrap_or(name);
    let at = name.rfind(MARK)?;
    let tag = &name[at + MARK.len()..];
    let is_tag = tag.len() == TAG_CHARS
        && tag
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    is_tag.then(|| RunTag(tag.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_keeps_its_name_in_a_marked_schema() {
        let tag = RunTag::from_unique("run");
        let live = Relation::new("db", "gold", "mart");
        let candidate = CandidateHome::ShadowSchemas(tag.clone()).candidate(&live);
        assert_eq!(candidate.identifier, "mart");
        assert_eq!(candidate.schema, format!("gold__m_{}", tag.as_str()));
        assert_eq!(tag_of(&candidate.schema), Some(tag));
    }

    #[test]
    fn a_long_name_stays_within_the_limit_and_distinct() {
        let tag = RunTag::from_unique("run");
        let a = shadow_schema(&"é".repeat(31), &tag);
        let b = shadow_schema(&format!("{}x", "é".repeat(30)), &tag);
        assert!(a.len() <= MAX_IDENT_BYTES && b.len() <= MAX_IDENT_BYTES);
        assert_ne!(a, b);
        assert_eq!(tag_of(&a), tag_of(&b));
        assert_eq!(tag_of(&retired_schema("s", &tag)), Some(tag));
    }

    #[test]
    fn other_peoples_names_are_not_taken_for_leftovers() {
        assert_eq!(tag_of("team__m_report"), None);
        assert_eq!(tag_of("gold"), None);
        assert_eq!(tag_of("gold__m_ABCDEFGHIJ"), None);
    }
}
