//! Sending in a governed network: the policy first, then the suite that the recipients decide, then everywhere at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use super::deliver::Taken;
use super::first::{First, Receivers};
use crate::crypto::padme;
use crate::enclave::{Draft, NativeDraft, NativeSealed, NativeTarget};
use crate::erasure::Tags;
use crate::governance::{Charter, Padding};
use crate::services::escrow;
use crate::services::governed::{Governed, Route};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::send::Plan;
use crate::services::supervision::{Concern, Watchers, copied_to, told_row};
use crate::services::withdraw::WithdrawToken;
use crate::services::{Error, Node, SendRequest, Sent};
use crate::store::{Inserted, Kind, Record};
use crate::types::{Address, Class, ItemId, MemberId};
use crate::wire::Vouched;
use crate::wire::delivery::Delivery;
use crate::wire::header::day_of;

/// A sealed payload with what the policy says of its way.
pub(super) struct Outgoing<'a> {
    pub(super) governed: &'a Arc<Governed>,
    pub(super) charter: &'a Charter,
    pub(super) sealed: &'a NativeSealed,
    /// Whom each delivery is for.
    pub(super) members: Vec<MemberId>,
    pub(super) class: Class,
    /// What the sender declared of it. The header has its class.
    tags: Tags,
    /// Recipients that the policy imposes: every member is shown that they are.
    pub(super) imposed: Vec<Address>,
    /// What supervision looks at.
    concern: Concern,
    /// Whom a copy of it is for (modes S1 and S2).
    pub(super) supervisors: Watchers,
    /// Supervisors that receive it, before the others (modes S3 and S4).
    pub(super) receivers: Receivers,
}

/// What became of a payload and its deliveries.
struct Delivered {
    kept: Result<(), Error>,
    at: Vec<(MemberId, Result<Taken, Error>)>,
    /// Copies at supervisors.
    copies: Vec<(MemberId, WithdrawToken)>,
    failure: Option<Error>,
    /// What supervisors said of it.
    words: Vouched,
}

impl Node {
    /// Sends as directory and policy say. A payload with a recipient that runs Tessera goes to all in Tessera's suite, if the policy lets it.
    pub(crate) async fn send_governed(&self, governed: &Arc<Governed>, request: SendRequest) -> Result<Sent, Error> {
        let charter = governed.charter();
        let class = request.terms.class.unwrap_or_default();
        let sender = self.sender(request.from)?;
        governed.may_serve()?;
        governed.own_standing(&charter)?;
        let imposed = self.imposed(&charter, &sender, &request.terms.tags, class).await?;
        let Plan { recipients, privacy, affected } = self.plan_with(sender, &request.to, &imposed, &request.terms).await?;
        self.judge(&charter, &sender, &recipients, class).await?;
        let concern = Concern::own(governed, class, &request.terms.tags, &request.terms.affected);
        self.not_stopped(governed, &concern).await?;
        let supervisors = copied_to(charter.policy(), &governed.me, &concern);
        let receivers = Receivers::of(charter.policy(), &concern);
        let mut targets = BTreeMap::new();
        for key in recipients.iter().filter(|key| !self.directory.is_own(key)) {
            match self.route(&charter, key)? {
                Route::Native(address) => targets.insert(address.member.clone(), address),
                Route::Compatible(_) => {
                    self.may_be_unproved(&charter, &sender, &request.terms.tags, class).await?;
                    let escrow = self.escrow_terms(&sender, Some(class));
                    let draft = Draft { plaintext: request.payload, sender, recipients, privacy, affected, escrow };
                    let sealed = self.enclave.seal(draft).await?;
                    return self.keep_and_deliver(sealed, class, &request.terms.declared()).await;
                }
            };
        }
        let today = day_of(now());
        let budget = self.settings.peer_budget;
        let epochs = join_all(targets.values().map(|address| governed.epoch_of(&charter, address, today, budget / 3))).await;
        let mut sealed_for = Vec::with_capacity(targets.len());
        for ((member, _), epoch) in targets.iter().zip(epochs) {
            let epoch = epoch.map_err(|error| receivers.named(error, &charter, member, &recipients))?;
            sealed_for.push(NativeTarget { member: member.clone(), epoch, shown: imposed.clone() });
        }
        let named = recipients.iter().map(|key| Ok((*key, member_of(&charter, key)?))).collect::<Result<_, Error>>()?;
        let draft = NativeDraft {
            plaintext: request.payload,
            sender,
            policy: charter.policy_version(),
            class,
            padding: padding(charter.policy().rule(class).padding),
            privacy,
            recipients: named,
            affected,
            targets: sealed_for,
            escrow: escrow::key(charter.policy(), &governed.me, class),
        };
        if draft.escrow.is_some() {
            self.counters.capsules_made.add();
        }
        let members = draft.targets.iter().map(|target| target.member.clone()).collect();
        let sealed = self.enclave.seal_native(draft).await?;
        let tags = request.terms.tags;
        let outgoing = Outgoing {
            governed,
            charter: &charter,
            sealed: &sealed,
            members,
            class,
            tags,
            imposed,
            concern,
            supervisors,
            receivers,
        };
        self.keep_and_deliver_native(&outgoing, sender, &recipients).await
    }

