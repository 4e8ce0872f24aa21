//! Sending: draft, rules, seal; then kept here and delivered to all in parallel; the id is told when all of it is durable.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::governed::{Route, native_address};
use super::happening::{Happening, Kind as What};
use super::records::now;
use super::rights::Declared;
use super::rules::{self, Known};
use super::supervision::{Copies, ToldOfTessera, told_row};
use super::{Error, Node, PeerError, SendRequest, Sent, Terms, WithdrawToken};
use crate::directory::Member;
use crate::enclave::{AffectedRecord, Draft, Sealed};
use crate::erasure::Tags;
use crate::shred::SealedHead;
use crate::store::{Inserted, Kind, Record, StoreError};
use crate::types::{Address, ApiVersion, Class, Coded as _, ItemId, MemberId, PayloadId, Privacy, PrivacyFlag};
use crate::wire::EncodedPayload;

/// Longest that taking back may add to a failed send: delivery budget and this stay inside GoQuorum's 5 s.
const WITHDRAW_BUDGET: Duration = Duration::from_secs(1);

/// A transaction that passed the rules.
pub(crate) struct Plan {
    pub(crate) recipients: Vec<Address>,
    pub(crate) privacy: Privacy,
    pub(crate) affected: Vec<AffectedRecord>,
}

/// A recipient at another member.
struct Remote {
    index: usize,
    key: Address,
    route: Route,
}

impl Node {
    /// Seals, keeps and delivers a payload; every recipient has it durably when this returns.
    ///
    /// Goes on to its end when its caller gives up: what was delivered is then taken back, or the payload is everywhere.
    pub async fn send(self: &Arc<Self>, request: SendRequest) -> Result<Sent, Error> {
        let node = Arc::clone(self);
        to_its_end(async move { node.send_now(request).await }).await
    }

    async fn send_now(&self, request: SendRequest) -> Result<Sent, Error> {
        if let Some(governed) = &self.governed {
            return self.send_governed(governed, request).await;
        }
        let class = request.terms.class.unwrap_or_default();
        let sender = self.sender(request.from)?;
        let Plan { recipients, privacy, affected } = self.plan(sender, &request.to, &request.terms).await?;
        let draft = Draft { plaintext: request.payload, sender, recipients, privacy, affected, escrow: None };
        let sealed = self.enclave.seal(draft).await?;
        let tags = request.terms.declared();
        self.keep_and_deliver(sealed, class, &tags).await
    }

    /// The sender of a request: the default key if it names none.
    pub(crate) fn sender(&self, from: Option<Address>) -> Result<Address, Error> {
        let ours = self.enclave.addresses();
        match from {
            None => ours.first().copied().ok_or_else(|| Error::BadRequest("this node has no key".into())),
            Some(key) if ours.contains(&key) => Ok(key),
            Some(key) => Err(Error::SenderUnknown(key)),
        }
    }

    /// Applies the rules to a request.
    pub(crate) async fn plan(&self, sender: Address, to: &[Address], terms: &Terms) -> Result<Plan, Error> {
        self.plan_with(sender, to, &[], terms).await
    }

    /// The same with recipients that the policy imposes.
    pub(crate) async fn plan_with(
        &self,
        sender: Address,
        to: &[Address],
        imposed: &[Address],
        terms: &Terms,
    ) -> Result<Plan, Error> {
        let mut ids = terms.affected.clone();
        ids.sort_unstable();
        ids.dedup();
        let found = self.affected(&ids).await?;
        if let Some(missing) = ids.iter().find(|id| !found.iter().any(|(record, _)| record.id == **id)) {
            return Err(Error::PrivacyViolation(format!("Unable to find affectedContractTransaction {missing}")));
        }
        if terms.flag.is_enhanced() && !self.settings.enhanced_privacy {
            return Err(Error::EnhancedPrivacyDisabled);
        }
        let recipients = self.recipients(sender, to, imposed, terms).await?;
        let privacy = Privacy {
            flag: terms.flag,
            affected: Vec::new(),
            exec_hash: terms.exec_hash.clone().into_bytes(),
            mandatory: terms.mandatory.clone(),
            group: terms.group.clone(),
        };
        privacy.check().map_err(|error| Error::Unbuildable(error.to_string()))?;
        let known: Vec<Known<'_>> = found.iter().map(|(record, meta)| Known { id: &record.id, meta }).collect();
        rules::check_send(&privacy, &recipients, &known)?;
        self.remotes(&recipients, &privacy)?;
        let affected = found.into_iter().map(|(record, _)| record).collect();
        Ok(Plan { recipients, privacy, affected })
    }

