//! A network with a committee of five, an auditor, and payloads in escrow, for the tests of this module.

use curve25519_dalek::scalar::Scalar;
use data_encoding::BASE64;
use jiff::Timestamp;

use super::view::Details;
use super::*;
use crate::crypto::hash::{payload_id, sha256};
use crate::crypto::hpke::{self, BoxKey};
use crate::crypto::padme::Padding;
use crate::crypto::secret::Secret;
use crate::crypto::sign::{SigningKey, statement};
use crate::crypto::threshold::{Capsule, GroupKey, KeyShare, Prepared};
use crate::governance::{Charter, Committee, Directory, Document, Genesis, Governor, Head, Officer, Policy, Purpose};
use crate::seal::celosia1::Content;
use crate::seal::escrow::{Carried, Label, TESSERA};
use crate::translog::checkpoint::{Checkpoint, origin};
use crate::translog::commitment::commit;
use crate::translog::hash::leaf;
use crate::translog::note::Note;
use crate::translog::proof::Proof;
use crate::types::{Address, Class, MemberId, NetworkId, PayloadId, Privacy};
use crate::wire::ack::{Ack, join, root as ack_root, root_statement};
use crate::wire::header::{self, Header, day_of};

pub(super) const NOW: u64 = 1_770_000_000_000;
const HOUR: u64 = 60 * 60 * 1000;

pub(super) fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(&seed(name))
}

fn seed(name: &str) -> Secret<32> {
    Secret::from_slice(&sha256(&[name.as_bytes()])).expect("32 bytes")
}

fn scalar(name: &str) -> Scalar {
    Scalar::from_bytes_mod_order(sha256(&[name.as_bytes()]))
}

fn secret(scalar: Scalar) -> Secret<32> {
    Secret::from_slice(&scalar.to_bytes()).expect("32 bytes")
}

/// A payload: what the holder has of it.
pub(super) struct Kept {
    pub(super) item: Item,
    pub(super) payload: Vec<u8>,
    pub(super) sigma: Secret<32>,
    pub(super) nonce: [u8; 24],
    pub(super) ciphertext: Vec<u8>,
    pub(super) header: (Vec<u8>, [u8; 64]),
    pub(super) acks: Vec<crate::wire::SignedAck>,
}

pub(super) struct World {
    pub(super) charter: Charter,
    pub(super) network: NetworkId,
    pub(super) member: MemberId,
    pub(super) shares: Vec<KeyShare>,
    pub(super) private: Secret<32>,
}

/// A committee of three of five of an epoch. Its officers are `who` 1 to 5.
fn committee(epoch: u64, who: &str) -> (Committee, Vec<KeyShare>) {
    let coefficients = ["a0", "a1", "a2"].map(|name| scalar(&format!("{name} of {epoch}")));
    let at = |x: u16| {
        let x = Scalar::from(x);
        coefficients.iter().rev().fold(Scalar::ZERO, |sum, coefficient| sum * x + coefficient)
    };
    let shares: Vec<_> = (1..=5).map(|index| KeyShare::new(index, secret(at(index))).expect("a share")).collect();
    let group: GroupKey = KeyShare::new(1, secret(coefficients[0])).expect("a share").verifying();
    let officers = shares.iter().map(|share| {
        let name = format!("{who} {}", share.index());
        Officer {
            index: share.index(),
            entity: format!("Entity {}", share.index()),
            signing_key: key(&name).verify_key(),
            box_key: BoxKey::of(&seed(&format!("box {name}"))),
            share: share.verifying(),
            name,
        }
    });
    let officers = officers.collect();
    (Committee { purpose: Purpose::Escrow, epoch, generation: 1, threshold: 3, key: group, officers }, shares)
}

const CLASSES: &str = r#"
public = { tessera = true, regions = ["*"], padding = "none", delivery = "prompt", log-reads = false }
business = { tessera = true, regions = ["*"], padding = "none", delivery = "prompt", log-reads = false }
personal = { tessera = true, regions = ["*"], padding = "none", delivery = "prompt", log-reads = false }
special = { tessera = true, regions = ["*"], padding = "none", delivery = "prompt", log-reads = false }
"#;

