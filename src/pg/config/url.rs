//! A [`ConnectConfig`] from `postgres://…` or from libpq's `key=value` text. The text may
//! hold a password, so no error repeats it.

use std::path::PathBuf;
use std::time::Duration;

use super::super::secret::Secret;
use super::{ConfigError, ConnectConfig};
use crate::limits;

impl ConnectConfig {
    /// Reads a URL (`postgres://user:password@host:port/dbname?sslmode=require`) or
    /// libpq's `host=… dbname=…`. Where user, password or others are not given, the
    /// environment's `PGUSER`, `PGPASSWORD`, ... count, as `env` answers for them.
    pub fn from_url(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let text = text.trim();
        let pairs = match ["postgres://", "postgresql://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
        {
            Some(rest) => url_pairs(rest)?,
            None if text.contains("://") => {
                return Err(ConfigError::new(
                    "url",
                    "has an unknown scheme, expected postgres://",
                ));
            }
            None => key_value_pairs(text)?,
        };
        from_pairs(&pairs, env)
    }
}

type Pairs = Vec<(String, String)>;

const ENVIRONMENT: [(&str, &str); 8] = [
    ("host", "PGHOST"),
    ("port", "PGPORT"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("dbname", "PGDATABASE"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
];

fn from_pairs(
    given: &Pairs,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<ConnectConfig, ConfigError> {
    let mut pairs = given.clone();
    for (key, variable) in ENVIRONMENT {
        if let Some(value) = env(variable)
            && !pairs.iter().any(|(k, _)| k == key)
        {
            pairs.push((key.to_owned(), value));
        }
    }
    let get = |key: &str| {
        pairs
            .iter()
            .rev()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.clone())
            .filter(|v| !v.is_empty())
    };
    let host = get("host").unwrap_or_else(|| "localhost".to_owned());
    let user = get("user")
        .or_else(|| env("USER"))
        .ok_or_else(|| ConfigError::new("user", "is missing from the URL"))?;
    let dbname = get("dbname").unwrap_or_else(|| user.clone());
    let mut config = ConnectConfig::new(super::profile::host(&host), user, dbname);
    for (key, value) in &pairs {
        if !value.is_empty() {
            apply(&mut config, key, value)?;
        }
    }
    Ok(config)
}

fn apply(config: &mut ConnectConfig, key: &str, value: &str) -> Result<(), ConfigError> {
    match key {
        "host" | "user" | "dbname" => {}
        "port" => config.port = number(key, value)?,
        "password" => config.password = Some(Secret::new(value)),
        "sslmode" => config.sslmode = super::sslmode(key, value)?,
        "sslrootcert" => config.sslrootcert = Some(PathBuf::from(value)),
        "sslcert" => config.sslcert = Some(PathBuf::from(value)),
        "sslkey" => config.sslkey = Some(PathBuf::from(value)),
        "connect_timeout" => config.connect_timeout = super::connect_timeout(number(key, value)?),
        "keepalives_idle" => {
            config.keepalives_idle = Some(number(key, value)?)
                .filter(|seconds| *seconds > 0)
                .map(Duration::from_secs);
        }
        "application_name" | "fallback_application_name" => {
            config.application_name = value.to_owned();
        }
        "options" => options(config, value)?,
        "search_path" => config.search_path = Some(value.to_owned()),
        "role" => config.role = Some(value.to_owned()),
        // Understood by libpq, without effect here.
        "client_encoding"
        | "gssencmode"
        | "krbsrvname"
        | "channel_binding"
        | "target_session_attrs"
        | "keepalives"
        | "keepalives_interval"
        | "keepalives_count"
        | "tcp_user_timeout"
        | "sslcompression"
        | "sslsni"
        | "schema" => {}
        _ => {
            return Err(ConfigError::new(
                key,
                "in the URL is not a parameter that marts knows",
            ));
        }
    }
    Ok(())
}

/// `options=-c search_path=a -c role=b`.
pub(super) fn options(config: &mut ConnectConfig, text: &str) -> Result<(), ConfigError> {
    let text = text.replace("-c ", "-c");
    for word in text.split_whitespace() {
        let setting = word
            .strip_prefix("-c")
            .or_else(|| word.strip_prefix("--"))
            .and_then(|setting| setting.split_once('='));
        match setting {
            Some(("search_path", value)) => config.search_path = Some(value.to_owned()),
            Some(("role", value)) => config.role = Some(value.to_owned()),
            Some(("statement_timeout", value)) => config.statement_timeout = limit(value)?,
            Some(("lock_timeout", value)) => config.lock_timeout = limit(value)?,
            Some(("idle_in_transaction_session_timeout", value)) => {
                config.idle_in_transaction_session_timeout = limit(value)?;
            }
            _ => {
                return Err(ConfigError::new(
                    "options",
                    "may set search_path, role, statement_timeout, lock_timeout and \
                     idle_in_transaction_session_timeout only",
                ));
            }
        }
    }
    Ok(())
}

fn limit(text: &str) -> Result<Option<Duration>, ConfigError> {
    limits::parse(text).map(Some).ok_or_else(|| {
        let problem = format!("has the limit `{text}`, expected {}", limits::SPELLING);
        ConfigError::new("options", problem)
    })
}

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, ConfigError> {
    value
        .parse()
        .map_err(|_| ConfigError::new(key, format!("is `{value}`, expected a whole number")))
}

fn url_pairs(rest: &str) -> Result<Pairs, ConfigError> {
    let mut pairs = Pairs::new();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, place) = match authority.rsplit_once('@') {
        Some((login, place)) => (login, place),
        None => ("", authority),
    };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (host, port) = host_port(place)?;
    for (key, value) in [
        ("user", user),
        ("password", password),
        ("host", host),
        ("port", port),
        ("dbname", path),
    ] {
        if !value.is_empty() {
            pairs.push((key.to_owned(), decode(key, value)?));
        }
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| ConfigError::new("url", "has a parameter without a value"))?;
        let key = decode("url", key)?;
        let value = decode(&key, value)?;
        pairs.push((key, value));
    }
    Ok(pairs)
}

fn host_port(place: &str) -> Result<(&str, &str), ConfigError> {
    if place.contains(',') {
        return Err(ConfigError::new(
            "host",
            "lists several hosts, expected one",
        ));
    }
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest
            .split_once(']')
            .ok_or_else(|| ConfigError::new("host", "has an opening [ without its ]"))?;
        return Ok((host, rest.strip_prefix(':').unwrap_or("")));
    }
    Ok(place.split_once(':').unwrap_or((place, "")))
}

