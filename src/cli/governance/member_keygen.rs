use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::{GovernanceError, files, key};
use crate::cli::Failure;
use crate::cli::lock::Lock;
use crate::crypto::hash::sha256;
use crate::enclave::keyfile;
use crate::governance::{Member, Region, Role, Software, State, TlsPin};
use crate::net::tls;
use crate::types::{Address, MemberId, PeerUrl};

/// `celosia governance member-keygen`. Makes `ID-sign.key` (locked), `ID-tls.crt`, `ID-tls.key` and `ID-member.toml`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The member's short name: a-z, 0-9 and -.
    #[arg(long = "member", value_name = "ID")]
    id: MemberId,
    /// Name in the commercial register.
    #[arg(long)]
    legal_name: String,
    /// Identifier there: VAT number, LEI, EUID.
    #[arg(long)]
    legal_id: String,
    /// Where its data is kept: `ES`, `ES-MD`.
    #[arg(long)]
    region: Region,
    /// Where its node speaks the native protocol: `https://host:port`.
    #[arg(long, value_name = "URL")]
    native: PeerUrl,
    /// Where its node serves other HTTPS.
    #[arg(long, value_name = "URL")]
    https: Option<PeerUrl>,
    /// Where its node speaks Tessera's peer protocol.
    #[arg(long, value_name = "URL")]
    compatible: Option<PeerUrl>,
    /// A key as sender and recipient: base64, or its `.pub` file (`celosia keygen`). Give it once for each.
    #[arg(long = "address", value_name = "KEY", required = true)]
    addresses: Vec<String>,
    /// Folder of the new files.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    lock: Lock,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let file = |ending: &str| args.out.join(format!("{}-{ending}", args.id));
    let (sign, certificate, private, entry) = (file("sign.key"), file("tls.crt"), file("tls.key"), file("member.toml"));
    if let Some(there) = [&certificate, &private, &entry].into_iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(Failure::coded(2, &keyfile::KeyFileError::Exists(there.display().to_string())));
    }
    let addresses = args.addresses.iter().map(|text| address(text)).collect::<Result<Vec<_>, _>>()?;
    let signing_key = key::make(&args.lock, &sign)?.verify_key();
    tls::generate(args.native.host(), &certificate, &private).map_err(|error| Failure::coded(2, &error))?;
    let member = Member {
        id: args.id.clone(),
        legal_name: args.legal_name.clone(),
        legal_id: args.legal_id.clone(),
        region: args.region.clone(),
        state: State::Active,
        software: Software::Celosia,
        roles: vec![Role::Member, Role::Witness],
        addresses,
        signing_key: Some(signing_key),
        tls_pin: Some(pin(&certificate)?),
        native: Some(args.native.clone()),
        https: args.https.clone(),
        compatible: args.compatible.clone(),
    };
    let text = member.to_text().map_err(GovernanceError::document(&entry))?;
    files::write_new(&entry, 0o644, &text)?;
    eprintln!("Signing key: {}", sign.display());
    eprintln!("TLS: {} and {}", certificate.display(), private.display());
    eprintln!("For the governors: {}", entry.display());
    say_part!("{text}");
    Ok(())
}

fn address(text: &str) -> Result<Address, Failure> {
    match text.parse() {
        Ok(address) => Ok(address),
        Err(_) => keyfile::load_public(Path::new(text)).map_err(|error| Failure::coded(2, &error)),
    }
}

/// SHA-256 of the certificate's SubjectPublicKeyInfo.
fn pin(certificate: &Path) -> Result<TlsPin, GovernanceError> {
    let pem = files::read_text(certificate)?;
    let wrong = || GovernanceError::Edit(format!("{}: not a certificate", certificate.display()));
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| wrong())?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(|_| wrong())?;
    Ok(TlsPin::new(sha256(&[parsed.tbs_certificate.subject_pki.raw])))
}
