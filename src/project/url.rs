//! A target from a connection URL (`--url`, `DATABASE_URL`), so that no profile is needed.

use serde_json::{Map, Value as Json};

use crate::diag::codes::DATABASE_URL;
use crate::diag::{Diagnostic, Spanned};

use super::ReadOptions;
use super::declarations::Target;
use super::yaml::Check;

/// The target that a URL describes: `postgres://user:password@host:port/dbname?key=value`.
/// `schema` among the keys says where models are built (default `public`).
pub(crate) fn target(
    url: &str,
    options: &ReadOptions,
    asked: Option<&Spanned<String>>,
    check: &mut Check,
) -> Option<Target> {
    let Some(mut output) = parse(url) else {
        check.push(
            Diagnostic::error(DATABASE_URL, "the database URL cannot be read")
                .hint("write it as postgres://user:password@host:port/dbname"),
        );
        return None;
    };
    let schema = match output.get("schema") {
        Some(Json::String(schema)) if !schema.is_empty() => schema.clone(),
        _ => "public".to_owned(),
    };
    output.insert("schema".to_owned(), Json::String(schema.clone()));
    let threads = options.threads.unwrap_or(4).max(1);
    output.insert("threads".to_owned(), threads.into());
    Some(Target {
        profile: asked.map_or_else(|| "url".to_owned(), |name| name.value.clone()),
        name: options.target.clone().unwrap_or_else(|| "url".to_owned()),
        schema,
        threads,
        output,
    })
}

fn parse(url: &str) -> Option<Map<String, Json>> {
    let rest = url
        .strip_prefix("postgresql://")
        .or_else(|| url.strip_prefix("postgres://"))?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, dbname) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, address) = match authority.rsplit_once('@') {
        Some((login, address)) => (login, address),
        None => ("", authority),
    };
    let mut output = Map::new();
    output.insert("type".to_owned(), "postgres".into());
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    put(&mut output, "user", &decode(user)?);
    put(&mut output, "password", &decode(password)?);
    let (host, port) = host_and_port(address)?;
    put(&mut output, "host", &decode(host)?);
    if let Some(port) = port {
        output.insert("port".to_owned(), port.into());
    }
    put(&mut output, "dbname", &decode(dbname)?);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=')?;
        put(&mut output, &decode(key)?, &decode(value)?);
    }
    Some(output)
}

fn put(output: &mut Map<String, Json>, key: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    let json = match (key, value.parse::<u16>()) {
        ("port", Ok(port)) => port.into(),
        _ => Json::String(value.to_owned()),
    };
    output.insert(key.to_owned(), json);
}

fn host_and_port(address: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = address.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None => Some((host, None)),
        };
    }
    match address.split_once(':') {
        Some((host, "")) => Some((host, None)),
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((address, None)),
    }
}

/// Percent-decoding; `None` when it does not give UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push((high * 16 + low) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::json;

    #[test]
    fn a_url_gives_each_part_decoded() {
        let output = parse("postgresql://ann:p%40ss@db.example:6543/shop?sslmode=require").unwrap();
        assert_eq!(output["user"], json!("ann"));
        assert_eq!(output["password"], json!("p@ss"));
        assert_eq!(output["host"], json!("db.example"));
        assert_eq!(output["port"], json!(6543));
        assert_eq!(output["dbname"], json!("shop"));
        assert_eq!(output["sslmode"], json!("require"));
    }

    #[test]
    fn a_socket_folder_is_given_as_host_parameter() {
        let output = parse("postgres:///shop?host=/var/run/postgresql").unwrap();
        assert_eq!(output["host"], json!("/var/run/postgresql"));
        assert!(!output.contains_key("user"));
    }

    #[test]
    fn another_scheme_is_no_database_url() {
        assert!(parse("mysql://x").is_none());
    }
}
