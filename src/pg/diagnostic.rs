//! Errors as messages to the user: the place in the compiled SQL, what the server added,
//! and a hint that is an action.

use std::io::ErrorKind;

use crate::diag::{Code, Diagnostic, FileId, SourceMap, Span, codes};

use super::config::ConfigError;
use super::error::{DbError, PgError};

/// The compiled SQL that a statement was made of, so that a position in the statement
/// becomes a place in that file.
#[derive(Clone, Copy, Debug)]
pub struct SqlPlace<'a> {
    /// All files.
    pub sources: &'a SourceMap,
    /// The compiled SQL (or the source, where that is what was sent).
    pub file: FileId,
    /// Text that the statement has in addition in its names, and the file has not: the
    /// suffix of shadow schemas. Empty if there is none.
    pub suffix: &'a str,
}

impl ConfigError {
    /// As a message; the caller adds the file.
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(codes::DB_CONFIG, self.to_string());
        match self.key.as_str() {
            "url" => diagnostic
                .hint("write it as postgres://user:password@host:5432/dbname?sslmode=require"),
            key => diagnostic.hint(format!(
                "correct `{key}` in the target's output or in the URL"
            )),
        }
    }
}

impl PgError {
    /// As a message. With a place, a position in the statement points into that file;
    /// without one, or where the statement does not hold the file's text, the statement's
    /// line is shown in a note.
    pub fn diagnostic(&self, place: Option<SqlPlace<'_>>) -> Diagnostic {
        match self {
            Self::Config(error) => error.diagnostic(),
            Self::Server(error) => server(error, place),
            _ => self.world(),
        }
    }

    /// Everything that the server did not say.
    fn world(&self) -> Diagnostic {
        let (code, hint) = match self {
            Self::Unreachable { kind, reason, .. } => {
                (codes::DB_CONNECT, unreachable_hint(*kind, reason))
            }
            Self::ConnectTimeout { .. } => (
                codes::DB_CONNECT,
                "check host and port and any firewall between, or raise `connect_timeout`",
            ),
            Self::Tls { reason, .. } => (codes::DB_TLS, tls_hint(reason)),
            Self::Lost { .. } => (
                codes::DB_LOST,
                "see the server's log for why, then run again; what was published is as it was",
            ),
            Self::TransactionPooling { .. } => (
                codes::DB_POOLING,
                "connect to the server itself, or to a port of the proxy that pools by session",
            ),
            _ => (
                codes::DB_CONNECT,
                "check that a PostgreSQL server is at this address",
            ),
        };
        Diagnostic::error(code, self.to_string()).hint(hint)
    }
}

fn unreachable_hint(kind: ErrorKind, reason: &str) -> &'static str {
    if reason.contains("lookup") || reason.contains("resolve") {
        return "check the spelling of `host`";
    }
    match kind {
        ErrorKind::ConnectionRefused | ErrorKind::NotFound => {
            "start the server, or check `host` and `port`; `host: embedded` uses a private \
             server of the project"
        }
        ErrorKind::PermissionDenied => "check the permissions of the socket's folder",
        _ => "check `host` and `port`, and that the server lets this machine in",
    }
}

fn tls_hint(reason: &str) -> &'static str {
    let has = |words: &str| reason.contains(words);
    if has("does not support TLS") {
        "turn `ssl` on in the server, or use `sslmode: prefer` on a network that you trust"
    } else if has("UnknownIssuer") || has("issuer") {
        "name the certificate of the server's authority as `sslrootcert`"
    } else if has("not valid for name") {
        "use one of the certificate's names as `host`, or `sslmode: verify-ca`"
    } else if has("xpired") {
        "renew the server's certificate, or correct this machine's clock"
    } else {
        "check `sslmode`, `sslrootcert`, `sslcert` and `sslkey`"
    }
}

