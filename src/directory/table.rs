use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::types::{Address, PeerUrl, VersionSet};

/// Peers that an open network may make us remember: a flood of made-up URLs stops here.
const MAX_PEERS: usize = 10_000;

/// Keys of one peer, and of all together, for the same reason.
const MAX_KEYS_OF_PEER: usize = 256;
const MAX_KEYS: usize = 100_000;

/// Polls in a row that a discovered peer may miss before it is forgotten; configured peers are asked for ever.
const MAX_MISSES: u32 = 20;

/// Which callers the directory admits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trust {
    /// Discovery on: any peer may announce itself and others.
    Open,
    /// Discovery off: configured peers only.
    ConfiguredOnly,
}

/// A member that holds a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// Where it listens.
    pub url: PeerUrl,
    /// What it speaks.
    pub versions: VersionSet,
    /// It is a Celosia.
    pub celosia: bool,
}

/// Keys, and the peers that announced them. In memory: each start learns anew.
///
/// Threat: a peer announces keys of others to draw their payloads to itself. Our own keys cannot be claimed; those of others are proved
/// where key validation is on, and otherwise believed, as in Tessera.
pub struct Directory {
    own_url: PeerUrl,
    own_keys: BTreeSet<Address>,
    trust: Trust,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    members: BTreeMap<Address, Member>,
    peers: BTreeMap<PeerUrl, Peer>,
}

#[derive(Clone, Copy, Default)]
struct Peer {
    configured: bool,
    reachable: bool,
    misses: u32,
}

impl Directory {
    /// An empty directory that will poll the configured peers.
    pub fn new(own_url: PeerUrl, own_keys: &[Address], configured: Vec<PeerUrl>, trust: Trust) -> Self {
        let peers = configured
            .into_iter()
            .filter(|url| *url != own_url)
            .map(|url| (url, Peer { configured: true, ..Peer::default() }))
            .collect();
        let state = State { members: BTreeMap::new(), peers };
        Self { own_url, own_keys: own_keys.iter().copied().collect(), trust, state: RwLock::new(state) }
    }

    /// Whether a key is ours.
    pub fn is_own(&self, key: &Address) -> bool {
        self.own_keys.contains(key)
    }

    /// Who holds a key of another member; `None` if nobody announced it.
    pub fn locate(&self, key: &Address) -> Option<Member> {
        self.read().members.get(key).cloned()
    }

    /// Whether a caller with this URL may announce itself.
    pub fn admits(&self, url: &PeerUrl) -> bool {
        match self.trust {
            Trust::Open => true,
            Trust::ConfiguredOnly => *url == self.own_url || self.read().peers.get(url).is_some_and(|peer| peer.configured),
        }
    }

    /// Takes what a peer announced: its keys replace those it announced before, unless it names none. True if any of it is news.
    pub fn learn(&self, member: &Member, keys: &[Address]) -> bool {
        if member.url == self.own_url {
            return false;
        }
        let mut state = self.write();
        let room = state.peers.len() < MAX_PEERS;
        let mut news = match state.peers.get_mut(&member.url) {
            Some(peer) => !std::mem::replace(&mut peer.reachable, true),
            None if room => state.peers.insert(member.url.clone(), Peer { reachable: true, ..Peer::default() }).is_none(),
            // No room to remember where it is, so none for its keys.
            None => return false,
        };
        let claimed: BTreeSet<Address> =
            keys.iter().filter(|key| !self.own_keys.contains(key)).take(MAX_KEYS_OF_PEER).copied().collect();
        // Anybody can announce nothing in a peer's name: that must not make its keys unknown.
        if claimed.is_empty() {
            return news;
        }
        let before = state.members.len();
        state.members.retain(|key, known| known.url != member.url || claimed.contains(key));
        news |= state.members.len() != before;
        for key in claimed {
            if state.members.contains_key(&key) || state.members.len() < MAX_KEYS {
                news |= state.members.insert(key, member.clone()).as_ref() != Some(member);
            }
        }
        news
    }

    /// Takes URLs that a peer knows of; returns those that are new to us. Nothing is taken while discovery is off.
    pub fn meet(&self, urls: impl IntoIterator<Item = PeerUrl>) -> Vec<PeerUrl> {
        if self.trust == Trust::ConfiguredOnly {
            return Vec::new();
        }
        let mut state = self.write();
        let mut new = Vec::new();
        for url in urls {
            if url != self.own_url && !state.peers.contains_key(&url) && state.peers.len() < MAX_PEERS {
                state.peers.insert(url.clone(), Peer::default());
                new.push(url);
            }
        }
        new
    }

    /// Notes that a peer answered a poll. True if it did not answer before.
    pub fn reached(&self, url: &PeerUrl) -> bool {
        match self.write().peers.get_mut(url) {
            Some(peer) => {
                peer.misses = 0;
                !std::mem::replace(&mut peer.reachable, true)
            }
            None => false,
        }
    }

