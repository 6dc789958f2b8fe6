//! Just enough of SQL's lexical rules to tell statements apart and to name the last one's
//! command tag, which the driver does not hand on. Never parses, never changes text.

/// One statement of a text: its byte range without leading and trailing blanks, comments
/// and the semicolon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Part {
    pub(super) fn of(self, sql: &str) -> &str {
        &sql[self.start..self.end]
    }
}

/// The statements of a text, empty ones left out.
pub(super) fn split(sql: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut current: Option<Part> = None;
    // `create function … begin atomic … end` holds semicolons of its own.
    let mut atomic = 0usize;
    let mut previous_word = String::new();
    for token in Tokens::new(sql) {
        if token.kind == Kind::Semicolon && atomic == 0 {
            parts.extend(current.take());
            continue;
        }
        if token.kind == Kind::Word {
            let word = token.text(sql).to_ascii_lowercase();
            match word.as_str() {
                "atomic" if previous_word == "begin" => atomic = 1,
                "case" if atomic > 0 => atomic += 1,
                "end" if atomic > 0 => atomic -= 1,
                _ => {}
            }
            previous_word = word;
        }
        let part = current.get_or_insert(Part {
            start: token.start,
            end: token.end,
        });
        part.end = token.end;
    }
    parts.extend(current);
    parts
}

/// A text to which `limit N` may be appended for its first rows, as far as that is possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstRows {
    /// The text without what follows its last statement; a query that ends in a limit of its
    /// own stands in another.
    pub sql: String,
    /// Whether a limit may follow; it may not where the statement is no query.
    pub takes_limit: bool,
}

/// Prepares a text for a limit.
pub fn first_rows(sql: &str) -> FirstRows {
    let Some(last) = split(sql).last().copied() else {
        return FirstRows {
            sql: sql.to_owned(),
            takes_limit: false,
        };
    };
    let query = last.of(sql);
    let words = outer_words(query);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let is_query = query.starts_with('(') || tag(query, 0) == "SELECT 0";
    // `select … into` makes a table, and what changes rows must stand by itself.
    let takes_limit = is_query && !has(&["INTO"]);
    let limited = has(&["LIMIT", "FETCH"]);
    let sql = match takes_limit && limited {
        true => format!("{}select * from (\n{query}\n) as shown", &sql[..last.start]),
        false => sql[..last.end].to_owned(),
    };
    FirstRows { sql, takes_limit }
}

/// The words outside parentheses, in capitals.
fn outer_words(statement: &str) -> Vec<String> {
    let mut depth = 0usize;
    let mut words = Vec::new();
    for token in Tokens::new(statement) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 => words.push(token.text(statement).to_ascii_uppercase()),
            _ => {}
        }
    }
    words
}

/// The command tag that Postgres gives for a statement, for example `SELECT 3`,
/// `INSERT 0 3` or `CREATE VIEW`.
pub(super) fn tag(statement: &str, rows: u64) -> String {
    let words = leading_words(statement);
    let word = |index: usize| words.get(index).map_or("", String::as_str);
    match word(0) {
        "" => String::new(),
        "SELECT" | "VALUES" | "TABLE" => {
            // `select … into` counts too; its tag is the same.
            format!("SELECT {rows}")
        }
        "INSERT" => format!("INSERT 0 {rows}"),
        verb @ ("UPDATE" | "DELETE" | "MERGE" | "COPY" | "FETCH" | "MOVE") => {
            format!("{verb} {rows}")
        }
        "WITH" => with_tag(statement, rows),
        verb @ ("CREATE" | "ALTER" | "DROP" | "COMMENT" | "REFRESH") => {
            object_tag(verb, &words, statement, rows)
        }
        "START" => "START TRANSACTION".to_owned(),
        "END" => "COMMIT".to_owned(),
        "ABORT" => "ROLLBACK".to_owned(),
        "TRUNCATE" => "TRUNCATE TABLE".to_owned(),
        "LOCK" => "LOCK TABLE".to_owned(),
        verb => verb.to_owned(),
    }
}