    /// Who gets a box, each once: the named recipients or the group's members, the sender, whom the policy imposes, those who always receive.
    async fn recipients(
        &self,
        sender: Address,
        to: &[Address],
        imposed: &[Address],
        terms: &Terms,
    ) -> Result<Vec<Address>, Error> {
        let members = match &terms.group {
            Some(id) => self.group(id.clone()).await?.members,
            None => to.to_vec(),
        };
        let mut recipients = Vec::with_capacity(members.len() + 1);
        let imposed = imposed.iter().chain(&self.settings.always_send_to).copied();
        for key in members.into_iter().chain([sender]).chain(imposed) {
            if !recipients.contains(&key) {
                recipients.push(key);
            }
        }
        Ok(recipients)
    }

    /// Where the recipients of other members are, and that their peers know the rules asked for.
    fn remotes(&self, recipients: &[Address], privacy: &Privacy) -> Result<Vec<Remote>, Error> {
        let others = recipients.iter().enumerate().filter(|(_, key)| !self.directory.is_own(key));
        others
            .map(|(index, key)| {
                let route = self.locate(key)?;
                if let Route::Compatible(member) = &route {
                    check_versions(key, member, privacy)?;
                }
                Ok(Remote { index, key: *key, route })
            })
            .collect()
    }

    /// Tells the supervisors of a sealed payload, if it has any; then keeps and delivers it, both at once. If one recipient cannot have it,
    /// the others are asked to forget it, and the supervisors, too.
    pub(crate) async fn keep_and_deliver(&self, sealed: Sealed, class: Class, tags: &Tags) -> Result<Sent, Error> {
        let remotes = self.remotes(&sealed.payload.recipients, &sealed.payload.privacy)?;
        let is_shown = remotes.iter().any(|remote| matches!(remote.route, Route::Native(_)));
        let (told, copies) = self.tell_of_tessera(&sealed, class, tags, is_shown).await;
        let copies_at = self.routes_of(&copies);
        if let Some(failure) = copies.failure {
            self.counters.send_failed.add();
            self.take_back(sealed.id, None, copies_at).await;
            return Err(failure);
        }
        let deliveries = join_all(remotes.iter().map(|remote| self.deliver(&sealed.payload, remote, &told)));
        let keep = async {
            let is_new = self.keep(&sealed, class, tags).await?;
            if let Some(copy) = &told.copy {
                self.keep_copy(sealed.id, copy.clone()).await?;
            }
            Ok::<_, Error>(is_new)
        };
        let (kept, delivered) = tokio::join!(keep, deliveries);
        let failure = delivered.iter().zip(&remotes).find_map(|(outcome, remote)| {
            let source = outcome.as_ref().err()?.clone();
            Some(Error::Delivery { recipient: remote.key, source })
        });
        let affected = affected_ids(&sealed);
        // Threat: an order comes while the payload is on its way. Its id is not told, and it is taken back.
        let failure = match failure {
            None => self.own_not_stopped(class, tags, &affected).await.err(),
            failure => failure,
        };
        match (kept, failure) {
            (Ok(_), None) => {
                self.counters.sent.add();
                self.note_supervised(sealed.id, &self.watchers_of_tessera(&sealed, class, tags)).await;
                let managed = self.managed(&sealed.payload.sender, &sealed.payload.recipients);
                Ok(Sent { id: sealed.id, sender: sealed.payload.sender, managed })
            }
            (kept, failure) => {
                self.counters.send_failed.add();
                let tokens = remotes
                    .iter()
                    .zip(delivered)
                    .filter_map(|(remote, outcome)| outcome.ok().flatten().map(|token| (remote.route.clone(), token)));
                let own = matches!(kept, Ok(true)).then_some(sealed.head);
                self.take_back(sealed.id, own, tokens.chain(copies_at).collect()).await;
                Err(failure.or(kept.err()).unwrap_or(Error::NotFound(sealed.id)))
            }
        }
    }

    /// Where copies are taken back.
    fn routes_of(&self, copies: &Copies) -> Vec<(Route, WithdrawToken)> {
        let Some(governed) = &self.governed else { return Vec::new() };
        let charter = governed.charter();
        let route = |(member, token): &(MemberId, WithdrawToken)| {
            let address = charter.members().by_id(member).and_then(native_address)?;
            Some((Route::Native(address), *token))
        };
        copies.tokens.iter().filter_map(route).collect()
    }