    /// Our copy and all deliveries at once; then the id, or everything taken back.
    async fn keep_and_deliver_native(&self, out: &Outgoing<'_>, sender: Address, recipients: &[Address]) -> Result<Sent, Error> {
        let Delivered { kept, at: delivered, copies, failure, words } = self.deliver_all(out, recipients).await;
        let id = out.sealed.id;
        // Threat: an order comes while the payload is on its way. Its id is not told, and it is taken back.
        let failure = match failure {
            None => self.not_stopped(out.governed, &out.concern).await.err(),
            failure => failure,
        };
        match (kept, failure) {
            (Ok(()), None) => {
                self.counters.sent.add();
                self.counters.sent_native.add();
                self.note_supervised(id, &out.supervisors).await;
                let acks = delivered.into_iter().filter_map(|(_, outcome)| outcome.ok()).map(|taken| taken.ack).collect();
                self.keep_acks(out.governed, id, out.sealed.head.clone(), (acks, words));
                Ok(Sent { id, sender, managed: self.managed(&sender, recipients) })
            }
            (kept, failure) => {
                self.counters.send_failed.add();
                let taken = delivered.into_iter();
                let tokens = taken.filter_map(|(member, outcome)| Some((member, outcome.ok()?.withdraw?)));
                self.take_back_native(out, tokens.chain(copies).collect(), kept.is_ok()).await;
                Err(failure.or(kept.err()).unwrap_or(Error::NotFound(id)))
            }
        }
    }

    /// Its supervisors first; then our own copy and all other deliveries at once, with what the supervisors said.
    async fn deliver_all(&self, out: &Outgoing<'_>, recipients: &[Address]) -> Delivered {
        let ways = out.members.iter().zip(&out.sealed.deliveries);
        let (first, rest): (Vec<_>, Vec<_>) = ways.partition(|(member, _)| out.receivers.members.contains(member));
        let First { words, mut delivered, copies, failure } = self.supervisors_first(out, &first, recipients).await;
        if failure.is_some() {
            let kept = Err(Error::NotFound(out.sealed.id));
            return Delivered { kept, at: delivered, copies, failure, words: Vouched::default() };
        }
        let (kept, others) = tokio::join!(self.keep_native(out, &words), self.deliver_to(out, &rest, &words));
        delivered.extend(others);
        let failure = failed(out, &delivered, recipients);
        Delivered { kept, at: delivered, copies, failure, words }
    }

    pub(super) async fn deliver_to(
        &self,
        out: &Outgoing<'_>,
        ways: &[(&MemberId, &Delivery)],
        words: &Vouched,
    ) -> Vec<(MemberId, Result<Taken, Error>)> {
        let deliver = ways
            .iter()
            .map(async |(member, delivery)| ((*member).clone(), self.deliver_native(out, member, delivery, words).await));
        join_all(deliver).await
    }

    /// Keeps our copy, and what supervisors said of it: without that it is not given back to a recipient that lost it.
    async fn keep_native(&self, out: &Outgoing<'_>, words: &Vouched) -> Result<(), Error> {
        let NativeSealed { id, nonce, ciphertext, head, .. } = out.sealed;
        let record = Record { time: now(), nonce: *nonce, head: head.clone(), ciphertext: ciphertext.clone() };
        let event = Happening::now(What::Stored).id(*id).class(out.class).event();
        let mut declared = self.declared(ItemId::Payload(*id), head, record.time, out.class, &out.tags).await?;
        declared.rows.extend(told_row(id, &out.supervisors.members));
        match self.store.insert_with(Kind::Payload, *id, record, Some(event), declared.rows).await? {
            Inserted::New => self.keep_cosignature(*id, head, words).await,
            Inserted::Buried => Err(Error::Erased(*id)),
            // A fresh data key and nonce: nobody else can have made this id.
            Inserted::Exists => Err(Error::Conflict(*id)),
        }
    }
}

/// The padding of the policy in the suite's words.
pub(crate) fn padding(padding: Padding) -> padme::Padding {
    match padding {
        Padding::None => padme::Padding::None,
        Padding::Padme => padme::Padding::Padme,
        Padding::PadmeKib => padme::Padding::PadmeKib,
        Padding::Bucket => padme::Padding::Bucket,
    }
}

/// The first of some deliveries that failed.
pub(super) fn failed(
    out: &Outgoing<'_>,
    delivered: &[(MemberId, Result<Taken, Error>)],
    recipients: &[Address],
) -> Option<Error> {
    delivered.iter().find_map(|(member, outcome)| {
        let error = outcome.as_ref().err()?;
        Some(out.receivers.named(clone_of(error), out.charter, member, recipients))
    })
}

/// What went wrong with a member, told of the recipient's key as everywhere.
pub(super) fn at_recipient(error: Error, charter: &Charter, member: &MemberId, recipients: &[Address]) -> Error {
    let Error::Peer(source) = error else { return error };
    let of_member = charter.members().by_id(member).map(|member| &member.addresses);
    let recipient = recipients.iter().find(|key| of_member.is_some_and(|addresses| addresses.contains(key)));
    match recipient {
        Some(recipient) => Error::Delivery { recipient: *recipient, source },
        None => Error::Peer(source),
    }
}

/// The failure of a delivery once more, for the answer: outcomes are still needed for what is taken back.
fn clone_of(error: &Error) -> Error {
    match error {
        Error::Peer(source) => Error::Peer(source.clone()),
        Error::BadAck(member) => Error::BadAck(member.clone()),
        Error::EpochKey(member) => Error::EpochKey(member.clone()),
        _ => Error::Message("a delivery failed"),
    }
}

fn member_of(charter: &Charter, key: &Address) -> Result<MemberId, Error> {
    let member = charter.members().by_address(key);
    member.map(|member| member.id.clone()).ok_or(Error::RecipientUnknown(*key))
}