/// A `with` statement's verb is the first one outside parentheses.
fn with_tag(statement: &str, rows: u64) -> String {
    let mut depth = 0usize;
    for token in Tokens::new(statement) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 => {
                let word = token.text(statement).to_ascii_uppercase();
                match word.as_str() {
                    "SELECT" | "VALUES" | "TABLE" => return format!("SELECT {rows}"),
                    "INSERT" => return format!("INSERT 0 {rows}"),
                    "UPDATE" | "DELETE" | "MERGE" => return format!("{word} {rows}"),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    format!("SELECT {rows}")
}

fn object_tag(verb: &str, words: &[String], statement: &str, rows: u64) -> String {
    const PASSED_OVER: [&str; 10] = [
        "OR",
        "REPLACE",
        "TEMP",
        "TEMPORARY",
        "UNLOGGED",
        "UNIQUE",
        "GLOBAL",
        "LOCAL",
        "RECURSIVE",
        "CONSTRAINT",
    ];
    let mut rest = words
        .iter()
        .skip(1)
        .map(String::as_str)
        .filter(|word| !PASSED_OVER.contains(word));
    let object = match (rest.next().unwrap_or(""), rest.next().unwrap_or("")) {
        ("MATERIALIZED", "VIEW") => "MATERIALIZED VIEW".to_owned(),
        ("FOREIGN", "TABLE") => "FOREIGN TABLE".to_owned(),
        ("DEFAULT", "PRIVILEGES") => "DEFAULT PRIVILEGES".to_owned(),
        (object, _) => object.to_owned(),
    };
    match (verb, object.as_str()) {
        ("COMMENT", _) => "COMMENT".to_owned(),
        ("CREATE", "TABLE" | "MATERIALIZED VIEW") if is_created_by_query(statement) => {
            format!("SELECT {rows}")
        }
        _ => format!("{verb} {object}"),
    }
}

/// Whether `as` followed by a query stands outside parentheses.
fn is_created_by_query(statement: &str) -> bool {
    let mut depth = 0usize;
    Tokens::new(statement).any(|token| {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.kind == Kind::Word && token.text(statement).eq_ignore_ascii_case("as")
    })
}

/// The first few words in capitals, up to the first thing that is no plain word.
fn leading_words(statement: &str) -> Vec<String> {
    Tokens::new(statement)
        .skip_while(|token| token.kind == Kind::Open)
        .take_while(|token| token.kind == Kind::Word)
        .take(8)
        .map(|token| token.text(statement).to_ascii_uppercase())
        .collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Semicolon,
    Open,
    Close,
    /// Strings, quoted names, numbers and operators.
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

impl Token {
    fn text(self, sql: &str) -> &str {
        &sql[self.start..self.end]
    }
}

/// Tokens without blanks and comments.
struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    fn new(sql: &'a str) -> Self {
        Self {
            bytes: sql.as_bytes(),
            at: 0,
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            match (self.peek(0), self.peek(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0c | 0x0b, _) => self.at += 1,
                (b'-', b'-') => self.skip_line(),
                (b'/', b'*') => self.skip_block_comment(),
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        while self.at < self.bytes.len() && self.peek(0) != b'\n' {
            self.at += 1;
        }
    }

    /// Postgres' block comments nest.
    fn skip_block_comment(&mut self) {
        let mut depth = 0usize;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    fn skip_quoted(&mut self, quote: u8, escapes: bool) {
        self.at += 1;
        while self.at < self.bytes.len() {
            let byte = self.peek(0);
            if (escapes && byte == b'\\') || (byte == quote && self.peek(1) == quote) {
                self.at += 2;
            } else if byte == quote {
                self.at += 1;
                return;
            } else {
                self.at += 1;
            }
        }
        self.at = self.bytes.len();
    }

    /// `$tag$ … $tag$`; gives false where no such tag begins (as in `$1`).
    fn skip_dollar_quoted(&mut self) -> bool {
        let rest = &self.bytes[self.at + 1..];
        let length = rest
            .iter()
            .take_while(|b| is_word(**b) && **b != b'$')
            .count();
        let starts_with_digit = rest.first().is_some_and(u8::is_ascii_digit);
        if starts_with_digit || rest.get(length) != Some(&b'$') {
            return false;
        }
        let tag = &self.bytes[self.at..self.at + length + 2];
        let body = self.at + tag.len();
        self.at = self.bytes[body..]
            .windows(tag.len())
            .position(|window| window == tag)
            .map_or(self.bytes.len(), |found| body + found + tag.len());
        true
    }

    fn word(&mut self) -> Kind {
        let start = self.at;
        while self.at < self.bytes.len() && is_word(self.peek(0)) {
            self.at += 1;
        }
        // `E'…'` is a string in which a backslash escapes; B, N, X and U& are plain ones.
        if self.at - start == 1 && self.peek(0) == b'\'' {
            let escapes = self.bytes[start].eq_ignore_ascii_case(&b'e');
            self.skip_quoted(b'\'', escapes);
            return Kind::Other;
        }
        Kind::Word
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blanks_and_comments();
        let start = self.at;
        let kind = match *self.bytes.get(start)? {
            b';' | b'(' | b')' => {
                self.at += 1;
                match self.bytes[start] {
                    b';' => Kind::Semicolon,
                    b'(' => Kind::Open,
                    _ => Kind::Close,
                }
            }
            b'\'' => {
                self.skip_quoted(b'\'', false);
                Kind::Other
            }
            b'"' => {
                self.skip_quoted(b'"', false);
                Kind::Other
            }
            b'$' if self.skip_dollar_quoted() => Kind::Other,
            byte if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => self.word(),
            byte if byte.is_ascii_digit() => {
                self.word();
                Kind::Other
            }
            _ => {
                self.at += 1;
                Kind::Other
            }
        };
        self.at = self.at.min(self.bytes.len());
        Some(Token {
            kind,
            start,
            end: self.at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(sql: &str) -> Vec<&str> {
        split(sql).into_iter().map(|part| part.of(sql)).collect()
    }

    #[test]
    fn semicolons_in_strings_names_comments_and_bodies_do_not_split() {
        assert_eq!(
            statements("select ';' ; select \"a;b\" -- ;\n; /* ; /* ; */ ; */ select $x$ ; $x$;"),
            ["select ';'", "select \"a;b\"", "select $x$ ; $x$"]
        );
        assert_eq!(
            statements(r"select e'\';' , $1; select 2"),
            [r"select e'\';' , $1", "select 2"]
        );
        let function = "create function f() returns int language sql begin atomic \
                        select case when true then 1 end; end";
        assert_eq!(
            statements(&format!("{function}; select 1")),
            [function, "select 1"]
        );
    }

    #[test]
    fn empty_statements_are_left_out() {
        assert!(statements(" ;; -- nothing\n ; /* x */").is_empty());
    }

    #[test]
    fn unfinished_quotes_end_with_the_text() {
        assert_eq!(statements("select 'é; "), ["select 'é; "]);
        assert_eq!(statements(r"select e'\"), [r"select e'\"]);
        assert_eq!(statements("select $q$ x"), ["select $q$ x"]);
        assert!(statements("/* x").is_empty());
    }

    #[test]
    fn tags_are_those_of_postgres() {
        let cases = [
            ("select 1", "SELECT 3"),
            ("(select 1) union (select 2)", "SELECT 3"),
            ("insert into t select 1", "INSERT 0 3"),
            (
                "with x as (insert into t select 1) update t set a = 1",
                "UPDATE 3",
            ),
            (
                "with x as (delete from t returning *) select * from x",
                "SELECT 3",
            ),
            ("create temporary table \"a\" as (select 1)", "SELECT 3"),
            ("create table a (b int)", "CREATE TABLE"),
            ("create or replace view a as select 1", "CREATE VIEW"),
            ("create materialized view a as select 1", "SELECT 3"),
            ("create unique index on a (b)", "CREATE INDEX"),
            ("drop table if exists a", "DROP TABLE"),
            (
                "alter default privileges in schema a grant select on tables to b",
                "ALTER DEFAULT PRIVILEGES",
            ),
            ("comment on table a is 'x'", "COMMENT"),
            ("-- why\nbegin", "BEGIN"),
            ("truncate a", "TRUNCATE TABLE"),
            ("", ""),
        ];
        for (sql, expected) in cases {
            assert_eq!(tag(sql, 3), expected, "{sql}");
        }
    }

    #[test]
    fn a_query_is_prepared_for_a_limit_after_it() {
        let cases = [
            ("select 1; -- one\n", "select 1", true),
            ("select 1 -- one", "select 1", true),
            (
                "select a from t order by a limit 3 -- few",
                "select * from (\nselect a from t order by a limit 3\n) as shown",
                true,
            ),
            (
                "-- first\nwith x as (select 1 limit 1) select * from x",
                "-- first\nwith x as (select 1 limit 1) select * from x",
                true,
            ),
            (
                "set a.b = 1; values (1) fetch first row only;",
                "set a.b = 1; select * from (\nvalues (1) fetch first row only\n) as shown",
                true,
            ),
            ("show timezone;", "show timezone", false),
            (
                "(select 1) union (select 2)",
                "(select 1) union (select 2)",
                true,
            ),
            (
                "with x as (select 1) delete from t",
                "with x as (select 1) delete from t",
                false,
            ),
            ("-- nothing", "-- nothing", false),
        ];
        for (sql, expected, takes_limit) in cases {
            let sql_of = expected.to_owned();
            let expected = FirstRows {
                sql: sql_of,
                takes_limit,
            };
            assert_eq!(first_rows(sql), expected, "{sql}");
        }
    }
}
