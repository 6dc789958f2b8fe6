//! Connecting: every sslmode against servers with and without TLS, refusals, limits, and
//! what a session is set up with.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use marts::pg::{ConnectConfig, Host, PgError, Pool, Secret, SslMode};

use super::tcp_server::{TcpServer, free_port, is_encrypted, with_tls, without_tls};
use crate::support::TestDb;

fn as_user(config: ConnectConfig, user: &str) -> ConnectConfig {
    ConnectConfig {
        user: user.to_owned(),
        ..config
    }
}

/// The configuration's error, as the user reads it: code and message.
async fn refusal(config: ConnectConfig) -> (String, PgError) {
    let error = match Pool::new(config, 1) {
        Ok(pool) => pool.get().await.map(|_| ()).expect_err("refused"),
        Err(error) => error,
    };
    (error.diagnostic(None).code.to_string(), error)
}

#[tokio::test]
async fn each_sslmode_meets_a_server_with_tls() {
    let server = with_tls();
    let trusting = |mode| ConnectConfig {
        sslrootcert: Some(server.file("ca.crt")),
        ..server.config(mode)
    };
    let cases = [
        (server.config(SslMode::Disable), false),
        (server.config(SslMode::Allow), false),
        (server.config(SslMode::Prefer), true),
        (server.config(SslMode::Require), true),
        (trusting(SslMode::Require), true),
        (trusting(SslMode::VerifyCa), true),
        (trusting(SslMode::VerifyFull), true),
    ];
    for (config, expected) in cases {
        let mode = config.sslmode;
        let encrypted = is_encrypted(config).await.expect("connects");
        assert_eq!(encrypted, expected, "{}", mode.as_str());
    }
}

#[tokio::test]
async fn each_sslmode_meets_a_server_without_tls() {
    let server = without_tls();
    for mode in [SslMode::Disable, SslMode::Allow, SslMode::Prefer] {
        let encrypted = is_encrypted(server.config(mode)).await.expect("connects");
        assert!(!encrypted, "{}", mode.as_str());
    }
    let (code, error) = refusal(server.config(SslMode::Require)).await;
    assert_eq!(code, "db-tls");
    assert!(
        error.to_string().contains("does not support TLS"),
        "{error}"
    );
}

#[tokio::test]
async fn allow_and_prefer_fall_back_to_the_other_kind() {
    let server = with_tls();
    let tls_only = |mode| as_user(server.config(mode), "tls_only");
    let plain_only = |mode| as_user(server.config(mode), "plain_only");
    assert!(
        is_encrypted(tls_only(SslMode::Allow))
            .await
            .expect("with TLS")
    );
    assert!(
        !is_encrypted(plain_only(SslMode::Prefer))
            .await
            .expect("without")
    );
    for refused in [tls_only(SslMode::Disable), plain_only(SslMode::Require)] {
        let (code, error) = refusal(refused).await;
        assert_eq!(
            (code.as_str(), error.sqlstate()),
            ("db-login", Some("28000"))
        );
    }
}

#[tokio::test]
async fn certificates_are_verified_as_far_as_the_sslmode_says() {
    let server = with_tls();
    let with_root = |mode, root: &str, host: &str| ConnectConfig {
        sslrootcert: Some(server.file(root)),
        host: Host::Tcp(host.to_owned()),
        ..server.config(mode)
    };
    // An address that the certificate does not name.
    is_encrypted(with_root(SslMode::VerifyCa, "ca.crt", "127.0.0.1"))
        .await
        .expect("the name is not looked at");
    let (code, error) = refusal(with_root(SslMode::VerifyFull, "ca.crt", "127.0.0.1")).await;
    assert_eq!(code, "db-tls");
    assert!(error.to_string().contains("not valid for name"), "{error}");
    for mode in [SslMode::Require, SslMode::VerifyCa, SslMode::VerifyFull] {
        let (code, error) = refusal(with_root(mode, "other.crt", "localhost")).await;
        assert_eq!(code, "db-tls", "{}", mode.as_str());
        let hint = error.diagnostic(None).hint.expect("a hint");
        assert!(hint.contains("sslrootcert"), "{hint}");
    }
    // A certificate of the server itself is trusted as it is.
    is_encrypted(with_root(SslMode::VerifyFull, "server.crt", "localhost"))
        .await
        .expect("the same");
    let (_, error) = refusal(with_root(SslMode::VerifyFull, "server.crt", "127.0.0.1")).await;
    assert!(matches!(error, PgError::Tls { .. }), "{error}");
}

