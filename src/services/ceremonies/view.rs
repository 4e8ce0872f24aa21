//! What people see of ceremonies: who is waited for, what was said, who cheated.

use data_encoding::HEXLOWER;
use serde::Serialize;

use super::RelayError;
use super::mailbox::{Kept, LIFETIME};
use super::rows::name;
use crate::ceremony::{Board, Carried, CeremonyId, Message};
use crate::governance::Purpose;
use crate::services::{Error, Node};
use crate::types::{Coded as _, MemberId};

/// Messages of one page, and their bytes.
const PAGE: usize = 256;
const PAGE_BYTES: usize = 4 << 20;

/// A ceremony as people see it. It names officers: that is for people, not for logs.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CeremonyView {
    /// Its number.
    pub ceremony: String,
    /// `escrow 1, generation 2`.
    pub title: String,
    /// What its key is for.
    pub purpose: Purpose,
    /// Which key.
    pub epoch: u64,
    /// Which shares.
    pub generation: u64,
    /// Whose node opened it.
    pub member: MemberId,
    /// When, milliseconds since the Unix epoch.
    pub opened: u64,
    /// Until when it is kept here.
    pub until: u64,
    /// `open`, or `done` when all have spoken in the last round.
    pub state: &'static str,
    /// Who has not spoken, by round.
    pub missing: Vec<Vec<String>>,
    /// Who signed two different things in one round.
    pub two_tongued: Vec<String>,
    /// The plan, where one ceremony is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// What stands against it, where one is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

/// Who cheated, as far as everybody sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Trouble {
    code: String,
    text: String,
}

/// What became of something that was handed in.
#[derive(Clone, Debug, Serialize)]
pub struct Posted {
    /// The ceremony's number.
    pub ceremony: String,
    /// It was not here before.
    pub new: bool,
    /// Other members that have it.
    pub told: usize,
    /// Those that could not be told yet: they learn of it when they compare.
    pub silent: Vec<MemberId>,
}

/// Messages in the order of their coming.
#[derive(Clone, Debug, Serialize)]
pub struct SaidPage {
    /// Each an officer's file, as text.
    pub messages: Vec<String>,
    /// The place of the last one of the page.
    pub next: u64,
    /// More are behind it.
    pub more: bool,
}

impl Node {
    /// All ceremonies that are here, the newest first.
    pub fn ceremonies(&self) -> Result<Vec<CeremonyView>, Error> {
        let governed = self.needs_governance()?;
        let known = governed.mail.known.read();
        let mut all: Vec<CeremonyView> = known.0.iter().map(|(id, kept)| view(id, kept)).collect();
        all.sort_by_key(|view| std::cmp::Reverse(view.opened));
        Ok(all)
    }

    /// One of them, with its plan and what stands against it.
    pub async fn ceremony(&self, id: &CeremonyId) -> Result<CeremonyView, Error> {
        let (mut view, plan) = {
            let known = self.needs_governance()?.mail.known.read();
            let kept = known.kept(id)?;
            (view(id, kept), kept.opening.plan.clone())
        };
        let mut board = Board::new(&plan);
        let mut trouble = None;
        for message in self.words_of(id).await? {
            if let Err(error) = board.add(message) {
                trouble.get_or_insert(error);
            }
        }
        let trouble = trouble.or_else(|| board.trouble());
        view.trouble = trouble.map(|error| Trouble { code: error.code().to_string(), text: error.to_string() });
        view.plan = Some(plan.to_toml());
        Ok(view)
    }

    /// The committee that a ceremony made, with everybody's signature: what governors take into a policy.
    pub async fn ceremony_committee(&self, id: &CeremonyId) -> Result<String, Error> {
        let plan = self.needs_governance()?.mail.known.read().kept(id)?.opening.plan.clone();
        let mut board = Board::new(&plan);
        for message in self.words_of(id).await? {
            board.add(message).map_err(RelayError::Ceremony)?;
        }
        Ok(board.complete().map_err(RelayError::Ceremony)?.to_toml())
    }

    /// What was said behind a place.
    pub async fn ceremony_messages(&self, id: &CeremonyId, after: u64) -> Result<SaidPage, Error> {
        let names = self.names_of(id, after)?;
        let mut page = SaidPage { messages: Vec::new(), next: after, more: false };
        let mut bytes = 0;
        for (place, name) in names {
            if page.messages.len() >= PAGE || bytes >= PAGE_BYTES {
                page.more = true;
                break;
            }
            if let Some(message) = self.word(&name).await? {
                let text = message.to_json();
                bytes += text.len();
                page.messages.push(text);
            }
            page.next = place;
        }
        Ok(page)
    }

    async fn words_of(&self, id: &CeremonyId) -> Result<Vec<Message>, Error> {
        let mut words = Vec::new();
        for (_, name) in self.names_of(id, 0)? {
            words.extend(self.word(&name).await?);
        }
        Ok(words)
    }

    fn names_of(&self, id: &CeremonyId, after: u64) -> Result<Vec<(u64, Vec<u8>)>, Error> {
        let known = self.needs_governance()?.mail.known.read();
        let words = known.kept(id)?.said.iter();
        let words = words.flat_map(|((round, from), said)| said.iter().map(move |said| (*round, from, said)));
        let behind = words.filter(|(_, _, said)| said.place > after);
        let mut names: Vec<_> =
            behind.map(|(round, from, said)| (said.place, name(id, Some((round, from, &said.digest))))).collect();
        names.sort_unstable();
        Ok(names)
    }

    async fn word(&self, name: &[u8]) -> Result<Option<Message>, Error> {
        let Some(bytes) = self.carried(name).await? else { return Ok(None) };
        match Carried::decode(&bytes) {
            Ok(Carried::Message(message)) => Ok(Some(message)),
            _ => {
                tracing::error!(name = HEXLOWER.encode(&name[..8]), "a kept word of a ceremony does not decode");
                Ok(None)
            }
        }
    }
}

fn view(id: &CeremonyId, kept: &Kept) -> CeremonyView {
    let plan = &kept.opening.plan;
    CeremonyView {
        ceremony: id.to_string(),
        title: plan.title(),
        purpose: plan.purpose,
        epoch: plan.epoch,
        generation: plan.generation,
        member: kept.opening.member.clone(),
        opened: kept.opening.opened,
        until: kept.taken.saturating_add(LIFETIME),
        state: if kept.is_done() { "done" } else { "open" },
        missing: (1..=3).map(|round| kept.missing(round)).collect(),
        two_tongued: kept.two_tongued(),
        plan: None,
        trouble: None,
    }
}