fn server(error: &DbError, place: Option<SqlPlace<'_>>) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(code(error), error.message.clone());
    diagnostic = with_place(diagnostic, error, place);
    if let Some(server) = &error.server {
        diagnostic = diagnostic.note(format!("the server is {server}"));
    }
    if let Some(detail) = &error.detail {
        diagnostic = diagnostic.note(detail.clone());
    }
    if let Some(query) = &error.internal_query {
        diagnostic = diagnostic.note(format!("in the query `{}`", one_line(query)));
    }
    if let Some(line) = error.context.as_deref().and_then(|c| c.lines().next()) {
        diagnostic = diagnostic.note(line.to_owned());
    }
    diagnostic = diagnostic.note(format!("SQLSTATE {}", error.sqlstate));
    // The server's hint knows the names at hand; ours knows what to do in marts.
    match error
        .hint
        .clone()
        .or_else(|| hint(error).map(str::to_owned))
    {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

fn code(error: &DbError) -> Code {
    match error.sqlstate.as_str() {
        "3D000" => codes::DB_LOGIN,
        "53100" => codes::DB_DISK_FULL,
        state if state.starts_with("28") => codes::DB_LOGIN,
        state if state.starts_with("08") => codes::DB_CONNECT,
        _ if error.sql.is_none() => codes::DB_CONNECT,
        // The server ended the session with this word.
        _ if error.severity == "FATAL" || error.severity == "PANIC" => codes::DB_LOST,
        _ => codes::SQL_ERROR,
    }
}

fn with_place(diagnostic: Diagnostic, error: &DbError, place: Option<SqlPlace<'_>>) -> Diagnostic {
    let Some((sql, position)) = error.sql.as_deref().zip(error.position) else {
        return match (place, &error.sql) {
            (Some(place), Some(_)) => diagnostic.in_file(&place.sources.file(place.file).path),
            _ => diagnostic,
        };
    };
    if let Some(place) = place
        && let Some(span) = locate(sql, position, &place)
    {
        return diagnostic.at(span, "");
    }
    let line = line_at(sql, position);
    let diagnostic = diagnostic.note(format!("at `{}`", one_line(line)));
    match place {
        Some(place) => diagnostic.in_file(&place.sources.file(place.file).path),
        None => diagnostic,
    }
}

/// A position of the statement in the file whose text the statement holds.
fn locate(sql: &str, position: usize, place: &SqlPlace<'_>) -> Option<Span> {
    let file = place.sources.file(place.file);
    let (sql, position) = without(place.suffix, sql, position);
    let body = file.text.trim().trim_end_matches(';').trim_end();
    if body.is_empty() {
        return None;
    }
    let lead = file.text.find(body)?;
    let within = sql
        .match_indices(body)
        .map(|(start, _)| start)
        .find(|start| (*start..=start + body.len()).contains(&position))?;
    let start = lead + position - within;
    let end = start + token_length(&file.text[start..]);
    Some(Span {
        file: place.file,
        start: u32::try_from(start).ok()?,
        end: u32::try_from(end).ok()?,
    })
}

/// The text without a suffix, and the position in it.
fn without(suffix: &str, sql: &str, position: usize) -> (String, usize) {
    if suffix.is_empty() {
        return (sql.to_owned(), position);
    }
    let before = sql
        .match_indices(suffix)
        .take_while(|(start, _)| start + suffix.len() <= position)
        .count();
    (sql.replace(suffix, ""), position - before * suffix.len())
}

/// Bytes of the name, number or string that begins here; at least one character.
fn token_length(text: &str) -> usize {
    let mut chars = text.char_indices();
    let Some((_, first)) = chars.next() else {
        return 0;
    };
    let end_where = |stop: &dyn Fn(char) -> bool| {
        chars
            .clone()
            .find(|(_, c)| stop(*c))
            .map_or(text.len(), |(at, _)| at)
    };
    match first {
        '"' | '\'' => {
            let inner = end_where(&|c| c == first || c == '\n');
            if text[inner..].starts_with(first) {
                inner + 1
            } else {
                inner
            }
        }
        c if c.is_alphanumeric() || c == '_' => {
            end_where(&|c| !(c.is_alphanumeric() || c == '_' || c == '.' || c == '"'))
        }
        c => c.len_utf8(),
    }
}

fn line_at(sql: &str, position: usize) -> &str {
    let position = position.min(sql.len());
    let start = sql[..position].rfind('\n').map_or(0, |at| at + 1);
    let end = sql[position..]
        .find('\n')
        .map_or(sql.len(), |at| position + at);
    &sql[start..end]
}

/// Blanks made single, and at most 200 characters.
fn one_line(text: &str) -> String {
    const MOST: usize = 200;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// What to do about a state, where there is something to do.
fn hint(error: &DbError) -> Option<&'static str> {
    let says = |words: &str| error.message.contains(words);
    Some(match error.sqlstate.as_str() {
        "28P01" => "check `user` and `password` of the target; a variable may be empty",
        "28000" if says("no pg_hba.conf entry") => {
            "the server's pg_hba.conf lets nobody in this way: try another `sslmode`, or ask \
             its administrator"
        }
        "28000" => "check `user` and `role` of the target",
        "3D000" => "create the database, or correct `dbname` of the target",
        "3F000" => "create the schema, or correct its name",
        "42P01" => "name it by ref() or source(), so that it is built or declared before",
        "42703" => "compare with the columns of the relation that the name belongs to",
        "42601" => "look at the compiled SQL around this place",
        "42883" => "add a cast, or correct the function's name",
        "42804" | "42846" => "add a cast so that both types agree",
        "42501" => "grant the privilege to the target's user, or set `role` of the target",
        "42P07" | "42710" => "drop or rename what has this name already",
        "2BP01" => "something else depends on it: drop or change that first",
        "22P02" | "22007" | "22008" => {
            "find the values that do not fit, for example with a `where … !~ '…'`, and cast \
             only what fits"
        }
        "22003" => "cast to a wider type such as bigint or numeric",
        "22012" => "divide by nullif(…, 0)",
        "23502" => "filter the rows that have no value, or give a default",
        "23505" => "the key is not unique in these rows: deduplicate them, or correct `unique_key`",
        "21000" => "the key of the merge is not unique in the new rows: deduplicate them",
        "25006" => "connect to the primary server; this one or this session may only read",
        "40001" | "40P01" => "run again; if it happens often, lower `threads`",
        "53100" => {
            "free space on the server's disk, then run again; what was published is as it was"
        }
        "53200" if says("shared memory") => "raise `max_locks_per_transaction` of the server",
        "53200" => "lower `threads` or the server's `work_mem`",
        "53300" => "lower `threads`, or raise `max_connections` of the server",
        "55P03" => "somebody holds a lock on it: see pg_stat_activity, or raise `lock_timeout`",
        "57014" if says("statement timeout") => "raise `statement_timeout` of the target",
        "57014" => "run again when you want it to finish",
        "57P01" | "57P02" => {
            "the server was stopped or the session ended: run again when it is back"
        }
        "57P03" => "the server is starting or stopping: run again in a moment",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(sql: &str, position: usize) -> PgError {
        PgError::Server(Box::new(DbError {
            sqlstate: "42703".into(),
            message: "column \"nothing\" does not exist".into(),
            sql: Some(sql.into()),
            position: Some(position),
            ..DbError::default()
        }))
    }

    #[test]
    fn a_position_points_into_the_compiled_file() {
        let sources = SourceMap::default();
        let text = "\nselect nothing\nfrom \"s\".\"t\";\n";
        let file = sources.add("target/compiled/m.sql", text);
        let sql = "create view \"s__m_1\".\"m\" as (\nselect nothing\nfrom \"s__m_1\".\"t\")";
        let place = SqlPlace {
            sources: &sources,
            file,
            suffix: "__m_1",
        };
        let position = sql.find("nothing").expect("is there");
        let diagnostic = error(sql, position).diagnostic(Some(place));
        let span = diagnostic.labels[0].span;
        assert_eq!(&text[span.start as usize..span.end as usize], "nothing");
        assert_eq!(diagnostic.code, codes::SQL_ERROR);

        let position = sql.rfind("\"t\"").expect("is there");
        let span = error(sql, position).diagnostic(Some(place)).labels[0].span;
        assert_eq!(&text[span.start as usize..span.end as usize], "\"t\"");
    }

    #[test]
    fn a_place_outside_the_file_is_shown_as_a_note() {
        let sources = SourceMap::default();
        let file = sources.add("target/compiled/m.sql", "select 1");
        let place = SqlPlace {
            sources: &sources,
            file,
            suffix: "",
        };
        let sql = "create view x as (select 1);\n  create index on x (nothing)";
        let position = sql.find("nothing").expect("is there");
        let diagnostic = error(sql, position).diagnostic(Some(place));
        assert!(diagnostic.labels.is_empty());
        assert_eq!(diagnostic.notes[0], "at `create index on x (nothing)`");
        assert!(diagnostic.file.is_some());
    }

    #[test]
    fn a_full_disk_and_a_wrong_password_have_codes_of_their_own() {
        let of = |state: &str, sql: Option<&str>| {
            let error = DbError {
                sqlstate: state.into(),
                sql: sql.map(str::to_owned),
                ..DbError::default()
            };
            let diagnostic = PgError::Server(Box::new(error)).diagnostic(None);
            assert!(diagnostic.hint.is_some());
            diagnostic.code
        };
        assert_eq!(of("53100", Some("x")), codes::DB_DISK_FULL);
        assert_eq!(of("28P01", None), codes::DB_LOGIN);
        assert_eq!(of("3D000", None), codes::DB_LOGIN);
        assert_eq!(of("53300", None), codes::DB_CONNECT);
        assert_eq!(of("23505", Some("x")), codes::SQL_ERROR);
    }
}