#[tokio::test]
async fn a_client_certificate_logs_in() {
    let server = with_tls();
    let with_cert = |cert: Option<&str>| ConnectConfig {
        sslcert: cert.map(|_| server.file("client.crt")),
        sslkey: cert.map(|key| server.file(key)),
        password: None,
        ..as_user(server.config(SslMode::Require), "by_cert")
    };
    assert!(
        is_encrypted(with_cert(Some("client.key")))
            .await
            .expect("logs in")
    );
    let (code, error) = refusal(with_cert(None)).await;
    assert_eq!(code, "db-login", "{error}");
    let (code, error) = refusal(with_cert(Some("missing.key"))).await;
    assert_eq!(code, "db-config");
    assert!(error.to_string().starts_with("`sslkey` names "), "{error}");
}

#[tokio::test]
async fn what_the_server_refuses_is_told_without_the_password() {
    let server = without_tls();
    let config = || server.config(SslMode::Disable);
    let wrong = ConnectConfig {
        password: Some(Secret::new("hunter2")),
        ..config()
    };
    let (code, error) = refusal(wrong).await;
    assert_eq!(
        (code.as_str(), error.sqlstate()),
        ("db-login", Some("28P01"))
    );
    assert!(!format!("{error} {error:?} {:?}", error.diagnostic(None)).contains("hunter2"));
    assert!(!error.is_transient());
    let (code, error) = refusal(config().with_dbname("nothing")).await;
    assert_eq!(
        (code.as_str(), error.sqlstate()),
        ("db-login", Some("3D000"))
    );
    let none = ConnectConfig {
        password: None,
        ..config()
    };
    let (_, error) = refusal(none).await;
    assert!(error.to_string().contains("password"), "{error}");
    let role = ConnectConfig {
        role: Some("nobody_knows".into()),
        ..config()
    };
    let (_, error) = refusal(role).await;
    assert_eq!(error.sqlstate(), Some("22023"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_down_is_told_at_once() {
    let mut config = ConnectConfig::new(Host::Tcp("127.0.0.1".into()), "u", "d");
    config.port = free_port();
    let (code, error) = refusal(config).await;
    assert_eq!(code, "db-connect");
    assert!(
        matches!(
            error,
            PgError::Unreachable {
                kind: ErrorKind::ConnectionRefused,
                ..
            }
        ),
        "{error:?}"
    );
    let socket = ConnectConfig::new(Host::Socket("/nowhere".into()), "u", "d");
    let (code, error) = refusal(socket).await;
    assert_eq!(code, "db-connect");
    assert_eq!(
        error.to_string(),
        "cannot reach /nowhere/.s.PGSQL.5432: No such file or directory"
    );
    let unknown = ConnectConfig::new(Host::Tcp("no-such-host.invalid".into()), "u", "d");
    let (code, error) = refusal(unknown).await;
    assert_eq!(code, "db-connect", "{error}");
}

#[tokio::test]
async fn a_silent_server_is_given_up_on() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("binds");
    let mut config = ConnectConfig::new(Host::Tcp("127.0.0.1".into()), "u", "d");
    config.port = listener.local_addr().expect("an address").port();
    config.connect_timeout = Duration::from_millis(100);
    config.retries = 1;
    let (code, error) = refusal(config).await;
    assert_eq!(code, "db-connect");
    assert!(matches!(error, PgError::ConnectTimeout { .. }), "{error:?}");
}

#[tokio::test]
async fn retries_outlast_a_server_that_comes_back() {
    let mut server = TcpServer::start(false);
    let config = ConnectConfig {
        retries: 1_000,
        ..server.config(SslMode::Disable)
    };
    server.stop();
    let pool = Pool::new(config, 1).expect("needs no files");
    let connecting = tokio::spawn(async move { pool.get().await.map(|_| ()) });
    let port = server.port;
    // Another server takes the port over.
    let folder = server.folder.clone();
    let again = tokio::task::spawn_blocking(move || TcpServer::on_port(&folder, port));
    connecting
        .await
        .expect("does not panic")
        .expect("connects in the end");
    again.await.expect("does not panic").stop();
}

#[tokio::test]
async fn a_session_is_set_up_as_configured() {
    let server = without_tls();
    let config = ConnectConfig {
        role: Some("owner".into()),
        search_path: Some("a, \"B c\"".into()),
        application_name: "marts test".into(),
        statement_timeout: Some(Duration::from_secs(90)),
        lock_timeout: Some(Duration::from_secs(5)),
        idle_in_transaction_session_timeout: Some(Duration::from_secs(60)),
        keepalives_idle: Some(Duration::from_secs(30)),
        ..server.config(SslMode::Disable)
    };
    let pool = Pool::new(config, 1).expect("needs no files");
    let ask = "select current_user, session_user, current_setting('search_path'), \
               current_setting('application_name'), current_setting('statement_timeout'), \
               current_setting('lock_timeout'), \
               current_setting('idle_in_transaction_session_timeout')";
    let expected = [
        "owner",
        "alice",
        "a, \"B c\"",
        "marts test",
        "90s",
        "5s",
        "1min",
    ];
    // The second time it is the same session, cleaned.
    for _ in 0..2 {
        let connection = pool.get().await.expect("connects");
        let rows = connection.query(ask).await.expect("runs");
        let values: Vec<_> = rows.rows[0].iter().flatten().map(String::as_str).collect();
        assert_eq!(values, expected);
        connection
            .execute("reset role; set search_path = x; set statement_timeout = 1")
            .await
            .expect("runs");
    }
}

#[tokio::test]
async fn timeouts_end_statements_and_waits() {
    let db = TestDb::new();
    let config = ConnectConfig {
        statement_timeout: Some(Duration::from_millis(50)),
        ..db.config()
    };
    let pool = Pool::new(config, 1).expect("needs no files");
    let error = pool
        .get()
        .await
        .expect("connects")
        .execute("select pg_sleep(60)")
        .await
        .expect_err("times out");
    assert_eq!(error.sqlstate(), Some("57014"));
    let hint = error.diagnostic(None).hint.expect("a hint");
    assert!(hint.contains("statement_timeout"), "{hint}");

    let holder = db.connect().await;
    holder
        .execute("create table t (a int); commit; begin; lock table t")
        .await
        .expect("locks");
    let config = ConnectConfig {
        lock_timeout: Some(Duration::from_millis(50)),
        ..db.config()
    };
    let waiter = Pool::new(config, 1)
        .expect("needs no files")
        .get()
        .await
        .expect("connects");
    let error = waiter
        .execute("select * from t")
        .await
        .expect_err("times out");
    assert_eq!(error.sqlstate(), Some("55P03"));
    assert!(error.is_transient());
}

#[tokio::test]
async fn sessions_that_are_kept_pass_the_check() {
    let db = TestDb::new();
    let pool = db.pool(2);
    pool.check_sessions_are_kept().await.expect("no proxy here");
    assert!(!pool.has_moved());
}

#[tokio::test]
async fn a_cancel_goes_over_tls_too() {
    let server = with_tls();
    let pool = Pool::new(server.config(SslMode::Require), 2).expect("needs no files");
    let connection = pool.get().await.expect("connects");
    let watcher = pool.get().await.expect("connects");
    let token = connection.cancel_token();
    let active = format!(
        "select 1 from pg_stat_activity where pid = {} and state = 'active'",
        connection.backend()
    );
    let (ran, ()) = tokio::join!(connection.execute("select pg_sleep(60)"), async {
        while watcher
            .query_untyped(&active)
            .await
            .expect("runs")
            .rows
            .is_empty()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        token.cancel().await.expect("asks");
    });
    assert_eq!(ran.expect_err("cancelled").sqlstate(), Some("57014"));
}

#[tokio::test]
async fn a_proxy_that_pools_by_transaction_is_noticed() {
    let mut config = ConnectConfig::new(Host::Tcp("127.0.0.1".into()), "u", "d");
    config.port = super::fake_pooler::start();
    config.sslmode = SslMode::Disable;
    let pool = Pool::new(config, 1).expect("needs no files");
    let error = pool
        .check_sessions_are_kept()
        .await
        .expect_err("one backend for two");
    assert!(
        matches!(error, PgError::TransactionPooling { .. }),
        "{error:?}"
    );
    assert_eq!(error.diagnostic(None).code.as_str(), "db-pooling");
}
