use std::io;
use std::path::PathBuf;

use crate::types::{Code, Coded};

/// Why TLS cannot be set up. Never holds what stands in a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A listener without a certificate.
    #[error("a TLS listener needs a certificate and its key: configure both, or let them be generated")]
    NoIdentity,
    /// A file cannot be read or written.
    #[error("cannot read or write {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path} holds no {what} in PEM form")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// Certificate and key cannot be used together.
    #[error("the certificate in {path} cannot be used with its key: {source}")]
    Identity {
        /// The certificate's file.
        path: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// Only one file of certificate and key exists.
    #[error(
        "{0} exists but its counterpart does not: a new pair would not match it; restore the other file or move this one away"
    )]
    HalfIdentity(PathBuf),
    /// A `CA` mode without roots.
    #[error("this trust mode needs at least one root certificate: configure its file")]
    NoRoots,
    /// A root that cannot be used.
    #[error("a root certificate in {0} cannot be used")]
    Root(PathBuf),
    /// A `TOFU` or `WHITELIST` mode without its file.
    #[error("this trust mode needs the file of known peers: configure knownClientsFile or knownServersFile")]
    NoKnownFile,
    /// A line of a file of known peers.
    #[error("{path}, line {line}: not of the form `<common name> <fingerprint in hexadecimal>`")]
    KnownLine {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// Every cipher suite is excluded.
    #[error("the excluded cipher suites leave none: exclude fewer")]
    NoCiphers,
    /// A pattern that is not understood.
    #[error("excluded cipher suite `{0}`: only names, `.*`, `^`, `$` and (a|b) are understood")]
    CipherPattern(String),
    /// Protocol versions and cipher suites do not go together.
    #[error("the cipher suites that are left fit no protocol version: {0}")]
    Protocol(rustls::Error),
    /// A certificate cannot be made.
    #[error("cannot make a certificate for `{host}`: {reason}")]
    Generate {
        /// For whom.
        host: String,
        /// Why not.
        reason: String,
    },
}

impl Coded for TlsError {
    fn code(&self) -> Code {
        match self {
            Self::NoIdentity => Code(1221),
            Self::File { .. } => Code(1222),
            Self::Pem { .. } => Code(1223),
            Self::Identity { .. } => Code(1224),
            Self::HalfIdentity(_) => Code(1225),
            Self::NoRoots => Code(1226),
            Self::Root(_) => Code(1227),
            Self::NoKnownFile => Code(1228),
            Self::KnownLine { .. } => Code(1229),
            Self::NoCiphers => Code(1230),
            Self::CipherPattern(_) => Code(1231),
            Self::Protocol(_) => Code(1232),
            Self::Generate { .. } => Code(1233),
        }
    }
}
