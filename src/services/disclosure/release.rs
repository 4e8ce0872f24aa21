//! What the holder gives: case files to officers, and to the auditor, once the view is on record and the officers have given theirs, the payloads.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

use super::DisclosureError;
use super::approve::{fresh, is_granted};
use super::rows::Dossier;
use crate::crypto::hpke::BoxKey;
use crate::disclosure::{
    Docket, Found, GrantId, Item, Part, Provenance, Refused, Release, Released, SignedRelease, SignedTaking, case_digest, frame,
    sigma_info,
};
use crate::enclave::EnclaveError;
use crate::seal::escrow::Carried;
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::supervision::CopyContent;
use crate::services::{Error, Governed, Node};
use crate::shred::SealedHead;
use crate::store::{Kind, Lookup};
use crate::types::{PayloadId, PrivacyFlag};
use crate::wire::SignedAck;
use crate::wire::header::{Header, signed};

/// Payloads that are in memory at once, whatever the length of a list.
const TOGETHER: usize = 8;
const DAY: u64 = 24 * 60 * 60 * 1000;

/// A case file or a release on its way, in pieces.
pub struct ReleaseStream {
    node: Arc<Node>,
    grant: GrantId,
    page: u32,
    head: Option<Bytes>,
    /// Of a release: which view.
    view: Option<u32>,
    /// Items of the page that are not given yet.
    ready: VecDeque<Item>,
}

/// What of a grant every payload of a view needs.
struct Giving {
    docket: Docket,
    case: [u8; 32],
    view: u32,
    to: BoxKey,
}

impl Giving {
    fn of(dossier: &Dossier, view: u32) -> Result<Self, Error> {
        let docket = dossier.docket()?.docket;
        Ok(Self { case: case_digest(&docket), docket, view, to: dossier.request()?.request.box_key })
    }
}

impl std::fmt::Debug for ReleaseStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReleaseStream({}, page {})", self.grant, self.page)
    }
}

impl Node {
    /// A grant's case file: its head, and the list. What officers look at, before they approve and again before they give their shares.
    pub async fn case_file(self: &Arc<Self>, grant: GrantId) -> Result<ReleaseStream, Error> {
        self.discloses()?;
        let bundle = self.bundle(&self.dossier(&grant).await?).await?;
        let head = Some(frame(bundle.write().as_bytes()).into());
        Ok(ReleaseStream { node: Arc::clone(self), grant, page: 0, head, view: None, ready: VecDeque::new() })
    }

    /// Everything that the grant is for, once: a view. Each after the first is put on record first, and is one less.
    ///
    /// The record takes a second into the log. Meanwhile nobody else takes from this grant, and everything else goes on: it can be revoked, and
    /// is asked for that again before anything is given.
    pub async fn release(self: &Arc<Self>, grant: GrantId, taking: &[u8], by: &str) -> Result<ReleaseStream, Error> {
        let governed = Arc::clone(self.discloses()?);
        let _turn = self.disclosures.takings.enter(&grant).await;
        let recorded = self.begin_view(&governed, grant, taking).await?;
        self.wait_for_view(&governed, &recorded).await?;
        let _gate = self.disclosures.gates.enter(&grant).await;
        let mut dossier = self.dossier(&grant).await?;
        is_granted(&dossier.life)?;
        let (docket, bundle) = (dossier.docket()?.docket, self.bundle(&dossier).await?);
        let release = Release {
            network: governed.network,
            grant,
            case: case_digest(&docket),
            member: governed.me.clone(),
            view: dossier.life.used,
            time: now(),
            items: docket.items,
        };
        let signature = self.enclave.sign(release.statement()).await?;
        let details = serde_json::json!({ "grant": grant, "view": release.view, "items": release.items });
        let event = Happening::now(What::DisclosureReleased).actor(by, "auditor").details(details).event();
        dossier.released = dossier.life.used;
        self.store.write(vec![dossier.put()?], vec![event]).await?;
        let signed = SignedRelease { release, signature };
        let head = [frame(bundle.write().as_bytes()), frame(&signed.encode())].concat();
        let view = Some(dossier.life.used);
        Ok(ReleaseStream { node: Arc::clone(self), grant, page: 0, head: Some(head.into()), view, ready: VecDeque::new() })
    }

