//! Making one connection: the sslmode's attempts in their order, one time limit over all of
//! it, and the session set up in one round trip.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::ClientWrapper;
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, NoTls, SimpleQueryMessage, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::config::{ConnectConfig, Host, SslMode};
use super::error::PgError;
use crate::names::quote_literal;

/// What the server said beside its answers, for example by `raise notice`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`.
    pub severity: String,
    /// The SQLSTATE.
    pub sqlstate: String,
    /// The text.
    pub message: String,
}

/// A peer that answers none of these is gone.
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVES_RETRIES: u32 = 4;

/// Older notices give way beyond this many.
const NOTICES_KEPT: usize = 1_000;

pub(super) type Notices = Arc<Mutex<VecDeque<Notice>>>;

/// A made connection, set up, as the pool keeps it.
pub(super) struct Made {
    pub(super) client: ClientWrapper,
    pub(super) notices: Notices,
    /// The backend's process id when the session was set up.
    pub(super) backend: i32,
    /// For example 150004.
    pub(super) server_version: u32,
    /// When it was last cleaned, until somebody uses it.
    pub(super) cleaned: Option<Instant>,
}

/// How to connect: a configuration with its certificates read.
pub(super) struct Connector {
    pub(super) config: ConnectConfig,
    tls: Option<MakeRustlsConnect>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Plain,
    /// TLS, if the server has it.
    Offered,
    Tls,
}

impl Connector {
    pub(super) fn new(config: ConnectConfig) -> Result<Self, PgError> {
        let no_tls = config.sslmode == SslMode::Disable || !matches!(config.host, Host::Tcp(_));
        let tls = match no_tls {
            true => None,
            false => Some(super::tls::connector(&config)?),
        };
        Ok(Self { config, tls })
    }

    /// One connection, without repeats.
    pub(super) async fn connect(&self) -> Result<Made, PgError> {
        let after = self.config.connect_timeout;
        tokio::time::timeout(after, self.attempts())
            .await
            .map_err(|_| PgError::ConnectTimeout {
                server: self.config.server_name(),
                after,
            })?
    }

    async fn attempts(&self) -> Result<Made, PgError> {
        let Some(tls) = &self.tls else {
            return self.attempt(NoTls, Attempt::Plain).await;
        };
        let (first, second) = match self.config.sslmode {
            SslMode::Disable => (Attempt::Plain, None),
            SslMode::Allow => (Attempt::Plain, Some(Attempt::Tls)),
            SslMode::Prefer => (Attempt::Offered, Some(Attempt::Plain)),
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => (Attempt::Tls, None),
        };
        let error = match self.attempt(tls.clone(), first).await {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        match second {
            Some(second) if is_about_tls(&error) => {
                // What the server says of its own choice tells more than "no TLS here".
                match self.attempt(tls.clone(), second).await {
                    Err(PgError::Tls { .. }) => Err(error),
                    other => other,
                }
            }
            _ => Err(error),
        }
    }

    async fn attempt<T>(&self, tls: T, attempt: Attempt) -> Result<Made, PgError>
    where
        T: MakeTlsConnect<Socket> + Send,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let server = self.config.server_name();
        let (client, connection) = self
            .driver_config(attempt)
            .connect(tls)
            .await
            .map_err(|error| PgError::from_driver(&error, &server, None))?;
        let server_version = connection.parameter("server_version").map_or(0, version);
        let notices = Notices::default();
        let task = drive(connection, Arc::clone(&notices));
        let client = ClientWrapper::new(client, task);
        let backend = self.set_up(&client).await?;
        Ok(Made {
            client,
            notices,
            backend,
            server_version,
            cleaned: None,
        })
    }

    fn driver_config(&self, attempt: Attempt) -> tokio_postgres::Config {
        let config = &self.config;
        let mut driver = tokio_postgres::Config::new();
        match &config.host {
            Host::Tcp(name) => driver.host(name),
            Host::Socket(dir) => driver.host_path(dir),
            Host::Embedded => driver.host("embedded"),
        };
        driver
            .port(config.port)
            .user(&config.user)
            .dbname(&config.dbname)
            .application_name(&config.application_name)
            .ssl_mode(match attempt {
                Attempt::Plain => tokio_postgres::config::SslMode::Disable,
                Attempt::Offered => tokio_postgres::config::SslMode::Prefer,
                Attempt::Tls => tokio_postgres::config::SslMode::Require,
            });
        if let Some(password) = &config.password {
            driver.password(password.reveal());
        }
        if let Some(idle) = config.keepalives_idle {
            driver
                .keepalives_idle(idle)
                .keepalives_interval(KEEPALIVES_INTERVAL)
                .keepalives_retries(KEEPALIVES_RETRIES);
        }
        driver
    }

    /// Sets the session up and gives the backend's process id. Also used to bring a used
    /// session back to this state.
    pub(super) async fn set_up(&self, client: &ClientWrapper) -> Result<i32, PgError> {
        self.backend_of(client, &self.set_up_sql()).await
    }

