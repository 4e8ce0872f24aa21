//! Discovery: announcing our keys, learning those of others, proving them where that is asked for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::{Capabilities, Error, Node};
use crate::directory::Member;
use crate::types::{Address, Codec, PeerUrl};
use crate::wire::PartyInfo;

/// Announcements under way at once.
const PARALLEL: usize = 32;
/// Keys of one announcement that are challenged, and how many at a time: one call must not make us open thousands of connections.
const MAX_PROOFS: usize = 256;
const PROOFS_AT_ONCE: usize = 8;
/// URLs that one announcement may tell us of, and that ours tells.
const MAX_PARTIES: usize = 2_000;
/// Rounds of greetings under way at once.
const MAX_ROUNDS: usize = 8;
/// First wait before a peer that does not answer is asked again; doubles up to the poll interval.
const FIRST_RETRY: Duration = Duration::from_millis(100);

/// A party info that came in, with what its headers say.
#[derive(Clone, Debug)]
pub struct PartyInfoFrom {
    /// The announcement.
    pub info: PartyInfo,
    /// The caller's capabilities.
    pub capabilities: Capabilities,
}

/// What to answer to `POST /partyinfo`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PartyInfoAnswer {
    /// An announcement with our URL and nothing else (no key validation here).
    EmptyInfo(PartyInfo),
    /// An empty body (keys were validated).
    Nothing,
}

/// Peers to greet at once, not at the next poll: so two Celosias know each other within a round trip.
#[derive(Default)]
pub(crate) struct Greetings {
    urls: Mutex<BTreeSet<PeerUrl>>,
    wake: Notify,
}

impl Greetings {
    fn add(&self, urls: impl IntoIterator<Item = PeerUrl>) {
        self.urls.lock().unwrap_or_else(PoisonError::into_inner).extend(urls);
        self.wake.notify_one();
    }

    fn take(&self) -> Vec<PeerUrl> {
        std::mem::take(&mut *self.urls.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

impl Node {
    /// Our own keys, the default sender first.
    pub fn own_keys(&self) -> Arc<[Address]> {
        self.enclave.addresses()
    }

    /// Every known key with the URL of its holder, our own included.
    pub fn known_keys(&self) -> Vec<(Address, PeerUrl)> {
        self.directory.keys()
    }

    /// Every known peer URL, our own included.
    pub fn known_urls(&self) -> Vec<PeerUrl> {
        self.directory.urls().into_iter().collect()
    }

    /// What we announce: our own keys, and the peers that answer.
    pub fn party_info(&self) -> PartyInfo {
        let url = self.settings.own_url.to_string();
        PartyInfo {
            recipients: self.own_keys().iter().map(|key| (*key, url.clone())).collect(),
            parties: self.directory.parties().iter().take(MAX_PARTIES).map(ToString::to_string).collect(),
            url,
        }
    }

    /// Learns from an announcement. Keys that the caller claims for another URL are ignored.
    pub async fn party_info_received(&self, from: PartyInfoFrom) -> Result<PartyInfoAnswer, Error> {
        let PartyInfoFrom { info, capabilities } = from;
        let url: PeerUrl = info.url.parse().map_err(|_| Error::BadRequest("the announced URL is not an http(s) URL".into()))?;
        if !self.directory.admits(&url) {
            return Err(Error::NotAKnownPeer(info.url));
        }
        let claimed: BTreeSet<Address> =
            info.recipients.iter().filter(|(_, at)| at.parse() == Ok(url.clone())).map(|(key, _)| *key).collect();
        let keys: Vec<Address> =
            if self.settings.validate_keys { self.proved(&url, claimed).await? } else { claimed.into_iter().collect() };
        let member = Member { url: url.clone(), versions: capabilities.versions, celosia: capabilities.celosia };
        let parties: BTreeSet<PeerUrl> = info.parties.iter().take(MAX_PARTIES).filter_map(|party| party.parse().ok()).collect();
        let news = self.directory.learn(&member, &keys);
        if news {
            tracing::info!(peer = %url, keys = keys.len(), celosia = member.celosia, "peer announced itself");
        }
        // A peer that does not name us has not met us, or has forgotten us in a restart.
        if news || !parties.contains(&self.settings.own_url) {
            self.greetings.add([url]);
        }
        let met = self.directory.meet(parties);
        if !met.is_empty() {
            self.greetings.add(met);
        }
        if self.settings.validate_keys {
            return Ok(PartyInfoAnswer::Nothing);
        }
        Ok(PartyInfoAnswer::EmptyInfo(PartyInfo { url: self.settings.own_url.to_string(), ..PartyInfo::default() }))
    }

    /// The claimed keys whose holder answers a challenge at the announced URL. None at all is refused.
    async fn proved(&self, url: &PeerUrl, claimed: BTreeSet<Address>) -> Result<Vec<Address>, Error> {
        let claims: Vec<_> =
            claimed.into_iter().take(MAX_PROOFS).map(|key| async move { (key, self.proves(url, key).await) }).collect();
        let answers: Vec<(Address, bool)> = stream::iter(claims).buffered(PROOFS_AT_ONCE).collect().await;
        let proved: Vec<Address> = answers.into_iter().filter_map(|(key, proved)| proved.then_some(key)).collect();
        if proved.is_empty() { Err(Error::KeysUnproved) } else { Ok(proved) }
    }

    async fn proves(&self, url: &PeerUrl, key: Address) -> bool {
        let Ok((challenge, answer)) = self.challenge(key).await else { return false };
        match self.peers.validate(url, challenge.encode(Codec::Legacy)).await {
            Ok(body) => body == answer.as_bytes(),
            Err(error) => {
                tracing::warn!(peer = %url, error = error.without_words(), "a key could not be validated");
                false
            }
        }
    }

    /// Announces ourselves to one peer.
    async fn greet(&self, url: &PeerUrl, announcement: Bytes) {
        match self.peers.party_info(url, announcement).await {
            Ok(_) => {
                if self.directory.reached(url) {
                    tracing::info!(peer = %url, "peer reached");
                }
            }
            Err(error) => {
                if self.directory.missed(url) {
                    tracing::warn!(peer = %url, error = error.without_words(), "peer lost");
                } else {
                    tracing::debug!(peer = %url, %error, "peer not reached");
                }
            }
        }
    }

    /// Announces ourselves to many peers at once.
    pub(crate) async fn greet_all(&self, urls: &[PeerUrl]) {
        let announcement = self.party_info().encode();
        stream::iter(urls).for_each_concurrent(PARALLEL, |url| self.greet(url, announcement.clone())).await;
    }

    /// Announces ourselves for ever: to all at each poll, to new and lost peers sooner. Ends only when its future is dropped.
    pub async fn discover(self: Arc<Self>) {
        let mut rounds = JoinSet::new();
        let mut poll = tokio::time::interval(self.settings.poll_interval);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut retry = FIRST_RETRY;
        loop {
            // A round runs on its own: a peer that hangs holds up nobody's greeting.
            let urls = tokio::select! {
                () = self.greetings.wake.notified() => self.greetings.take(),
                _ = poll.tick() => self.directory.poll_targets(),
                () = tokio::time::sleep(retry), if retry < self.settings.poll_interval => {
                    retry *= 2;
                    self.directory.unreached()
                }
            };
            while rounds.try_join_next().is_some() || rounds.len() >= MAX_ROUNDS {
                if rounds.len() >= MAX_ROUNDS {
                    rounds.join_next().await;
                }
            }
            let node = Arc::clone(&self);
            rounds.spawn(async move { node.greet_all(&urls).await });
        }
    }
}