    /// Checks who takes, and puts a view on record if the one that is there was given.
    ///
    /// Threat: two who take at once, with one view between them: nobody else is past the gate of takings until this view is given.
    async fn begin_view(&self, governed: &Governed, grant: GrantId, taking: &[u8]) -> Result<Dossier, Error> {
        let _gate = self.disclosures.gates.enter(&grant).await;
        let mut dossier = self.dossier(&grant).await?;
        take(&mut dossier, taking, Part::Release)?;
        self.enough_shares(&dossier).await?;
        self.count_verdicts(&dossier, &dossier.verdicts()?)?.is_enough().map_err(DisclosureError::from)?;
        if dossier.released >= dossier.life.used {
            self.record_view(governed, &mut dossier).await?;
        } else {
            self.store.write(vec![dossier.put()?], Vec::new()).await?;
        }
        Ok(dossier)
    }

    /// A payload as it is given in a view, or our signed word on why it is not.
    async fn released(&self, grant: &Giving, item: Item) -> Result<Released, Error> {
        let id = item.id;
        let why = match self.given_or_why(grant, item).await? {
            Ok(given) => return Ok(given),
            Err(why) => Released::words(&why),
        };
        let signature = self.enclave.sign(Released::reason(&grant.docket, grant.view, &id, &why)).await?;
        Ok(Released::Withheld { id, why, signature })
    }

    async fn given_or_why(&self, grant: &Giving, item: Item) -> Result<Result<Released, String>, Error> {
        let id = item.id;
        let withheld = |why: String| Ok(Err(why));
        if !matches!(item.found, Found::Escrowed { .. }) {
            return withheld(item.why_not().map_or_else(String::new, |why| why.to_string()));
        }
        // As it is now: an erasure or a block since goes before the grant.
        let now = self.found(id).await?;
        if now != item.found
            && !matches!(now, Found::Held(_))
            && let Some(copy) = self.copy_of_item(&item).await?
        {
            return self.given_of_copy(grant, id, copy).await;
        }
        match now {
            found @ Found::Escrowed { .. } if found == item.found => {}
            Found::Escrowed { .. } => return withheld("it is not here any more".into()),
            Found::Erased(words) => return withheld(format!("erased since: {words}")),
            Found::Held(words) => return withheld(words),
            Found::NoEscrow | Found::Absent => return withheld("it is not here any more".into()),
        }
        let Lookup::Found(record) = self.store.get(Kind::Payload, &id).await? else {
            return withheld("it is not here any more".into());
        };
        let info = sigma_info(&grant.case);
        let sealed = match self.enclave.release_escrow(id, &record.head, record.nonce, grant.to, info).await {
            Ok(sealed) => sealed,
            Err(EnclaveError::Erased) => return withheld("erased since".into()),
            Err(error) => return Err(error.into()),
        };
        let (mut header, acks) = self.proofs_of(id).await?;
        if header.is_none() {
            header = match self.word_of(&item, &record.head).await {
                Err(Error::Enclave(EnclaveError::Erased)) => return withheld("erased since".into()),
                other => other?,
            };
        }
        let provenance = Provenance { header, acks }.seal(&grant.to, &grant.case, &id).map_err(DisclosureError::from)?;
        Ok(Ok(Released::Given { id, sealed: sealed.to_vec(), ciphertext: record.ciphertext.to_vec(), provenance }))
    }

    /// The same of a supervisor's copy.
    async fn given_of_copy(&self, grant: &Giving, id: PayloadId, copy: CopyContent) -> Result<Result<Released, String>, Error> {
        let info = sigma_info(&grant.case);
        let sealed = match self.enclave.release_escrow(id, &copy.head, copy.nonce, grant.to, info).await {
            Ok(sealed) => sealed,
            Err(EnclaveError::Erased) => return Ok(Err("erased since".into())),
            Err(error) => return Err(error.into()),
        };
        let acks = self.copy_acknowledged(id, &copy).await?;
        let provenance = Provenance { header: Some((copy.header, copy.signature)), acks };
        let provenance = provenance.seal(&grant.to, &grant.case, &id).map_err(DisclosureError::from)?;
        Ok(Ok(Released::Given { id, sealed: sealed.to_vec(), ciphertext: copy.ciphertext.to_vec(), provenance }))
    }