    /// Runs SQL whose last row is the backend's process id.
    pub(super) async fn backend_of(
        &self,
        client: &ClientWrapper,
        sql: &str,
    ) -> Result<i32, PgError> {
        let server = self.config.server_name();
        let messages = client
            .simple_query(sql)
            .await
            .map_err(|error| PgError::from_driver(&error, &server, Some(sql)))?;
        let last_row = messages.iter().rev().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        last_row
            .and_then(|row| row.get(0))
            .and_then(|pid| pid.parse().ok())
            .ok_or_else(|| PgError::Protocol("the server did not say its process id".to_owned()))
    }

    /// One statement. `role` comes last: a role without rights to a setting must not stop it.
    pub(super) fn set_up_sql(&self) -> String {
        let config = &self.config;
        let millis = |limit: &Option<Duration>| limit.map(|limit| limit.as_millis().to_string());
        let settings = [
            ("application_name", Some(config.application_name.clone())),
            ("client_min_messages", Some("notice".to_owned())),
            ("search_path", config.search_path.clone()),
            ("statement_timeout", millis(&config.statement_timeout)),
            ("lock_timeout", millis(&config.lock_timeout)),
            (
                "idle_in_transaction_session_timeout",
                millis(&config.idle_in_transaction_session_timeout),
            ),
            ("role", config.role.clone()),
        ];
        let mut sql = "select pg_catalog.pg_backend_pid()".to_owned();
        for (name, value) in settings {
            if let Some(value) = value {
                let value = quote_literal(&value);
                sql.push_str(&format!(
                    ", pg_catalog.set_config('{name}', {value}, false)"
                ));
            }
        }
        // So that a statement ends soon after its client died; other systems may refuse it.
        sql.push_str(
            ", case when pg_catalog.version() like '%linux%' then \
             pg_catalog.set_config('client_connection_check_interval', '2s', false) end",
        );
        sql
    }

    /// Asks the server to stop what a session runs.
    pub(super) async fn cancel(&self, token: &tokio_postgres::CancelToken) -> Result<(), PgError> {
        let cancelled = match &self.tls {
            Some(tls) => token.cancel_query(tls.clone()).await,
            None => token.cancel_query(NoTls).await,
        };
        let server = self.config.server_name();
        cancelled.map_err(|error| PgError::from_driver(&error, &server, None))
    }
}

/// Whether another kind of connection may be let in: TLS failed, or `pg_hba.conf` has no
/// entry for this kind (28000).
fn is_about_tls(error: &PgError) -> bool {
    matches!(error, PgError::Tls { .. }) || error.sqlstate() == Some("28000")
}

/// Moves the connection's bytes until it ends, keeping notices.
fn drive<T>(
    mut connection: tokio_postgres::Connection<Socket, T>,
    notices: Notices,
) -> JoinHandle<()>
where
    T: tokio_postgres::tls::TlsStream + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            match message {
                Ok(AsyncMessage::Notice(notice)) => keep(&notices, &notice),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "a connection ended");
                    return;
                }
            }
        }
    })
}

fn keep(notices: &Notices, notice: &tokio_postgres::error::DbError) {
    let mut kept = notices.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() == NOTICES_KEPT {
        kept.pop_front();
    }
    kept.push_back(Notice {
        severity: notice.severity().to_owned(),
        sqlstate: notice.code().code().to_owned(),
        message: notice.message().to_owned(),
    });
}

/// `15.4 (Debian …)` as 150004, `16beta1` as 160000.
fn version(text: &str) -> u32 {
    let number = |text: Option<&str>| -> u32 {
        let digits: String = text
            .unwrap_or("")
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse().unwrap_or(0)
    };
    let mut parts = text.split('.');
    number(parts.next()) * 10_000 + number(parts.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_versions_are_numbers() {
        assert_eq!(version("15.4 (Debian 15.4-1)"), 150_004);
        assert_eq!(version("16beta1"), 160_000);
    }

    #[test]
    fn a_session_is_set_up_by_one_statement() {
        let mut config = ConnectConfig::new(Host::Tcp("h".into()), "u", "d");
        config.search_path = Some("a, \"b'c\"".into());
        config.role = Some("owner".into());
        config.sslmode = SslMode::Disable;
        let connector = Connector::new(config).expect("needs no files");
        let sql = connector.set_up_sql();
        assert!(
            sql.starts_with("select pg_catalog.pg_backend_pid(), "),
            "{sql}"
        );
        for setting in [
            "set_config('application_name', 'marts', false)",
            "set_config('search_path', 'a, \"b''c\"', false)",
            "set_config('role', 'owner', false)",
        ] {
            assert!(sql.contains(setting), "{sql}");
        }
        assert!(!sql.contains(';'), "{sql}");
    }
}
