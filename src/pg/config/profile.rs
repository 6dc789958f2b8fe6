//! A [`ConnectConfig`] from one output of `profiles.yml`, with dbt-postgres' key names.
//! Keys that are not about connecting (`schema`, `threads`, `type`) are passed over.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::super::secret::Secret;
use super::{ConfigError, ConnectConfig, Host};
use crate::limits;

impl ConnectConfig {
    /// Reads an output of `profiles.yml`. With `host: embedded`, `user` and `dbname` may be
    /// left out (`postgres` and `marts`).
    pub fn from_profile(output: &Map<String, Value>) -> Result<Self, ConfigError> {
        let keys = Keys(output);
        let host = host(&keys.text("host")?.ok_or_else(|| missing("host"))?);
        let embedded = host == Host::Embedded;
        let user = keys.text("user")?;
        let dbname = keys.first_text(&["dbname", "database"])?;
        let (user, dbname) = if embedded {
            (
                super::super::server::SUPERUSER.to_owned(),
                dbname.unwrap_or_else(|| super::super::server::DEFAULT_DATABASE.to_owned()),
            )
        } else {
            (
                user.ok_or_else(|| missing("user"))?,
                dbname.ok_or_else(|| missing("dbname"))?,
            )
        };
        let mut config = Self::new(host, user, dbname);
        config.password = keys.first_text(&["password", "pass"])?.map(Secret::new);
        config.session_keys(&keys)?;
        config.tls_keys(&keys)?;
        config.reach_keys(&keys)?;
        Ok(config)
    }