/// Percent-decoding; a `%` that is not followed by two hex digits is an error, since it is
/// most often a password that was not encoded.
fn decode(key: &str, text: &str) -> Result<String, ConfigError> {
    let wrong = || {
        ConfigError::new(
            key,
            "in the URL has a % that is not followed by two hex digits; write % itself as %25",
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [
                rest.next().ok_or_else(wrong)?,
                rest.next().ok_or_else(wrong)?,
            ];
            let pair = std::str::from_utf8(&pair).map_err(|_| wrong())?;
            bytes.push(u8::from_str_radix(pair, 16).map_err(|_| wrong())?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| ConfigError::new(key, "in the URL is not valid UTF-8"))
}

/// libpq's `key = 'value'` text; inside quotes a backslash escapes.
fn key_value_pairs(text: &str) -> Result<Pairs, ConfigError> {
    let mut pairs = Pairs::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(pairs);
        }
        let mut key = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=' && !c.is_whitespace()) {
            key.push(c);
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.next() != Some('=') {
            return Err(ConfigError::new(
                "url",
                "is neither postgres://… nor key=value text",
            ));
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let quoted = chars.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match chars.next() {
                Some('\\') => value.extend(chars.next()),
                Some('\'') if quoted => break,
                Some(c) if c.is_whitespace() && !quoted => break,
                Some(c) => value.push(c),
                None if quoted => {
                    return Err(ConfigError::new(
                        key,
                        "has an opening quote without its end",
                    ));
                }
                None => break,
            }
        }
        pairs.push((key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Host, SslMode};
    use super::*;

    fn read(text: &str) -> Result<ConnectConfig, ConfigError> {
        ConnectConfig::from_url(text, &|_| None)
    }

    #[test]
    fn a_url_is_read_whole() {
        let config = read(
            "postgresql://al%40ice:p%3Aw@db.example.com:6543/shop?sslmode=verify-ca&connect_timeout=3",
        )
        .expect("reads");
        assert_eq!(config.user, "al@ice");
        assert_eq!(config.password, Some(Secret::new("p:w")));
        assert_eq!(config.host, Host::Tcp("db.example.com".into()));
        assert_eq!((config.port, config.dbname.as_str()), (6543, "shop"));
        assert_eq!(config.sslmode, SslMode::VerifyCa);
        assert_eq!(config.connect_timeout, Duration::from_secs(3));
    }

    #[test]
    fn a_socket_folder_may_be_a_parameter() {
        let config = read("postgres:///shop?host=/run/pg&user=me&port=5433").expect("reads");
        assert_eq!(config.host, Host::Socket("/run/pg".into()));
        assert_eq!(config.server_name(), "/run/pg/.s.PGSQL.5433");
    }

    #[test]
    fn key_value_text_is_read_with_its_quotes() {
        let config = read(r"host=h user = 'o\'hara' password='a b' dbname=d").expect("reads");
        assert_eq!(config.user, "o'hara");
        assert_eq!(config.password, Some(Secret::new("a b")));
    }

    #[test]
    fn an_ipv6_host_keeps_its_port() {
        let config = read("postgres://u@[::1]:6000/d").expect("reads");
        assert_eq!(config.host, Host::Tcp("::1".into()));
        assert_eq!(config.server_name(), "[::1]:6000");
    }

    #[test]
    fn the_environment_fills_what_the_url_leaves_out() {
        let env = |name: &str| (name == "PGPASSWORD").then(|| "pw".to_owned());
        let config = ConnectConfig::from_url("postgres://u@h/d", &env).expect("reads");
        assert_eq!(config.password, Some(Secret::new("pw")));
        let config = ConnectConfig::from_url("postgres://u:x@h/d", &env).expect("reads");
        assert_eq!(config.password, Some(Secret::new("x")));
    }

    #[test]
    fn an_error_never_repeats_the_url() {
        for text in [
            "mysql://u:hunter2@h/d",
            "postgres://u:hunter2%zz@h/d",
            "postgres://u:hunter2@h/d?nonsense=hunter2",
            "hunter2",
        ] {
            let error = read(text).expect_err("a mistake").to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
