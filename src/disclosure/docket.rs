use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::error::form;
use super::request::GrantId;
use super::{Item, Refused, SignedRequest, on_all_cores, root};
use crate::crypto::hash::sha256;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::crypto::threshold::GroupKey;
use crate::governance::Charter;
use crate::translog::hash::Hash;
use crate::types::{MemberId, NetworkId};
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of a docket is for.
const PURPOSE: &str = "celosia docket 1";
const CASE: &[u8] = b"celosia disclosure case 1\0";
const FORM: &str = "docket";
const FIELDS: u64 = 9;
/// Keys that one list may be under.
const MAX_EPOCHS: usize = 64;

/// Keys under which a list's capsules are, by their epochs.
pub type Epochs = BTreeSet<u64>;

/// What a request resolves to at one member: how many payloads, and the root over the list of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Docket {
    /// Which network.
    pub network: NetworkId,
    /// Of which request.
    pub grant: GrantId,
    /// [`SignedRequest::digest`].
    pub request: [u8; 32],
    /// Whose node resolved it and holds the payloads.
    pub member: MemberId,
    /// Version of the policy that it went by.
    pub policy: u64,
    /// When, milliseconds since the Unix epoch.
    pub time: u64,
    /// How many items the list has.
    pub items: u64,
    /// The root over their leaves.
    pub root: Hash,
    /// Keys that its items in escrow are under.
    ///
    /// Threat: of a release the list is not at hand, and whoever verifies it would count the approvals of no committee, or of one of two.
    pub epochs: Epochs,
}

/// A docket and its member's signature: the member answers for the list, for its completeness too.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedDocket {
    /// What it says.
    pub docket: Docket,
    /// The member's on [`Docket::statement`].
    pub signature: Signature,
}

/// What is approved: one request and one list. Every document after it names this.
///
/// Threat: an approval for one list is shown with another, with the same list of another request, or as one of fewer committees.
pub fn case_digest(docket: &Docket) -> [u8; 32] {
    let count = docket.items.to_be_bytes();
    let epochs: Vec<u8> = docket.epochs.iter().flat_map(|epoch| epoch.to_be_bytes()).collect();
    sha256(&[
        CASE,
        docket.network.as_bytes(),
        &docket.grant.0,
        &docket.request,
        docket.member.as_str().as_bytes(),
        &[0],
        &count,
        &docket.root,
        &epochs,
    ])
}

impl Docket {
    /// What is signed.
    pub fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    fn fields(&self, count: u64) -> Form {
        let form = Form::of(count, 320)
            .bytes(self.network.as_bytes())
            .bytes(&self.grant.0)
            .bytes(&self.request)
            .text(self.member.as_str())
            .number(self.policy)
            .number(self.time)
            .number(self.items)
            .bytes(&self.root)
            .list(self.epochs.len() as u64);
        self.epochs.iter().fold(form, |form, epoch| form.number(*epoch))
    }
}

impl SignedDocket {
    /// Reads what [`SignedDocket::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        read(bytes).map_err(form(FORM))
    }

    /// `[network, grant, request, member, policy, time, items, root, [epoch …], signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.docket.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// Whether it is the member's, and of this request.
    pub fn verify(&self, request: &SignedRequest, key: &VerifyKey) -> Result<(), Refused> {
        let docket = &self.docket;
        if docket.network != request.request.network {
            return Err(Refused::Network(FORM));
        }
        if docket.grant != request.request.grant || docket.request != request.digest() {
            return Err(Refused::OtherCase(FORM));
        }
        let refused = |_| Refused::DocketSignature(docket.member.clone());
        key.verify(&docket.statement(), &self.signature).map_err(refused)
    }

    /// Whether it is of this request and the member's, with a key of the docket's time: a grant outlives keys.
    pub fn verify_by(&self, request: &SignedRequest, charter: &Charter) -> Result<(), Refused> {
        let docket = &self.docket;
        let mut outcome = Err(Refused::DocketSignature(docket.member.clone()));
        for key in charter.signing_keys(&docket.member, docket.time) {
            outcome = self.verify(request, &key);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Whether a list is its own.
    ///
    /// Threat: whoever relays the list drops an item, adds one, or puts another in its place.
    pub fn is_of(&self, leaves: &[Hash]) -> Result<(), Refused> {
        if leaves.len() as u64 != self.docket.items {
            return Err(Refused::List("it has another number of items"));
        }
        if root(leaves) == self.docket.root { Ok(()) } else { Err(Refused::List("an item is not what was resolved")) }
    }

    /// Checks every item against the request, that they are under the keys that the docket names, each capsule's proof, and answers these keys.
    /// `key_of` has the committees'. On all cores: a list may have 200,000.
    pub fn check_items(
        &self,
        request: &SignedRequest,
        items: &[Item],
        key_of: impl Fn(u64) -> Result<GroupKey, Refused>,
    ) -> Result<Epochs, Refused> {
        let epochs = self.check_labels(request, items)?;
        let keys = epochs.iter().map(|epoch| Ok((*epoch, key_of(*epoch)?))).collect::<Result<BTreeMap<_, _>, Refused>>()?;
        let check = |item: &Item| {
            let Some(label) = item.label() else { return Ok(()) };
            let epoch = label?.epoch;
            item.check(&self.docket.network, keys.get(&epoch).ok_or(Refused::NoCommittee(epoch))?)
        };
        on_all_cores(items, check).into_iter().collect::<Result<(), _>>()?;
        Ok(epochs)
    }

    /// The same without the proofs, for whoever checks each capsule anyway before anything is done with it.
    pub fn check_labels(&self, request: &SignedRequest, items: &[Item]) -> Result<Epochs, Refused> {
        let (mut epochs, mut seen) = (Epochs::new(), HashSet::with_capacity(items.len()));
        let named = request.request.scope.named();
        for item in items {
            let label = item.label().transpose()?;
            // A supervisor may have copies of one id that several members gave it.
            if !seen.insert((item.id, label.as_ref().and_then(|label| label.member.clone()))) {
                return Err(Refused::List("an item is there twice"));
            }
            let Some(label) = label else { continue };
            let is_named = named.as_ref().is_none_or(|named| named.contains(&label.id));
            if !is_named || !request.request.scope.covers_but_for_names(&label) {
                return Err(Refused::Label(item.id, "it is outside the scope of the request"));
            }
            if label.network != self.docket.network {
                return Err(Refused::Label(item.id, "it is of another network"));
            }
            if label.id != item.id {
                return Err(Refused::Label(item.id, "it is of another payload"));
            }
            epochs.insert(label.epoch);
        }
        if epochs == self.docket.epochs { Ok(epochs) } else { Err(Refused::List("it is under other keys than the docket names")) }
    }
}

fn read(bytes: &[u8]) -> Result<SignedDocket, DecodeError> {
    let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
    let docket = Docket {
        network: NetworkId::new(fields.array("network")?),
        grant: GrantId(fields.array("grant")?),
        request: fields.array("request")?,
        member: fields.word("member")?,
        policy: fields.number("policy")?,
        time: fields.number("time")?,
        items: fields.number("items")?,
        root: fields.array("root")?,
        epochs: fields.list("epochs", |fields| fields.number("epoch"))?.into_iter().collect(),
    };
    if docket.epochs.len() > MAX_EPOCHS {
        return Err(DecodeError::Length("epochs"));
    }
    let signed = SignedDocket { docket, signature: fields.array("signature")? };
    canonical(bytes, &signed.encode(), FORM)?;
    Ok(signed)
}
