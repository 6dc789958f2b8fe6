//! `query-comment`: what is said of a statement's origin in the server's own logs.
//!
//! A project of dbt gets dbt's default comment, a project of ours none unless it asks.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::session::RunSession;
use crate::diag::{FileId, codes};
use crate::jinja::{Arg, NodeContext, Template};
use crate::pg::StatementComment;
use crate::session::SessionError;

/// What stands at every statement of a run.
#[derive(Clone, Debug)]
pub struct QueryComment {
    text: Text,
    append: bool,
}

#[derive(Clone, Debug)]
enum Text {
    /// dbt's: a JSON object that names program, profile, target and node.
    Default { profile: String, target: String },
    /// The project's own template.
    Template { file: FileId, text: Arc<str> },
}

/// Where the comment comes from.
#[derive(Clone, Copy, Debug)]
pub struct CommentSource<'a> {
    /// `query-comment` of the project file; `None` where it is not there.
    pub config: Option<&'a Json>,
    /// The project file.
    pub file: FileId,
    /// Whether the project is ours rather than dbt's.
    pub is_marts: bool,
    /// The profile's name.
    pub profile: &'a str,
    /// The target's name.
    pub target: &'a str,
}

impl QueryComment {
    /// Reads the config; `None` where no comment is wanted.
    pub fn read(source: CommentSource<'_>) -> Option<Self> {
        let default = || Text::Default {
            profile: source.profile.to_owned(),
            target: source.target.to_owned(),
        };
        let own = |text: &str| Text::Template {
            file: source.file,
            text: Arc::from(text.trim()),
        };
        let (text, append) = match source.config {
            None if source.is_marts => return None,
            None => (default(), false),
            Some(Json::String(text)) if !text.trim().is_empty() => (own(text), false),
            Some(Json::Object(map)) => {
                let append = map.get("append").and_then(Json::as_bool).unwrap_or(false);
                match map.get("comment") {
                    None => (default(), append),
                    Some(Json::String(text)) if !text.trim().is_empty() => (own(text), append),
                    Some(_) => return None,
                }
            }
            Some(_) => return None,
        };
        Some(Self { text, append })
    }

    /// Puts the comment at every statement of a session.
    pub(super) async fn apply(&self, session: &RunSession) -> Result<(), SessionError> {
        let text = match &self.text {
            Text::Default { profile, target } => by_default(&session.context, profile, target),
            Text::Template { file, text } => {
                let template = Template {
                    file: *file,
                    text: Arc::clone(text),
                    first_line: 1,
                };
                let context = with_origin(&session.context);
                let text = session.render_value(&template, context)?;
                text.trim().to_owned()
            }
        };
        if text.is_empty() {
            return Ok(());
        }
        if text.contains("*/") || text.contains("/*") {
            return Err(SessionError::message(
                codes::JINJA_ERROR,
                format!("the query-comment gives `{text}`, which would end its SQL comment"),
            ));
        }
        session.connection.set_comment(match self.append {
            false => StatementComment {
                before: format!("/* {text} */\n"),
                after: String::new(),
            },
            true => StatementComment {
                before: String::new(),
                after: format!("\n/* {text} */"),
            },
        });
        Ok(())
    }
}

fn by_default(context: &NodeContext, profile: &str, target: &str) -> String {
    let origin = if is_node(context) {
        "node_id"
    } else {
        "connection_name"
    };
    let comment = json!({
        "app": "marts",
        "marts_version": env!("CARGO_PKG_VERSION"),
        "profile_name": profile,
        "target_name": target,
        origin: context.id.as_str(),
    });
    // A name may hold anything; a comment may not.
    comment
        .to_string()
        .replace("*/", "* /")
        .replace("/*", "/ *")
}

fn is_node(context: &NodeContext) -> bool {
    !context.model.is_null()
}

/// The variables that dbt gives to a comment: `connection_name` and `node`.
fn with_origin(context: &NodeContext) -> Arc<NodeContext> {
    let mut context = context.clone();
    let name = if is_node(&context) {
        context.id.as_str()
    } else {
        "master"
    };
    context
        .extra
        .insert("connection_name".to_owned(), Arg::Json(Json::from(name)));
    context
        .extra
        .insert("node".to_owned(), Arg::Json(context.model.clone()));
    Arc::new(context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceMap;

    fn read(config: Option<Json>, is_marts: bool) -> Option<QueryComment> {
        QueryComment::read(CommentSource {
            config: config.as_ref(),
            file: SourceMap::default().add("dbt_project.yml", ""),
            is_marts,
            profile: "shop",
            target: "dev",
        })
    }

    #[test]
    fn an_empty_comment_is_none_and_a_missing_one_is_dbts_in_a_project_of_dbt() {
        assert!(read(None, true).is_none());
        assert!(matches!(
            read(None, false).map(|c| c.text),
            Some(Text::Default { .. })
        ));
        for nothing in [Json::Null, json!(""), json!({"comment": null})] {
            assert!(read(Some(nothing), false).is_none());
        }
        let appended = read(Some(json!({"comment": "x", "append": true})), false);
        assert!(appended.is_some_and(|c| c.append));
    }
}