impl World {
    pub(super) fn new() -> Self {
        let (first, shares) = committee(1, "officer");
        let (second, _) = committee(2, "second");
        let governors = vec![Governor::new("gov", key("gov").verify_key()).expect("a name")];
        let nonce = crate::governance::DocumentHash::new([7; 32]);
        let genesis = Genesis { name: "test".into(), nonce, threshold: 1, governors: governors.clone() };
        let issued = Timestamp::from_millisecond(i64::try_from(NOW - 24 * HOUR).expect("a time")).expect("a time");
        let issued = Timestamp::from_second(issued.as_second()).expect("a time");
        let network = genesis.network_id();
        let head = Head { network, version: 1, previous: None, policy: None, issued };
        let classes = toml::from_str(CLASSES).expect("classes");
        let grace = "24h".parse().expect("a span");
        let policy = Policy {
            head,
            threshold: 1,
            governors,
            grace,
            genesis,
            classes,
            scopes: Vec::new(),
            committees: vec![first, second],
        };
        let mut charter = Charter::begin(&signed(&Document::Policy(policy))).expect("version 1");
        let members = ["banco", "otro"].map(|id| {
            let (key, address) = (key(id).verify_key(), Address::new(sha256(&[b"address", id.as_bytes()])));
            let pin = crate::governance::DocumentHash::new(sha256(&[b"pin", id.as_bytes()]));
            let text = format!(
                "id = \"{id}\"\nlegal-name = \"{id} S.A.\"\nlegal-id = \"ES-{id}\"\nregion = \"ES\"\nstate = \"active\"\n\
                 software = \"celosia\"\nroles = [\"member\"]\naddresses = [\"{address}\"]\nsigning-key = \"{key}\"\n\
                 tls-pin = \"{pin}\"\nnative = \"https://{id}.example:9443/\"\n"
            );
            toml::from_str(&text).expect("a member")
        });
        let (newest, hash) = charter.newest();
        let issued = newest.issued + jiff::SignedDuration::from_mins(1);
        let head = Head { network, version: 2, previous: Some(hash), policy: Some(1), issued };
        let directory = Directory { head, members: members.to_vec() };
        charter.accept(&signed(&Document::Directory(directory)), issued).expect("version 2");
        Self { charter, network, member: "banco".parse().expect("a name"), shares, private: seed("auditor box") }
    }

    /// A policy under which officer 5 of the committee has handed over to another.
    pub(super) fn hand_over(&mut self) {
        let (newest, hash) = self.charter.newest();
        let issued = newest.issued + jiff::SignedDuration::from_mins(1);
        let head = Head { network: self.network, version: newest.version + 1, previous: Some(hash), policy: Some(1), issued };
        let mut policy = Policy { head, ..self.charter.policy().clone() };
        let committee = policy.committees.iter_mut().find(|committee| committee.epoch == 1).expect("a committee");
        committee.generation += 1;
        let officer = committee.officers.last_mut().expect("five officers");
        officer.name = "officer 6".into();
        officer.signing_key = key("officer 6").verify_key();
        officer.box_key = BoxKey::of(&seed("box officer 6"));
        self.charter.accept(&signed(&Document::Policy(policy)), issued).expect("the next policy");
    }

    pub(super) fn committee(&self) -> &Committee {
        committee_at(&self.charter, 1, NOW).expect("a committee")
    }

