//! Authorities and certificates made for one test.

use std::fs;
use std::path::{Path, PathBuf};

use celosia::net::tls::Identity;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// A certificate and its key, as files.
pub struct Files {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Files {
    fn write(folder: &Path, name: &str, certificate: &str, key: &KeyPair) -> Self {
        let files = Self { certificate: folder.join(format!("{name}.crt")), key: folder.join(format!("{name}.pem")) };
        fs::write(&files.certificate, certificate).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    pub fn identity(&self) -> Identity {
        Identity { certificate: self.certificate.clone(), key: self.key.clone(), generate_for: None }
    }

    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(&self.certificate).unwrap()
    }
}

fn parameters(common_name: &str, names: &[&str]) -> CertificateParams {
    let mut parameters = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters
}

/// A certificate that nobody vouches for; `file` names its files.
pub fn self_signed(folder: &Path, common_name: &str, file: &str) -> Files {
    let key = KeyPair::generate().unwrap();
    let certificate = parameters(common_name, &["localhost"]).self_signed(&key).unwrap();
    Files::write(folder, file, &certificate.pem(), &key)
}

/// A certificate authority.
pub struct Authority {
    pub path: PathBuf,
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(folder: &Path, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = parameters(name, &[]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let path = folder.join(format!("{name}.ca"));
        fs::write(&path, parameters.self_signed(&key).unwrap().pem()).unwrap();
        Self { path, folder: folder.to_owned(), issuer: Issuer::new(parameters, key) }
    }

    /// A certificate in date with these alternative names.
    pub fn issue(&self, common_name: &str, names: &[&str]) -> Files {
        self.sign(common_name, parameters(common_name, names))
    }

    pub fn issue_expired(&self, common_name: &str, names: &[&str]) -> Files {
        let mut parameters = parameters(common_name, names);
        parameters.not_before = date_time_ymd(2001, 1, 1);
        parameters.not_after = date_time_ymd(2002, 1, 1);
        self.sign(common_name, parameters)
    }

    fn sign(&self, file: &str, parameters: CertificateParams) -> Files {
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        Files::write(&self.folder, file, &certificate.pem(), &key)
    }
}
