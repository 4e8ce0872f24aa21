//! Members are told what of theirs is asked for and seen: at once, or when a secrecy order ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::DisclosureError;
use super::rows::{Dossier, Due, Untold, delete, put_waiting};
use crate::crypto::hash::sha256;
use crate::disclosure::{GrantId, Item, Notice, SignedNotice, Told};
use crate::enclave::EnclaveError;
use crate::services::governed::native_address;
use crate::services::happening::{Happening, Kind as What};
use crate::services::native::path;
use crate::services::records::now;
use crate::services::{Error, Governed, Node};
use crate::store::Kind;
use crate::translog::levels::Levels;
use crate::types::{Coded as _, MemberId};
use crate::wire::Header;

const BUDGET: Duration = Duration::from_secs(10);
/// When a member that did not answer is told again, in milliseconds.
const LATER: u64 = 30_000;
/// Notices in memory at once, and how often so many are told in one turn.
const TOGETHER: usize = 8;
const ROUNDS: usize = 16;
/// Notices written at once.
const WRITTEN: usize = 8;
/// Calls to the enclave at once.
const PARALLEL: usize = 32;

/// A list, and whom its items concern.
struct List {
    items: Vec<Item>,
    levels: Levels,
    concerned: BTreeMap<MemberId, Vec<usize>>,
}

impl Node {
    /// Writes down what those concerned are to be told of a grant, one or more notices for each: they wait for it, and for the end of secrecy.
    ///
    /// Threat: a list so long that nobody revokes anything while it is told. Others are kept out for the last writing alone. What is written
    /// twice, after a crash, lies in one place.
    pub(super) async fn tell_untold(&self, governed: &Arc<Governed>, grant: &GrantId) -> Result<(), Error> {
        let dossier = self.dossier(grant).await?;
        if dossier.untold.is_empty() {
            return Ok(());
        }
        let items = self.items(grant).await?;
        let list = List {
            concerned: self.concerned(governed, &items).await?,
            levels: Levels::new(items.iter().map(Item::leaf).collect()),
            items,
        };
        for untold in &dossier.untold {
            self.write_notices(governed, &dossier, &list, *untold).await?;
            let _gate = self.disclosures.gates.enter(grant).await;
            let mut dossier = self.dossier(grant).await?;
            dossier.untold.retain(|other| other != untold);
            self.store.write(vec![dossier.put()?], Vec::new()).await?;
        }
        Ok(())
    }

    /// A few at a time: notices of a long list are many times longer than the list.
    async fn write_notices(&self, governed: &Arc<Governed>, dossier: &Dossier, list: &List, untold: Untold) -> Result<(), Error> {
        let request = dossier.request()?;
        let due = request.request.secret_until().unwrap_or_default();
        // It is on record, and on its way into the log: if that takes long, it is told without the proof.
        let view = self.view_in_log(governed, untold.view).await?;
        let (docket, verdicts) = (dossier.docket()?, dossier.verdicts()?);
        let mut rows = Vec::new();
        for (member, places) in &list.concerned {
            for (page, places) in (0_u32..).zip(places.chunks(Notice::MAX_ITEMS)) {
                let notice = Notice {
                    network: governed.network,
                    to: member.clone(),
                    stage: untold.stage,
                    page,
                    time: now(),
                    request: request.clone(),
                    docket: docket.clone(),
                    verdicts: verdicts.clone(),
                    view: view.clone(),
                    items: places.iter().map(|at| list.told(*at)).collect(),
                };
                notice.check_form().map_err(DisclosureError::from)?;
                let signature = self.enclave.sign(notice.statement()).await?;
                let name = name_of(&request.request.grant, untold, page);
                rows.push(put_waiting(due, name, member, SignedNotice { notice, signature }.encode()));
                if rows.len() == WRITTEN {
                    self.store.write(std::mem::take(&mut rows), Vec::new()).await?;
                }
            }
        }
        self.store.write(rows, Vec::new()).await?;
        Ok(())
    }

