//! TLS as libpq's sslmodes mean it, by rustls. `require` does not look at the certificate
//! unless `sslrootcert` is given; `verify-ca` checks the chain; `verify-full` the name too.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::config::{ConfigError, ConnectConfig, SslMode};

/// The connector for a configuration; reads its certificates once.
pub(super) fn connector(config: &ConnectConfig) -> Result<MakeRustlsConnect, ConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier {
        check: check(config, &provider)?,
        provider: Arc::clone(&provider),
    };
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("sslmode", None, &error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let client = match client_certificate(config)? {
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| unusable("sslkey", config.sslkey.as_deref(), &error))?,
        None => builder.with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(client))
}

fn check(config: &ConnectConfig, provider: &Arc<CryptoProvider>) -> Result<Check, ConfigError> {
    let name = match config.sslmode {
        SslMode::VerifyFull => true,
        SslMode::VerifyCa => false,
        // As libpq: a root certificate turns `require` into `verify-ca`.
        SslMode::Require if config.sslrootcert.is_some() => false,
        _ => return Ok(Check::Nothing),
    };
    let (roots, given) = roots(config)?;
    let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| unusable("sslrootcert", config.sslrootcert.as_deref(), &error))?;
    Ok(Check::Chain { chain, given, name })
}

/// Trusted roots, and the same as read when they come from a file.
fn roots(
    config: &ConnectConfig,
) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), ConfigError> {
    let mut store = RootCertStore::empty();
    let Some(path) = root_file(config) else {
        let native = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(native.certs);
        if store.is_empty() {
            return Err(ConfigError {
                key: "sslrootcert".to_owned(),
                problem: "is not given, and the system has no trusted certificates".to_owned(),
            });
        }
        return Ok((store, Vec::new()));
    };
    let given = certificates("sslrootcert", &path)?;
    store.add_parsable_certificates(given.iter().cloned());
    Ok((store, given))
}

/// `sslrootcert`, else libpq's `~/.postgresql/root.crt` where there is one, else the system.
fn root_file(config: &ConnectConfig) -> Option<PathBuf> {
    match &config.sslrootcert {
        Some(path) if path.as_os_str() == "system" => None,
        Some(path) => Some(path.clone()),
        None => std::env::home_dir()
            .map(|home| home.join(".postgresql/root.crt"))
            .filter(|path| path.is_file()),
    }
}

type ClientCertificate = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_certificate(config: &ConnectConfig) -> Result<Option<ClientCertificate>, ConfigError> {
    let Some(cert) = &config.sslcert else {
        return Ok(None);
    };
    let Some(key) = &config.sslkey else {
        return Err(ConfigError {
            key: "sslkey".to_owned(),
            problem: "is missing; sslcert needs its key".to_owned(),
        });
    };
    let chain = certificates("sslcert", cert)?;
    let key =
        PrivateKeyDer::from_pem_file(key).map_err(|error| unusable("sslkey", Some(key), &error))?;
    Ok(Some((chain, key)))
}

fn certificates(key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(key, Some(path), &error))?;
    if found.is_empty() {
        return Err(ConfigError {
            key: key.to_owned(),
            problem: format!("names {}, which holds no certificate", path.display()),
        });
    }
    Ok(found)
}

fn unusable(key: &str, path: Option<&Path>, error: &dyn std::fmt::Display) -> ConfigError {
    ConfigError {
        key: key.to_owned(),
        problem: match path {
            Some(path) => format!("names {}, which cannot be used: {error}", path.display()),
            None => format!("cannot be used: {error}"),
        },
    }
}

#[derive(Debug)]
enum Check {
    Nothing,
    Chain {
        chain: Arc<WebPkiServerVerifier>,
        /// Certificates of `sslrootcert`: a server may use one of them as its own.
        given: Vec<CertificateDer<'static>>,
        name: bool,
    },
}

#[derive(Debug)]
struct Verifier {
    check: Check,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Check::Chain { chain, given, name } = &self.check else {
            return Ok(ServerCertVerified::assertion());
        };
        // A self-signed certificate is its own root; webpki refuses one that may sign others
        // as a server's, OpenSSL (and so libpq) does not.
        if given.iter().any(|trusted| trusted == end_entity) {
            if *name {
                let parsed = rustls::server::ParsedCertificate::try_from(end_entity)?;
                rustls::client::verify_server_name(&parsed, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        let verified =
            chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !name => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
