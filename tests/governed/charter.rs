//! Governors, and the documents that they sign.

use celosia::crypto::secret::Secret;
use celosia::crypto::sign::SigningKey;
use celosia::governance::{Charter, Directory, Document, DocumentHash, Genesis, Governor, Head, Member, Policy};
use celosia::translog::note::Note;
use celosia::types::NetworkId;
use jiff::{SignedDuration, Timestamp};

/// Everything goes everywhere at once, but personal data not to a Tessera.
pub const CLASSES: &str = r#"
public = { tessera = true, regions = ["*"], padding = "none", delivery = "prompt", log-reads = false }
business = { tessera = true, regions = ["*"], padding = "padme", delivery = "prompt", log-reads = false }
personal = { tessera = false, regions = ["ES"], padding = "padme-1k", delivery = "prompt", log-reads = false }
special = { tessera = false, regions = ["ES"], padding = "bucket", delivery = "prompt", log-reads = true }
"#;

/// The governors' side of a network.
pub struct Governors {
    pub charter: Charter,
    /// Every document so far, in the order of versions.
    pub notes: Vec<Note>,
    keys: Vec<(String, SigningKey)>,
}

fn key() -> SigningKey {
    SigningKey::from_seed(&Secret::random())
}

impl Governors {
    /// Three governors, two of whom sign, and a policy with these classes.
    pub fn begin(classes: &str) -> Self {
        let keys: Vec<_> = ["ana", "bea", "carlos"].map(|name| (name.to_owned(), key())).into();
        let governors: Vec<_> = keys.iter().map(|(name, key)| Governor::new(name, key.verify_key()).unwrap()).collect();
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).unwrap();
        let genesis = Genesis { name: "red de prueba".into(), nonce: DocumentHash::new(nonce), threshold: 2, governors };
        let issued = Timestamp::from_second(Timestamp::now().as_second() - 3600).unwrap();
        let head = Head { network: genesis.network_id(), version: 1, previous: None, policy: None, issued };
        let policy = Policy {
            head,
            threshold: 2,
            governors: genesis.governors.clone(),
            grace: "24h".parse().unwrap(),
            genesis,
            classes: toml::from_str(classes).unwrap(),
            scopes: Vec::new(),
            committees: Vec::new(),
        };
        // As people write it: read back, so that lists are in their order.
        let document = Document::from_toml(&Document::Policy(policy).text()).unwrap();
        let note = sign(&document, &keys[..2]);
        Self { charter: Charter::begin(&note).unwrap(), notes: vec![note], keys }
    }

    pub fn network(&self) -> NetworkId {
        self.charter.network()
    }

    fn next(&self) -> Head {
        let (newest, hash) = self.charter.newest();
        let issued = newest.issued.checked_add(SignedDuration::from_secs(1)).unwrap();
        Head {
            network: newest.network,
            version: newest.version + 1,
            previous: Some(hash),
            policy: Some(self.charter.policy_version()),
            issued,
        }
    }

    fn accept(&mut self, document: Document) -> Note {
        let document = Document::from_toml(&document.text()).unwrap();
        let note = sign(&document, &self.keys[..2]);
        self.charter.accept(&note, Timestamp::now()).unwrap();
        self.notes.push(note.clone());
        note
    }

    /// The next directory.
    pub fn directory(&mut self, members: Vec<Member>) -> Note {
        self.accept(Document::Directory(Directory { head: self.next(), members }))
    }

    /// The next directory, with one member changed.
    pub fn change(&mut self, id: &str, change: impl FnOnce(&mut Member)) -> Note {
        let mut members = self.charter.members().all().to_vec();
        change(members.iter_mut().find(|member| member.id.as_str() == id).unwrap());
        self.directory(members)
    }

    /// The next policy, changed.
    pub fn policy(&mut self, change: impl FnOnce(&mut Policy)) -> Note {
        let mut policy = Policy { head: self.next(), ..self.charter.policy().clone() };
        change(&mut policy);
        self.accept(Document::Policy(policy))
    }

    /// A document of the next version that one governor alone signed.
    pub fn unsigned(&self, members: Vec<Member>) -> Note {
        let document = Document::Directory(Directory { head: self.next(), members });
        sign(&Document::from_toml(&document.text()).unwrap(), &self.keys[..1])
    }
}

fn sign(document: &Document, keys: &[(String, SigningKey)]) -> Note {
    let mut note = document.to_note().unwrap();
    for (name, key) in keys {
        note.sign(name, key);
    }
    note
}
