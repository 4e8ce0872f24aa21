use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::Pin;
use crate::crypto::hash::sha256;

/// The pin of a certificate in DER form; `None` if it is none.
pub fn pin_of(certificate: &[u8]) -> Option<Pin> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(sha256(&[parsed.tbs_certificate.subject_pki.raw]))
}
