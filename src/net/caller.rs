use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::crypto::hash::sha256;

/// Who calls, as the listener sees it. In the extensions of every request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Caller {
    /// Its address; absent on a Unix socket.
    pub address: Option<IpAddr>,
    /// The certificate whose key it has proved to hold in the TLS handshake, if the listener asked for one.
    pub certificate: Option<PeerCertificate>,
}

/// What is known of a caller's certificate. Whether it is trusted says the listener's trust mode, not this.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeerCertificate {
    /// SHA-256 of the certificate's DER.
    pub der: [u8; 32],
    /// SHA-256 of its SubjectPublicKeyInfo: stays the same when a certificate is renewed with its key.
    pub spki: [u8; 32],
    /// First second of its validity, Unix time.
    pub not_before: i64,
    /// Last second of its validity, Unix time.
    pub not_after: i64,
}

impl PeerCertificate {
    /// Reads a certificate that TLS has accepted; `None` if it does not parse.
    pub fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, read) = X509Certificate::from_der(certificate).ok()?;
        Some(Self {
            der: sha256(&[certificate]),
            spki: sha256(&[read.public_key().raw]),
            not_before: read.validity().not_before.timestamp(),
            not_after: read.validity().not_after.timestamp(),
        })
    }
}
