//! A directory and a policy for a network on this machine: one throw-away governor signs both.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use curve25519_dalek::Scalar;
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::Member;
use crate::crypto::hpke::BoxKey;
use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::crypto::threshold::{KeyShare, Malformed};
use crate::directory::CharterFolder;
use crate::enclave::keyfile;
use crate::governance::{
    Charter, Committee, Directory, Document, DocumentHash, Genesis, Governor, Head, Officer, Policy, Purpose,
};
use crate::net::native::pin_of;
use crate::net::tls::generate;
use crate::types::NetworkId;

const GOVERNOR: &str = "demo";

/// Personal data goes to Celosias alone; everything at once.
const CLASSES: &str = r#"
public = { tessera = true, regions = ["*"], padding = "none", delivery = "prompt", log-reads = false }
business = { tessera = true, regions = ["*"], padding = "padme", delivery = "prompt", log-reads = false }
personal = { tessera = false, regions = ["*"], padding = "padme", delivery = "prompt", log-reads = false }
special = { tessera = false, regions = ["*"], padding = "bucket", delivery = "quiet", batch = "1s", jitter = "1s", log-reads = true }
"#;

/// A network before its policy: its governor, and what it begins with, by which it has its name.
pub(super) struct Founding {
    key: SigningKey,
    genesis: Genesis,
}

impl Founding {
    /// A throw-away governor.
    pub(super) fn begin() -> anyhow::Result<Self> {
        let key = SigningKey::from_seed(&Secret::random());
        let governors = vec![Governor::new(GOVERNOR, key.verify_key())?];
        Ok(Self { key, genesis: Genesis { name: "demo".into(), nonce: DocumentHash::new(random()), threshold: 1, governors } })
    }

    /// The network's name.
    pub(super) fn network(&self) -> NetworkId {
        self.genesis.network_id()
    }

    /// Makes signing keys and certificates of the members, signs policy and directory, and puts both into each member's folder.
    /// With a committee every payload carries a capsule for it.
    pub(super) fn sign(self, members: &[Member], natives: &[String], committee: Option<Committee>) -> anyhow::Result<()> {
        let (network, Self { key, genesis }) = (self.network(), self);
        let issued = Timestamp::from_second(Timestamp::now().as_second())?;
        let policy = Policy {
            head: Head { network, version: 1, previous: None, policy: None, issued },
            threshold: 1,
            governors: genesis.governors.clone(),
            grace: "24h".parse()?,
            genesis,
            classes: toml::from_str(CLASSES)?,
            scopes: if committee.is_some() { vec![toml::from_str("supervision = \"S2\"")?] } else { Vec::new() },
            committees: committee.into_iter().collect(),
        };
        let policy = signed(Document::Policy(policy), &key)?;
        let charter = Charter::begin(&policy)?;
        let (newest, hash) = charter.newest();
        let head = Head {
            version: 2,
            previous: Some(hash),
            policy: Some(1),
            issued: newest.issued + SignedDuration::from_secs(1),
            ..*newest
        };
        let entries = members.iter().zip(natives).map(|(member, native)| entry(member, native)).collect::<anyhow::Result<_>>()?;
        let directory = signed(Document::Directory(Directory { head, members: entries }), &key)?;
        for member in members {
            let mut folder = CharterFolder::begin(&member.folder.join("data/governance"), &policy)?;
            folder.accept(&directory, Timestamp::now() + SignedDuration::from_secs(5))?;
        }
        Ok(())
    }
}

/// Two officers who are nobody: their shares are forgotten here.
pub(super) fn nobody() -> anyhow::Result<Committee> {
    let (constant, slope) = (Scalar::from_bytes_mod_order(random()), Scalar::from_bytes_mod_order(random()));
    let public = |index: u16| {
        let share = Secret::init_with(|bytes| *bytes = (constant + slope * Scalar::from(index)).to_bytes());
        KeyShare::new(1, share).map(|share| share.verifying())
    };
    let officer = |index: u16| {
        Ok::<_, Malformed>(Officer {
            index,
            name: format!("Officer {index}"),
            entity: format!("Entity {index}"),
            signing_key: SigningKey::from_seed(&Secret::random()).verify_key(),
            box_key: BoxKey::of(&Secret::random()),
            share: public(index)?,
        })
    };
    let officers = (1..=2).map(officer).collect::<Result<_, _>>()?;
    Ok(Committee { purpose: Purpose::Escrow, epoch: 1, generation: 1, threshold: 2, key: public(0)?, officers })
}

fn signed(document: Document, key: &SigningKey) -> anyhow::Result<crate::translog::note::Note> {
    // Read back as people write it: lists get their order.
    let mut note = Document::from_toml(&document.text())?.to_note()?;
    note.sign(GOVERNOR, key);
    Ok(note)
}

fn entry(member: &Member, native: &str) -> anyhow::Result<crate::governance::Member> {
    let (folder, name) = (&member.folder, member.name.to_lowercase());
    let seed = Secret::<32>::random();
    let path = folder.join("sign.key");
    fs::write(&path, keyfile::to_unlocked_json(&seed).as_bytes()).with_context(|| path.display().to_string())?;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    generate(&name, &folder.join("node.crt"), &folder.join("tls.key"))?;
    let pin = pin(&folder.join("node.crt"))?;
    Ok(toml::from_str(&format!(
        "id = \"{name}\"\nlegal-name = \"Member {}\"\nlegal-id = \"{name}\"\nregion = \"ES\"\nstate = \"active\"\nsoftware = \"celosia\"\n\
         roles = [\"member\", \"witness\"]\naddresses = [\"{}\"]\nsigning-key = \"{}\"\ntls-pin = \"{pin}\"\nnative = \"{native}\"\ncompatible = \"{}\"\n",
        member.name,
        member.address,
        SigningKey::from_seed(&seed).verify_key(),
        member.peer,
    ))?)
}

fn pin(certificate: &Path) -> anyhow::Result<String> {
    let certificate = CertificateDer::from_pem_file(certificate)?;
    Ok(HEXLOWER.encode(&pin_of(&certificate).context("a certificate")?))
}
