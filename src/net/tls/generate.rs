use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};

use super::{Identity, TlsError};

/// Years that a generated certificate is good for: it is trusted by its fingerprint, not by its date.
const YEARS: i16 = 10;

/// Makes a self-signed certificate and key if so configured and neither file exists (Tessera's `generateKeyStoreIfNotExisted`).
///
/// Only at the start: a pair that disappears later is an error, for known peers know its fingerprint.
pub(super) fn if_configured(identity: &Identity) -> Result<(), TlsError> {
    let Some(host) = &identity.generate_for else { return Ok(()) };
    match (identity.certificate.exists(), identity.key.exists()) {
        (true, true) => Ok(()),
        (true, false) => Err(TlsError::HalfIdentity(identity.certificate.clone())),
        (false, true) => Err(TlsError::HalfIdentity(identity.key.clone())),
        (false, false) => generate(host, &identity.certificate, &identity.key),
    }
}

/// Writes a new self-signed certificate (ECDSA P-256) for a host, and its key with mode 0600. Existing files are not overwritten.
pub fn generate(host: &str, certificate: &Path, key: &Path) -> Result<(), TlsError> {
    let failed = |error: rcgen::Error| TlsError::Generate { host: host.to_owned(), reason: error.to_string() };
    let pair = KeyPair::generate().map_err(failed)?;
    let made = parameters(host).map_err(failed)?.self_signed(&pair).map_err(failed)?;
    create(key, 0o600, &zeroize::Zeroizing::new(pair.serialize_pem()))?;
    create(certificate, 0o644, &made.pem()).inspect_err(|_| drop(fs::remove_file(key)))
}

fn parameters(host: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut names = vec![host.to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.sort();
    names.dedup();
    let mut parameters = CertificateParams::new(names)?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, host);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let year = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).year();
    parameters.not_before = date_time_ymd(i32::from(year) - 1, 1, 1);
    parameters.not_after = date_time_ymd(i32::from(year + YEARS), 1, 1);
    Ok(parameters)
}

fn create(path: &Path, mode: u32, text: &str) -> Result<(), TlsError> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| TlsError::File { path: path.to_owned(), source })
}