    /// Keeps our own copy. True if it is new; an existing one (the same raw payload sent again) gains the new recipients.
    async fn keep(&self, sealed: &Sealed, class: Class, tags: &Tags) -> Result<bool, Error> {
        let item = ItemId::Payload(sealed.id);
        loop {
            let record = Record {
                time: now(),
                nonce: sealed.payload.nonce,
                head: sealed.head.clone(),
                ciphertext: sealed.payload.ciphertext.clone(),
            };
            let event = self.event(|| Happening::now(What::Stored).id(sealed.id).class(class));
            let Declared { mut rows, gate } = self.declared(item, &sealed.head, record.time, class, tags).await?;
            rows.extend(told_row(&sealed.id, &self.watchers_of_tessera(sealed, class, tags).members));
            let inserted = self.store.insert_with(Kind::Payload, sealed.id, record, event, rows).await?;
            drop(gate);
            match inserted {
                Inserted::New => return Ok(true),
                Inserted::Buried => return Err(Error::Erased(sealed.id)),
                Inserted::Exists if self.merge(sealed.id, &sealed.head, &sealed.payload).await? => {
                    if !tags.is_empty() {
                        self.tag(item, tags.clone()).await?;
                    }
                    return Ok(false);
                }
                // Another send of it failed meanwhile and took its copy back: this one keeps its own.
                Inserted::Exists => {}
            }
        }
    }

    async fn deliver(
        &self,
        payload: &EncodedPayload,
        remote: &Remote,
        told: &ToldOfTessera,
    ) -> Result<Option<WithdrawToken>, PeerError> {
        let url = remote.route.url();
        let Some(copy) = for_recipient(payload, remote.index) else { return Err(PeerError::Malformed(url.clone())) };
        let push = async {
            match &remote.route {
                Route::Compatible(member) => {
                    let codec = member.versions.codec();
                    Ok(self.peers.push(url, codec, copy.encode(codec)).await?.withdraw)
                }
                Route::Native(address) => self.tell_nacl(address, &copy, &told.to(&remote.key)).await,
            }
        };
        let outcome = match tokio::time::timeout(self.settings.peer_budget, push).await {
            Ok(outcome) => outcome,
            Err(_) => Err(PeerError::Offline(url.clone())),
        };
        match &outcome {
            Ok(_) => self.counters.delivered.add(),
            Err(error) => {
                self.counters.delivery_failed.add();
                tracing::warn!(peer = %url, error = error.without_words(), "a delivery failed");
            }
        }
        outcome
    }

    /// After a failed send nobody keeps what nobody will refer to. Best effort: a Tessera cannot be asked.
    async fn take_back(&self, id: PayloadId, own: Option<SealedHead>, tokens: Vec<(Route, WithdrawToken)>) {
        let withdrawals = join_all(tokens.iter().map(|(route, token)| self.withdraw_at(route, id, *token)));
        match tokio::time::timeout(WITHDRAW_BUDGET, withdrawals).await {
            Ok(outcomes) => {
                for ((route, _), error) in tokens.iter().zip(outcomes).filter_map(|(peer, outcome)| Some((peer, outcome.err()?)))
                {
                    tracing::warn!(%id, peer = %route.url(), error = error.without_words(), "a delivery of a failed send could not be taken back");
                }
            }
            Err(_) => tracing::warn!(%id, "deliveries of a failed send could not be taken back in time"),
        }
        if let Some(head) = own
            && let Err(error) = self.forget(id, head).await
        {
            tracing::warn!(%id, code = %error.code(), "our own copy of a failed send stays");
        }
    }
}

fn affected_ids(sealed: &Sealed) -> Vec<PayloadId> {
    sealed.payload.privacy.affected.iter().map(|affected| affected.id).collect()
}

/// Runs a verb on its own: a caller that hangs up (GoQuorum does after 5 s) must not leave it half done.
pub(crate) async fn to_its_end<T: Send + 'static>(
    verb: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    match tokio::spawn(verb).await {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StoreError::Unavailable.into()),
    }
}

/// What one recipient is sent: its own box, and no word of the others unless state validation needs them.
pub(crate) fn for_recipient(payload: &EncodedPayload, index: usize) -> Option<EncodedPayload> {
    let key = *payload.recipients.get(index)?;
    let mut recipients = vec![key];
    if payload.privacy.flag == PrivacyFlag::StateValidation {
        recipients.extend(payload.recipients.iter().filter(|other| **other != key));
    }
    Some(EncodedPayload {
        sender: payload.sender,
        ciphertext: payload.ciphertext.clone(),
        nonce: payload.nonce,
        boxes: vec![*payload.boxes.get(index)?],
        recipient_nonce: payload.recipient_nonce,
        recipients,
        privacy: payload.privacy.clone(),
    })
}

fn check_versions(key: &Address, member: &Member, privacy: &Privacy) -> Result<(), Error> {
    let speaks = |version| member.versions.contains(version);
    if privacy.flag.is_enhanced() && !speaks(ApiVersion::V2) {
        return Err(Error::EnhancedPrivacyUnsupported(*key));
    }
    if privacy.flag == PrivacyFlag::MandatoryRecipients && !speaks(ApiVersion::V4) {
        return Err(Error::MandatoryUnsupported(*key));
    }
    if privacy.group.is_some() && !speaks(ApiVersion::V3) {
        return Err(Error::GroupUnsupported(*key));
    }
    Ok(())
}