    /// Notes that a peer did not answer. A discovered peer that stays away is forgotten with its keys. True if it answered before.
    pub fn missed(&self, url: &PeerUrl) -> bool {
        let mut state = self.write();
        let Some(peer) = state.peers.get_mut(url) else { return false };
        peer.misses = peer.misses.saturating_add(1);
        let was = std::mem::replace(&mut peer.reachable, false);
        if !peer.configured && peer.misses >= MAX_MISSES {
            state.peers.remove(url);
            state.members.retain(|_, member| member.url != *url);
        }
        was
    }

    /// Peers to poll.
    pub fn poll_targets(&self) -> Vec<PeerUrl> {
        self.read().peers.keys().cloned().collect()
    }

    /// Peers that do not answer, to be asked again soon.
    pub fn unreached(&self) -> Vec<PeerUrl> {
        self.read().peers.iter().filter(|(_, peer)| !peer.reachable).map(|(url, _)| url.clone()).collect()
    }

    /// URLs worth telling others: peers that answer and whose keys we know, and our own. A peer that misses itself here greets us again.
    pub fn parties(&self) -> BTreeSet<PeerUrl> {
        let state = self.read();
        let announced: BTreeSet<&PeerUrl> = state.members.values().map(|member| &member.url).collect();
        let known =
            state.peers.iter().filter(|(url, peer)| peer.reachable && announced.contains(url)).map(|(url, _)| url.clone());
        known.chain([self.own_url.clone()]).collect()
    }

    /// Every peer URL known, our own included.
    pub fn urls(&self) -> BTreeSet<PeerUrl> {
        self.read().peers.keys().cloned().chain([self.own_url.clone()]).collect()
    }

    /// Every known key and where it is, our own included, sorted by key.
    pub fn keys(&self) -> Vec<(Address, PeerUrl)> {
        let state = self.read();
        let mut keys: BTreeMap<Address, PeerUrl> = state.members.iter().map(|(key, member)| (*key, member.url.clone())).collect();
        keys.extend(self.own_keys.iter().map(|key| (*key, self.own_url.clone())));
        keys.into_iter().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(port: u16) -> PeerUrl {
        format!("http://127.0.0.1:{port}").parse().expect("a URL")
    }

    fn member(port: u16) -> Member {
        Member { url: url(port), versions: VersionSet::ALL, celosia: true }
    }

    fn key(byte: u8) -> Address {
        Address::new([byte; 32])
    }

    #[test]
    fn an_announcement_replaces_the_one_before_and_never_claims_our_keys() {
        let directory = Directory::new(url(1), &[key(1)], vec![url(1), url(2)], Trust::Open);
        assert_eq!(directory.poll_targets(), [url(2)]);
        assert!(directory.learn(&member(2), &[key(1), key(2), key(3)]));
        assert!(!directory.learn(&member(2), &[key(1), key(2), key(3)]));
        assert_eq!(directory.locate(&key(1)), None);
        assert!(directory.learn(&member(2), &[key(3)]));
        assert_eq!(directory.locate(&key(2)), None);
        assert!(!directory.learn(&member(2), &[]), "nothing announced takes nothing away");
        assert!(directory.locate(&key(3)).is_some());
        assert_eq!(directory.keys(), [(key(1), url(1)), (key(3), url(2))]);
    }

    #[test]
    fn a_flood_of_keys_or_peers_stops_at_its_bound() {
        let directory = Directory::new(url(1), &[key(1)], Vec::new(), Trust::Open);
        let many: Vec<Address> = (0..1000_u32)
            .map(|n| {
                let mut bytes = [9; 32];
                bytes[..4].copy_from_slice(&n.to_be_bytes());
                Address::new(bytes)
            })
            .collect();
        directory.learn(&member(2), &many);
        assert_eq!(directory.keys().len(), MAX_KEYS_OF_PEER + 1);
        let flood = (0..20_000_u32).map(|n| format!("http://10.0.{}.{}/", n / 256, n % 256).parse().expect("a URL"));
        directory.meet(flood);
        assert_eq!(directory.poll_targets().len(), MAX_PEERS);
        assert!(!directory.learn(&member(3), &[key(3)]));
        assert_eq!(directory.locate(&key(3)), None);
        assert!(format!("http://host/{}", "x".repeat(600)).parse::<PeerUrl>().is_err());
    }

    #[test]
    fn with_discovery_off_only_configured_peers_are_admitted() {
        let directory = Directory::new(url(1), &[key(1)], vec![url(2)], Trust::ConfiguredOnly);
        assert!(directory.admits(&url(2)));
        assert!(!directory.admits(&url(3)));
        assert!(directory.meet([url(3)]).is_empty());
    }

    #[test]
    fn a_discovered_peer_that_stays_away_is_forgotten_and_a_configured_one_is_not() {
        let directory = Directory::new(url(1), &[key(1)], vec![url(2)], Trust::Open);
        assert_eq!(directory.meet([url(1), url(2), url(3)]), [url(3)]);
        directory.learn(&member(3), &[key(3)]);
        for _ in 0..MAX_MISSES {
            directory.missed(&url(2));
            directory.missed(&url(3));
        }
        assert_eq!(directory.poll_targets(), [url(2)]);
        assert_eq!(directory.locate(&key(3)), None);
    }
}
