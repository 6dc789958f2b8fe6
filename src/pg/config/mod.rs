//! How to reach a database: built from a profile's output, a URL or libpq's `key=value`
//! text. Holds the password only as a [`Secret`]; every mistake names its key.

mod profile;
mod url;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::secret::Secret;

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name or address, by TCP.
    Tcp(String),
    /// The folder that holds the server's Unix socket.
    Socket(PathBuf),
    /// The private server of the project; [`super::server::ensure`] says where its socket is.
    Embedded,
}

/// libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// Without TLS first, with TLS if the server refuses that.
    Allow,
    /// With TLS first, without if the server has none or refuses it.
    #[default]
    Prefer,
    /// TLS; the certificate is checked only if `sslrootcert` is given (as libpq does).
    Require,
    /// TLS, and the certificate leads to a trusted root.
    VerifyCa,
    /// Likewise, and it is for this host.
    VerifyFull,
}

impl SslMode {
    /// All of them, in libpq's order.
    pub const ALL: [Self; 6] = [
        Self::Disable,
        Self::Allow,
        Self::Prefer,
        Self::Require,
        Self::VerifyCa,
        Self::VerifyFull,
    ];

    /// libpq's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

/// Below the ten minutes or less after which firewalls and load balancers drop quiet connections:
/// a long statement says nothing on the wire.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(60);

/// Nothing of ours idles in a transaction, unless this process is suspended; then its locks
/// must not stay for ever.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(600);

/// What is wrong with a profile or URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {problem}")]
pub struct ConfigError {
    /// The profile's key, as the user wrote it; `url` for a URL as a whole.
    pub key: String,
    /// What is wrong with it; reads on after the key.
    pub problem: String,
}

impl ConfigError {
    fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            problem: problem.into(),
        }
    }
}

/// Everything that a connection needs to be made and set up.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectConfig {
    /// Where the server is.
    pub host: Host,
    /// Its port; for a socket, the number in the socket's name.
    pub port: u16,
    /// The role that logs in.
    pub user: String,
    /// Its password.
    pub password: Option<Secret>,
    /// The database.
    pub dbname: String,
    /// Whether and how TLS is used; ignored for sockets, as libpq does.
    pub sslmode: SslMode,
    /// Trusted roots in PEM; the path `system` means the system's own.
    pub sslrootcert: Option<PathBuf>,
    /// The client's certificate in PEM.
    pub sslcert: Option<PathBuf>,
    /// Its key in PEM.
    pub sslkey: Option<PathBuf>,
    /// `search_path` of each session.
    pub search_path: Option<String>,
    /// `SET ROLE` of each session.
    pub role: Option<String>,
    /// Idle time before TCP keepalives; `None` is the driver's default of two hours.
    pub keepalives_idle: Option<Duration>,
    /// For one attempt, from the first packet to a session that is set up.
    pub connect_timeout: Duration,
    /// Further attempts to connect after a transient failure.
    pub retries: u32,
    /// Further attempts of a node whose transaction failed for the server's sake (`node_retries`);
    /// the node's own config wins.
    pub node_retries: Option<u32>,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
    /// `statement_timeout` of each session.
    pub statement_timeout: Option<Duration>,
    /// `lock_timeout` of each session.
    pub lock_timeout: Option<Duration>,
    /// `idle_in_transaction_session_timeout` of each session.
    pub idle_in_transaction_session_timeout: Option<Duration>,
}

impl ConnectConfig {
    /// A configuration with nothing but the place, the role and the database.
    pub fn new(host: Host, user: impl Into<String>, dbname: impl Into<String>) -> Self {
        Self {
            host,
            port: 5432,
            user: user.into(),
            password: None,
            dbname: dbname.into(),
            sslmode: SslMode::default(),
            sslrootcert: None,
            sslcert: None,
            sslkey: None,
            search_path: None,
            role: None,
            keepalives_idle: Some(KEEPALIVES_IDLE),
            connect_timeout: Duration::from_secs(10),
            retries: 1,
            node_retries: None,
            application_name: "marts".to_owned(),
            statement_timeout: None,
            lock_timeout: None,
            idle_in_transaction_session_timeout: Some(IDLE_IN_TRANSACTION),
        }
    }

    /// The same server and role with another database.
    #[must_use]
    pub fn with_dbname(self, dbname: impl Into<String>) -> Self {
        Self {
            dbname: dbname.into(),
            ..self
        }
    }

    /// Whether the project's private server is meant.
    pub fn is_embedded(&self) -> bool {
        self.host == Host::Embedded
    }

    /// The server for people, without user or password: `db.example.com:5432`.
    pub fn server_name(&self) -> String {
        match &self.host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]:{}", self.port),
            Host::Tcp(name) => format!("{name}:{}", self.port),
            Host::Socket(dir) => format!("{}", dir.join(self.socket_file()).display()),
            Host::Embedded => "the private server".to_owned(),
        }
    }

    fn socket_file(&self) -> String {
        format!(".s.PGSQL.{}", self.port)
    }
}

impl fmt::Debug for ConnectConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectConfig")
            .field("server", &self.server_name())
            .field("user", &self.user)
            .field("dbname", &self.dbname)
            .field("sslmode", &self.sslmode)
            .finish_non_exhaustive()
    }
}

/// libpq takes 0 for "wait for ever" and raises 1 to 2; a day stands for ever here.
fn connect_timeout(seconds: u64) -> Duration {
    match seconds {
        0 => Duration::from_secs(86_400),
        seconds => Duration::from_secs(seconds),
    }
}

fn sslmode(key: &str, word: &str) -> Result<SslMode, ConfigError> {
    SslMode::parse(word).ok_or_else(|| {
        let words = SslMode::ALL.map(SslMode::as_str);
        let nearest = crate::diag::nearest(word, words)
            .map(|word| format!("; did you mean `{word}`?"))
            .unwrap_or_default();
        ConfigError::new(
            key,
            format!("is `{word}`, expected one of {}{nearest}", words.join(", ")),
        )
    })
}