    /// A payload of the member's in escrow.
    pub(super) fn kept(&self, text: &str) -> Kept {
        let content = Content::seal(&self.network, &self.member, Padding::None, text.as_bytes());
        let (id, sigma) = (content.id, Secret::random());
        let sender = self.charter.members().by_id(&self.member).expect("a member").addresses[0];
        let label = Label {
            network: self.network,
            suite: header::SUITE,
            policy: 1,
            epoch: 1,
            class: Class::Business,
            member: Some(self.member.clone()),
            sender,
            day: day_of(NOW),
            id,
        };
        let label = label.encode();
        let capsule = Capsule::make(&Prepared::new(&self.committee().key), &content.data_key, &sigma, &label);
        let header = Header {
            network: self.network,
            suite: header::SUITE,
            policy: 1,
            day: day_of(NOW),
            class: Class::Business,
            time: NOW,
            sender,
            member: self.member.clone(),
            id,
            privacy: Privacy::default(),
            recipients: None,
            audience: [3; 32],
            escrow: Some(Carried { epoch: 1, capsule: capsule.clone() }.to_bytes()),
        };
        let bytes = header.encode();
        let signature = key("banco").sign(&header::signed(&self.network, &bytes));
        let other: MemberId = "otro".parse().expect("a name");
        let address = self.charter.members().by_id(&other).expect("a member").addresses[0];
        let ack = Ack {
            network: self.network,
            id,
            header: sha256(&[&bytes]),
            member: other,
            addresses: vec![address],
            time: NOW,
            durable: true,
        };
        let root = ack_root(std::slice::from_ref(&ack));
        let acks = join(vec![ack], &root, key("otro").sign(&root_statement(&self.network, &root)));
        let item = Item { id, found: Found::Escrowed { label, capsule: Box::new(capsule) } };
        let (nonce, ciphertext) = (content.nonce, content.ciphertext.to_vec());
        Kept { item, payload: text.as_bytes().to_vec(), sigma, nonce, ciphertext, header: (bytes, signature), acks }
    }

    /// A payload in Tessera's suite of a sender that the directory does not know.
    pub(super) fn kept_of_a_tessera(&self, text: &str) -> Kept {
        let (data_key, sigma, nonce) = (Secret::random(), Secret::random(), crate::crypto::random());
        let ciphertext = crate::crypto::nacl::seal(data_key.expose(), &nonce, text.as_bytes());
        let id = payload_id(&ciphertext);
        let label = Label {
            network: self.network,
            suite: TESSERA,
            policy: 1,
            epoch: 1,
            class: Class::Personal,
            member: None,
            sender: Address::new([8; 32]),
            day: day_of(NOW),
            id,
        };
        let label = label.encode();
        let capsule = Capsule::make(&Prepared::new(&self.committee().key), &data_key, &sigma, &label);
        let item = Item { id, found: Found::Escrowed { label, capsule: Box::new(capsule) } };
        let header = (Vec::new(), [0; 64]);
        Kept { item, payload: text.as_bytes().to_vec(), sigma, nonce, ciphertext, header, acks: Vec::new() }
    }

    pub(super) fn request(&self, scope: Scope) -> SignedRequest {
        self.asked(scope).sign(&key("auditor"))
    }

    pub(super) fn asked(&self, scope: Scope) -> Request {
        Request {
            network: self.network,
            grant: GrantId([9; 16]),
            name: "Ana Auditora".into(),
            entity: "Auditores Unidos".into(),
            mandate: "engagement 12/2026".into(),
            purpose: "yearly audit".into(),
            basis: "contract, clause 7".into(),
            scope,
            from: NOW - HOUR,
            until: NOW + HOUR,
            views: 2,
            secrecy: None,
            renews: None,
            key: key("auditor").verify_key(),
            box_key: BoxKey::of(&self.private),
            time: NOW - HOUR,
        }
    }

    pub(super) fn docket(&self, request: &SignedRequest, items: &[Item]) -> SignedDocket {
        self.docket_under(items.iter().filter_map(|item| item.label()?.ok()).map(|label| label.epoch).collect(), request, items)
    }

    /// A docket that the holder says is under certain keys.
    pub(super) fn docket_under(&self, epochs: Epochs, request: &SignedRequest, items: &[Item]) -> SignedDocket {
        let leaves: Vec<_> = items.iter().map(Item::leaf).collect();
        let docket = Docket {
            network: self.network,
            grant: request.request.grant,
            request: request.digest(),
            member: self.member.clone(),
            policy: 1,
            time: NOW - HOUR,
            items: items.len() as u64,
            root: root(&leaves),
            epochs,
        };
        let signature = key("banco").sign(&docket.statement());
        SignedDocket { docket, signature }
    }