    /// Which members an item concerns: who sent it, and whom this node knows as its recipients. Others than this one.
    async fn concerned(&self, governed: &Governed, items: &[Item]) -> Result<BTreeMap<MemberId, Vec<usize>>, Error> {
        let mut concerned: BTreeMap<MemberId, Vec<usize>> = BTreeMap::new();
        for (first, chunk) in (0..).step_by(PARALLEL).zip(items.chunks(PARALLEL)) {
            let members = join_all(chunk.iter().map(|item| self.concerned_by(governed, item))).await;
            for (at, members) in (first..).zip(members) {
                for member in members?.into_iter().filter(|member| *member != governed.me) {
                    concerned.entry(member).or_default().push(at);
                }
            }
        }
        Ok(concerned)
    }

    async fn concerned_by(&self, governed: &Governed, item: &Item) -> Result<BTreeSet<MemberId>, Error> {
        let (mut members, charter) = (BTreeSet::new(), governed.charter());
        members.extend(item.label().and_then(Result::ok).and_then(|label| label.member));
        if let Some(head) = self.head(Kind::Payload, &item.id).await? {
            match self.enclave.meta(item.id, &head).await {
                Ok(meta) => {
                    // Whose the addresses were when it was made: an address that moved makes nobody party to what was before.
                    let header = meta.native.as_ref().and_then(|native| Header::decode(&native.header).ok());
                    let made = header.map_or_else(now, |header| header.time);
                    let keys = meta.recipients.iter().chain([&meta.sender]);
                    members.extend(keys.filter_map(|key| charter.owner_of(key, made)).cloned());
                }
                Err(EnclaveError::Erased) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(copy) = self.copy_of_item(item).await? {
            let keys = copy.recipients.iter().chain([&copy.sender]);
            members.extend(keys.filter_map(|key| charter.owner_of(key, copy.made)).cloned());
        }
        Ok(members)
    }

    /// Tells what is due. A member that does not answer is told later; one that runs a Tessera cannot be.
    pub(super) async fn tell_due(&self) -> Result<(), Error> {
        let governed = Arc::clone(self.needs_governance()?);
        for _ in 0..ROUNDS {
            let due = self.notices_due(now(), TOGETHER).await?;
            let (mut is_slow, is_last) = (false, due.len() < TOGETHER);
            for waiting in due {
                is_slow |= !self.tell_one(&governed, waiting).await?;
            }
            // Whatever else is due for a grant waits for no member that does not answer.
            if is_slow || is_last {
                break;
            }
        }
        Ok(())
    }

    /// Tells one. Whether there was an answer, or none to wait for.
    async fn tell_one(&self, governed: &Governed, waiting: Due) -> Result<bool, Error> {
        let Some(to) = governed.charter().members().by_id(&waiting.to).and_then(native_address) else {
            // Not by name, either: the journal has no recipients of payloads.
            let event = Happening::now(What::DisclosureNotice).text("one of those concerned runs a Tessera: not told").event();
            self.store.write(vec![delete(waiting.place)], vec![event]).await?;
            return Ok(true);
        };
        match governed.peers.call(&to, path::DISCLOSE_NOTICE, waiting.notice.clone(), BUDGET).await {
            Ok(_) => {
                self.store.write(vec![delete(waiting.place)], Vec::new()).await?;
                Ok(true)
            }
            Err(error) => {
                // Threat: the log names whom a payload is for: those concerned are its sender and its recipients.
                tracing::info!(code = %error.code(), "a member was not told of a disclosure yet");
                // Threat: a few that do not answer keep all others from being told. They are asked later.
                let later = put_waiting(now() + LATER, waiting.name, &waiting.to, waiting.notice.to_vec());
                self.store.write(vec![delete(waiting.place), later], Vec::new()).await?;
                Ok(false)
            }
        }
    }
}

impl List {
    fn told(&self, at: usize) -> Told {
        Told { item: self.items[at].clone(), index: at as u64, path: self.levels.path(at as u64) }
    }
}

/// A name for what is told of a grant on one page: the same, however often it is written.
fn name_of(grant: &GrantId, untold: Untold, page: u32) -> [u8; 8] {
    let view = untold.view.unwrap_or(u64::MAX).to_be_bytes();
    let digest = sha256(&[&grant.0, untold.stage.name().as_bytes(), &view, &page.to_be_bytes()]);
    std::array::from_fn(|at| digest[at])
}