    /// What we keep of the rules of a payload in Tessera's suite, which has no header: our word, in the form of one.
    async fn word_of(&self, item: &Item, head: &SealedHead) -> Result<Option<(Vec<u8>, [u8; 64])>, Error> {
        let (Some(Ok(label)), Found::Escrowed { capsule, .. }) = (item.label(), &item.found) else { return Ok(None) };
        let Some(member) = label.member.clone() else { return Ok(None) };
        let meta = self.enclave.meta(item.id, head).await?;
        let is_told = meta.privacy.flag == PrivacyFlag::StateValidation;
        let header = Header {
            network: label.network,
            suite: label.suite,
            policy: label.policy,
            day: label.day,
            class: label.class,
            time: u64::from(label.day) * DAY,
            sender: label.sender,
            member,
            id: item.id,
            privacy: meta.privacy,
            recipients: is_told.then_some(meta.recipients),
            audience: [0; 32],
            escrow: Some(Carried { epoch: label.epoch, capsule: (**capsule).clone() }.to_bytes()),
        };
        let bytes = header.encode();
        let signature = self.enclave.sign(signed(&label.network, &bytes)).await?;
        Ok(Some((bytes, signature)))
    }

    /// Header and acknowledgements, of a payload that has them.
    async fn proofs_of(&self, id: PayloadId) -> Result<(Option<(Vec<u8>, [u8; 64])>, Vec<SignedAck>), Error> {
        match self.receipt(id).await {
            Ok(receipt) => Ok((Some((receipt.header.encode(), receipt.signature)), receipt.acks)),
            Err(Error::NoReceipt(_)) => Ok((None, Vec::new())),
            Err(error) => Err(error),
        }
    }
}

/// That it is the auditor who takes, now, and not with a word that was used before. Counts once the dossier is written.
pub(super) fn take(dossier: &mut Dossier, taking: &[u8], part: Part) -> Result<(), Error> {
    let signed = SignedTaking::decode(taking).map_err(DisclosureError::from)?;
    signed.verify(&dossier.request()?.request, &dossier.docket()?.docket, part).map_err(DisclosureError::from)?;
    fresh(signed.taking.time)?;
    if signed.taking.time <= dossier.taken {
        return Err(DisclosureError::Used.into());
    }
    dossier.taken = signed.taking.time;
    Ok(())
}

impl ReleaseStream {
    /// The next piece; nothing at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head));
        }
        let Some(view) = self.view else {
            let items = self.next_page().await?;
            let piece: Vec<u8> = items.iter().flat_map(|item| frame(&item.encode())).collect();
            return Ok((!piece.is_empty()).then(|| piece.into()));
        };
        if self.ready.is_empty() {
            self.ready = self.next_page().await?.into();
        }
        let together = self.ready.len().min(TOGETHER);
        if together == 0 {
            return Ok(None);
        }
        let items: Vec<Item> = self.ready.drain(..together).collect();
        // Threat: a grant that is revoked or ends while a long release is on its way.
        let dossier = self.node.dossier(&self.grant).await?;
        is_granted(&dossier.life)?;
        let grant = Giving::of(&dossier, view)?;
        let released = join_all(items.into_iter().map(|item| self.node.released(&grant, item))).await;
        let mut piece = Vec::new();
        for released in released {
            let released = released?;
            if matches!(released, Released::Given { .. }) {
                self.node.counters.disclosed.add();
            }
            piece.extend_from_slice(&frame(&released.encode()));
        }
        Ok(Some(piece.into()))
    }

    async fn next_page(&mut self) -> Result<Vec<Item>, Error> {
        let items = self.node.items_page(&self.grant, self.page).await?;
        self.page += 1;
        Ok(items)
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        DisclosureError::from(refused).into()
    }
}