    pub(super) fn verdict(&self, docket: &SignedDocket, officer: u16, approves: bool) -> SignedVerdict {
        let signing = key(&format!("officer {officer}"));
        let verdict = Verdict {
            network: self.network,
            case: case_digest(&docket.docket),
            officer: signing.verify_key(),
            approves,
            text: "seen and in order".into(),
            time: NOW - 1,
            until: NOW + HOUR / 2,
        };
        verdict.sign(|message| signing.sign(message))
    }

    /// A record of the view in the member's log, as its journal would have it.
    pub(super) fn view(&self, docket: &Docket, verdicts: &[SignedVerdict]) -> View {
        self.view_of(1, docket, verdicts)
    }

    /// The same of another view than the first.
    pub(super) fn view_of(&self, number: u32, docket: &Docket, verdicts: &[SignedVerdict]) -> View {
        let details = Details::of(docket, number, verdicts, NOW + HOUR);
        let details = serde_json::to_value(details).expect("JSON");
        let record = serde_json::json!({ "kind": RECORD_KIND, "at": NOW, "details": details }).to_string();
        let salt = [5; 32];
        let name = origin(&self.network, &self.member);
        let entry = commit(&salt, record.as_bytes());
        let checkpoint = Checkpoint { origin: name.clone(), size: 1, root: leaf(&entry), keys: None, extensions: Vec::new() };
        let mut note = Note::new(checkpoint.to_string()).expect("a note");
        note.sign(&name, &key("banco"));
        let proof = Proof { extra: None, index: 0, path: Vec::new(), checkpoint: note }.to_string();
        View { member: self.member.clone(), record, salt: BASE64.encode(&salt), proof }
    }

    pub(super) fn shares_of(
        &self,
        request: &SignedRequest,
        docket: &SignedDocket,
        items: &[Item],
        officer: u16,
    ) -> (SignedShares, Vec<Vec<u8>>) {
        let share = &self.shares[usize::from(officer) - 1];
        let signing = key(&format!("officer {officer}"));
        make_shares(request, &docket.docket, items, (&self.committee().key, share, 1, 1), |message| signing.sign(message))
            .expect("shares")
    }

    pub(super) fn released(&self, docket: &SignedDocket, kept: &Kept) -> Released {
        let Found::Escrowed { label, .. } = &kept.item.found else { panic!("in escrow") };
        let info = sigma_info(&case_digest(&docket.docket));
        let plain = [&kept.sigma.expose()[..], &kept.nonce].concat();
        let sealed = hpke::seal(&BoxKey::of(&self.private), &info, label, &plain).expect("seals");
        Released::Given {
            id: payload_id(&kept.ciphertext),
            sealed,
            ciphertext: kept.ciphertext.clone(),
            provenance: self.provenance(docket, kept, Some(kept.header.clone()), kept.acks.clone()),
        }
    }

    /// Header and acknowledgements as a holder seals them.
    pub(super) fn provenance(
        &self,
        docket: &SignedDocket,
        kept: &Kept,
        header: Option<(Vec<u8>, [u8; 64])>,
        acks: Vec<crate::wire::SignedAck>,
    ) -> Vec<u8> {
        let (to, case) = (BoxKey::of(&self.private), case_digest(&docket.docket));
        Provenance { header, acks }.seal(&to, &case, &payload_id(&kept.ciphertext)).expect("seals")
    }

    pub(super) fn opener<'a>(&'a self, request: &SignedRequest, docket: &'a SignedDocket) -> Opener<'a> {
        Opener::new(&self.charter, request, docket, 1, self.private.duplicate()).expect("an opener")
    }
}

pub(super) fn by_id(ids: &[PayloadId]) -> Scope {
    Scope { by: By::Items(ids.to_vec()), made: None }
}

pub(super) fn signed(document: &Document) -> Note {
    let mut note = document.to_note().expect("a note");
    note.sign("gov", &key("gov"));
    note
}

/// What another purpose signs.
pub(super) fn other_statement(network: &NetworkId) -> Vec<u8> {
    statement("celosia something-else 1", network, b"x")
}