    fn reach_keys(&mut self, keys: &Keys<'_>) -> Result<(), ConfigError> {
        if let Some(port) = keys.number("port")? {
            self.port = u16::try_from(port)
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| {
                    ConfigError::new("port", format!("is {port}, expected 1 to 65535"))
                })?;
        }
        // dbt's 0 means the system's default.
        if let Some(seconds) = keys.number("keepalives_idle")? {
            self.keepalives_idle = (seconds > 0).then(|| Duration::from_secs(seconds));
        }
        if let Some(seconds) = keys.number("connect_timeout")? {
            self.connect_timeout = super::connect_timeout(seconds);
        }
        // dbt's `retries` is about connecting only; `connect_retries` says so.
        for key in ["retries", "connect_retries"] {
            if let Some(retries) = keys.number(key)? {
                self.retries = u32::try_from(retries).unwrap_or(u32::MAX);
            }
        }
        if let Some(retries) = keys.number("node_retries")? {
            self.node_retries = Some(u32::try_from(retries).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    fn session_keys(&mut self, keys: &Keys<'_>) -> Result<(), ConfigError> {
        self.search_path = keys
            .text("search_path")?
            .filter(|text| !text.trim().is_empty());
        self.role = keys.text("role")?.filter(|text| !text.is_empty());
        if let Some(name) = keys.text("application_name")? {
            self.application_name = name;
        }
        if let Some(text) = keys.text("options")? {
            super::url::options(self, &text)?;
        }
        // A key of its own wins over `options`.
        self.limits(keys)
    }

    fn limits(&mut self, keys: &Keys<'_>) -> Result<(), ConfigError> {
        self.statement_timeout = keys.duration("statement_timeout", self.statement_timeout)?;
        self.lock_timeout = keys.duration("lock_timeout", self.lock_timeout)?;
        self.idle_in_transaction_session_timeout = keys.duration(
            "idle_in_transaction_session_timeout",
            self.idle_in_transaction_session_timeout,
        )?;
        Ok(())
    }

    fn tls_keys(&mut self, keys: &Keys<'_>) -> Result<(), ConfigError> {
        if let Some(word) = keys.text("sslmode")? {
            self.sslmode = super::sslmode("sslmode", &word)?;
        }
        self.sslrootcert = keys.text("sslrootcert")?.map(PathBuf::from);
        self.sslcert = keys.text("sslcert")?.map(PathBuf::from);
        self.sslkey = keys.text("sslkey")?.map(PathBuf::from);
        Ok(())
    }
}

/// Where a `host` value points: a folder when it is a path, as in libpq.
pub(super) fn host(text: &str) -> Host {
    if text == "embedded" {
        Host::Embedded
    } else if text.starts_with('/') {
        Host::Socket(PathBuf::from(text))
    } else {
        Host::Tcp(text.to_owned())
    }
}

fn missing(key: &str) -> ConfigError {
    ConfigError::new(key, "is missing from the profile's output")
}

struct Keys<'a>(&'a Map<String, Value>);

impl Keys<'_> {
    /// A key's text; numbers count as text, since YAML reads `password: 1234` as one.
    fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(ConfigError::new(
                key,
                format!("is {}, expected text", kind(other)),
            )),
        }
    }

    fn first_text(&self, keys: &[&str]) -> Result<Option<String>, ConfigError> {
        for key in keys {
            if let Some(text) = self.text(key)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// A key's whole number, not negative; text of digits counts, since `env_var` gives text.
    fn number(&self, key: &str) -> Result<Option<u64>, ConfigError> {
        let found = match self.0.get(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Number(number)) => {
                if let Some(number) = number.as_u64() {
                    return Ok(Some(number));
                }
                number.to_string()
            }
            Some(Value::String(text)) => {
                if let Ok(number) = text.trim().parse() {
                    return Ok(Some(number));
                }
                format!("`{text}`")
            }
            Some(other) => kind(other).to_owned(),
        };
        Err(ConfigError::new(
            key,
            format!("is {found}, expected a whole number, zero or more"),
        ))
    }

    /// A time limit of sessions; zero lifts one that the role or the server has.
    fn duration(
        &self,
        key: &str,
        otherwise: Option<Duration>,
    ) -> Result<Option<Duration>, ConfigError> {
        let Some(text) = self.text(key)? else {
            return Ok(otherwise);
        };
        limits::parse(&text).map(Some).ok_or_else(|| {
            ConfigError::new(key, format!("is `{text}`, expected {}", limits::SPELLING))
        })
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use super::super::SslMode;
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<ConnectConfig, ConfigError> {
        ConnectConfig::from_profile(value.as_object().expect("a mapping"))
    }

    #[test]
    fn a_dbt_profile_is_read_whole() {
        let config = read(json!({
            "type": "postgres", "host": "db.example.com", "user": "alice", "pass": 1234,
            "port": "6543", "database": "shop", "schema": "dev", "threads": 4,
            "keepalives_idle": 0, "connect_timeout": 30, "retries": 3,
            "search_path": "a, b", "role": "owner", "sslmode": "verify-full",
            "sslrootcert": "/ca.pem", "statement_timeout": "5min",
        }))
        .expect("reads");
        assert_eq!(config.host, Host::Tcp("db.example.com".into()));
        assert_eq!(config.port, 6543);
        assert_eq!(config.password, Some(Secret::new("1234")));
        assert_eq!(config.dbname, "shop");
        assert_eq!(config.keepalives_idle, None);
        assert_eq!(config.connect_timeout, Duration::from_secs(30));
        assert_eq!(config.retries, 3);
        assert_eq!(config.role.as_deref(), Some("owner"));
        assert_eq!(config.sslmode, SslMode::VerifyFull);
        assert_eq!(config.statement_timeout, Some(Duration::from_secs(300)));
        assert!(!format!("{config:?}").contains("1234"));
    }

    #[test]
    fn an_embedded_profile_needs_nothing_else() {
        let config = read(json!({"host": "embedded"})).expect("reads");
        assert!(config.is_embedded());
        assert_eq!(config.dbname, "marts");
    }

    #[test]
    fn a_mistake_names_its_key() {
        let base = json!({"host": "h", "user": "u", "dbname": "d"});
        let with = |key: &str, value: Value| {
            let mut output = base.as_object().expect("a mapping").clone();
            output.insert(key.to_owned(), value);
            ConnectConfig::from_profile(&output)
                .expect_err("a mistake")
                .to_string()
        };
        assert_eq!(
            with("port", json!("abc")),
            "`port` is `abc`, expected a whole number, zero or more"
        );
        assert_eq!(
            with("port", json!(70000)),
            "`port` is 70000, expected 1 to 65535"
        );
        assert_eq!(
            with("sslmode", json!("verify_full")),
            "`sslmode` is `verify_full`, expected one of disable, allow, prefer, require, \
             verify-ca, verify-full; did you mean `verify-full`?"
        );
        assert_eq!(
            with("user", json!(null)),
            "`user` is missing from the profile's output"
        );
        assert_eq!(
            with("password", json!([1])),
            "`password` is a list, expected text"
        );
    }
}
