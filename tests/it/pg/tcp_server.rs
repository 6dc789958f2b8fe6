//! A server on TCP with passwords and, if wanted, TLS: made of a private server's data
//! folder, started with settings of its own. Ends with the test process.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use marts::pg::server::{self, Options};
use marts::pg::{ConnectConfig, Host, Pool, Secret, SslMode};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::support::server::{Watcher, temp_folder, watch};

/// Who may log in: `plain_only` and `tls_only` in one way, `by_cert` with a certificate.
const HBA: &str = "\
local     all all trust
hostssl   all plain_only localhost reject
host      all plain_only localhost trust
hostnossl all tls_only localhost reject
hostssl   all by_cert localhost cert
host      all all localhost scram-sha-256
";

const ROLES: &str = "\
create role alice login password 's3cret';
create role plain_only login; create role tls_only login password 's3cret';
create role by_cert login; create role owner; grant owner to alice;
alter role alice connection limit 50;";

pub(crate) struct TcpServer {
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    child: Child,
    _watcher: Option<Watcher>,
}

/// One with TLS for all tests.
pub(crate) fn with_tls() -> &'static TcpServer {
    static SERVER: OnceLock<TcpServer> = OnceLock::new();
    SERVER.get_or_init(|| TcpServer::start(true))
}

/// One without.
pub(crate) fn without_tls() -> &'static TcpServer {
    static SERVER: OnceLock<TcpServer> = OnceLock::new();
    SERVER.get_or_init(|| TcpServer::start(false))
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("binds");
    listener.local_addr().expect("an address").port()
}

impl TcpServer {
    pub(crate) fn start(tls: bool) -> Self {
        let folder = temp_folder("marts-tcp-");
        let watcher = watch(&folder);
        let mut options = Options::new(&folder, "postgres");
        options.base = Some(folder.join("pg"));
        options.small = true;
        let running = server::ensure_server(&options).expect("a private server");
        crate::support::server::run_on(&running, ROLES);
        drop(running);
        fs::write(folder.join("hba"), HBA).expect("writes");
        if tls {
            certificates(&folder);
        }
        let mut server = Self::on_port(&folder, free_port());
        server._watcher = Some(watcher);
        server
    }

    /// Starts the server of a folder that an earlier one has left.
    pub(crate) fn on_port(folder: &Path, port: u16) -> Self {
        let binaries = server::binaries::find(None, None).expect("is installed");
        let data = folder.join("pg/data");
        let mut command = Command::new(binaries.program("postgres"));
        command.arg("-D").arg(&data).current_dir(folder);
        for setting in settings(folder, port) {
            command.args(["-c", &setting]);
        }
        if super::helper::is_root() {
            let owner = fs::metadata(&data).expect("is there");
            command.uid(owner.uid()).gid(owner.gid());
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).expect("a log"))
            .process_group(0)
            .spawn()
            .expect("postgres starts");
        let server = Self {
            folder: folder.to_owned(),
            port,
            child,
            _watcher: None,
        };
        server.wait();
        server
    }

    fn wait(&self) {
        while std::net::TcpStream::connect(("localhost", self.port)).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let pid_file = self.folder.join("pg/data/postmaster.pid");
        while !fs::read_to_string(&pid_file).is_ok_and(|text| text.contains("\nready")) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// `alice` with her password.
    pub(crate) fn config(&self, sslmode: SslMode) -> ConnectConfig {
        let mut config = ConnectConfig::new(Host::Tcp("localhost".into()), "alice", "postgres");
        config.port = self.port;
        config.password = Some(Secret::new("s3cret"));
        config.sslmode = sslmode;
        config.retries = 0;
        config
    }

    /// A file of its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn stop(&mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("ends");
    }
}

/// Whether the connection that the configuration makes is encrypted.
pub(crate) async fn is_encrypted(config: ConnectConfig) -> Result<bool, marts::pg::PgError> {
    let connection = Pool::new(config, 1)?.get().await?;
    let rows = connection
        .query("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
        .await?;
    Ok(rows.rows[0][0].as_deref() == Some("t"))
}

fn settings(folder: &Path, port: u16) -> Vec<String> {
    let file = |name: &str, file: &str| format!("{name}={}", folder.join(file).display());
    let mut settings = vec![
        "listen_addresses=localhost".to_owned(),
        format!("port={port}"),
        "shared_buffers=16MB".to_owned(),
        file("unix_socket_directories", "pg/socket"),
        file("hba_file", "hba"),
    ];
    if folder.join("server.crt").exists() {
        settings.push("ssl=on".to_owned());
        settings.push(file("ssl_cert_file", "server.crt"));
        settings.push(file("ssl_key_file", "server.key"));
        settings.push(file("ssl_ca_file", "ca.crt"));
    }
    settings
}

/// `ca.crt` signs `server.crt` (for localhost only) and `client.crt` (for `by_cert`);
/// `other.crt` has signed neither.
fn certificates(folder: &Path) {
    let owner = fs::metadata(folder.join("pg/data")).expect("is there");
    let authority = |name: &str| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = rcgen::DnValue::from(name);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signs")
    };
    let ca = authority("ca.test");
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).expect("writes");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("protects");
        if super::helper::is_root() {
            chown(&path, Some(owner.uid()), Some(owner.gid())).expect("gives");
        }
    };
    write("ca.crt", ca.pem());
    write("other.crt", authority("other.test").pem());
    for (file, name) in [("server", "localhost"), ("client", "by_cert")] {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, rcgen::DnValue::from(name));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &ca).expect("signs");
        write(&format!("{file}.crt"), certificate.pem());
        write(&format!("{file}.key"), key.serialize_pem());
    }
}
