//! Who stands where: how a new document reaches everybody, and how everybody learns who has it.
//!
//! Push on news, pull by whoever is behind (Demers et al. 1987: rumour mongering, with anti-entropy as its safety net). A member that has a
//! new document tells four others at once, round after round, until the rumour is old; from then on it compares notes with one random
//! member each interval. Documents travel to those who lack them only, directories as changes. No clock and no I/O here: the caller ticks.

use std::collections::BTreeMap;

use crate::types::MemberId;
use crate::wire::native::Standing;

/// Members told in one round of news.
pub const FAN_OUT: usize = 4;
/// Partners between news: connections stay open, and a random graph of this degree has no far corners.
pub const PARTNERS: usize = 8;
/// Ticks after which partners are drawn anew, so that no member is cut off by those it happened to draw: an hour at five seconds.
const REDRAW: u32 = 720;
/// Rounds beyond the logarithm of the number of members: what loss and overlap cost.
const SPARE_ROUNDS: u32 = 3;

/// What one member knows of the others.
#[derive(Debug)]
pub struct Gossip {
    me: MemberId,
    version: u64,
    hash: u64,
    /// Every member that runs a Celosia, in the order of the directory, and whether it is known to be on our version.
    members: Vec<(MemberId, bool)>,
    /// The version that each said last of itself.
    seen: BTreeMap<MemberId, u64>,
    /// Rounds of news still to come.
    rounds: u32,
    /// Whom we compare notes with, in turn, and the ticks since they were drawn.
    partners: Vec<MemberId>,
    ticks: u32,
}

/// What to do after an exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// Nothing: we are level, or it will ask us.
    Rest,
    /// It has documents that we lack: ask it for them.
    Fetch,
    /// Another document of the same version: a fork.
    Fork,
}

impl Gossip {
    /// Knows nothing yet.
    pub fn new(me: MemberId) -> Self {
        Self { me, version: 0, hash: 0, members: Vec::new(), seen: BTreeMap::new(), rounds: 0, partners: Vec::new(), ticks: 0 }
    }

    /// We are on a version now; it is news unless we begin with it. `members` are those that run a Celosia and may still be told, sorted.
    pub fn adopt(&mut self, version: u64, hash: u64, members: Vec<MemberId>, is_news: bool) {
        let log = members.len().max(2).ilog(FAN_OUT) + 1;
        let seen = &self.seen;
        self.members = members
            .into_iter()
            .map(|member| {
                let known = member == self.me || seen.get(&member) == Some(&version);
                (member, known)
            })
            .collect();
        (self.version, self.hash) = (version, hash);
        self.seen.insert(self.me.clone(), version);
        self.rounds = if is_news { log + SPARE_ROUNDS } else { 0 };
        let members = &self.members;
        self.partners.retain(|partner| members.binary_search_by(|(member, _)| member.cmp(partner)).is_ok());
    }

    /// Whom to call now. `random` gives a number below its argument. While there is news: some who are not known to have it; else one partner.
    pub fn targets(&mut self, mut random: impl FnMut(usize) -> usize) -> Vec<MemberId> {
        if self.has_news() {
            self.rounds -= 1;
            let behind = self.members.iter().filter(|(_, known)| !known).map(|(member, _)| member.clone()).collect();
            return draw(behind, FAN_OUT, &mut random);
        }
        if self.ticks.is_multiple_of(REDRAW) || self.partners.is_empty() {
            let others = self.members.iter().map(|(member, _)| member).filter(|member| **member != self.me).cloned().collect();
            self.partners = draw(others, PARTNERS, &mut random);
        }
        self.ticks = self.ticks.wrapping_add(1);
        let turn = usize::try_from(self.ticks).unwrap_or_default();
        self.partners.get(turn % self.partners.len().max(1)).cloned().into_iter().collect()
    }

    /// Whether a round of news is due soon.
    pub fn has_news(&self) -> bool {
        self.rounds > 0
    }

    /// What we say of ourselves.
    pub fn standing(&self, clock: u64, asks: bool) -> Standing {
        let mut known = vec![0_u8; self.members.len().div_ceil(8)];
        for (at, _) in self.members.iter().enumerate().filter(|(_, (_, known))| *known) {
            known[at / 8] |= 1 << (at % 8);
        }
        Standing { version: self.version, hash: self.hash, known: known.into(), clock, asks }
    }

    /// Takes what a member said of itself, in a call or in an answer.
    pub fn heard(&mut self, from: &MemberId, said: &Standing) -> Next {
        self.seen.insert(from.clone(), said.version);
        let level = said.version == self.version;
        if let Ok(at) = self.members.binary_search_by(|(member, _)| member.cmp(from)) {
            self.members[at].1 = level;
        }
        if said.version > self.version {
            return Next::Fetch;
        }
        if !level {
            return Next::Rest;
        }
        if said.hash != self.hash {
            return Next::Fork;
        }
        for (at, (member, known)) in self.members.iter_mut().enumerate() {
            if !*known && said.known.get(at / 8).is_some_and(|byte| byte & (1 << (at % 8)) != 0) {
                *known = true;
                self.seen.insert(member.clone(), said.version);
            }
        }
        Next::Rest
    }

    /// Every member that runs a Celosia, and the version it is known to have; 0 for one never heard of.
    pub fn versions(&self) -> impl Iterator<Item = (&MemberId, u64)> {
        self.members.iter().map(|(member, _)| (member, self.seen.get(member).copied().unwrap_or_default()))
    }

    /// Members that are not known to be on our version.
    pub fn behind(&self) -> usize {
        self.members.iter().filter(|(_, known)| !known).count()
    }
}

/// Some of a pool, each once.
fn draw(mut pool: Vec<MemberId>, wanted: usize, random: &mut impl FnMut(usize) -> usize) -> Vec<MemberId> {
    let mut drawn = Vec::with_capacity(wanted);
    while drawn.len() < wanted && !pool.is_empty() {
        let at = random(pool.len());
        drawn.push(pool.swap_remove(at));
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> MemberId {
        format!("m{number:04}").parse().expect("a name")
    }

    fn network(size: usize) -> Vec<Gossip> {
        let ids: Vec<MemberId> = (0..size).map(id).collect();
        let begun = |me: &MemberId| {
            let mut gossip = Gossip::new(me.clone());
            gossip.adopt(1, 11, ids.clone(), false);
            gossip
        };
        ids.iter().map(begun).collect()
    }

    /// A small generator: the test is the same in every run.
    fn random(state: &mut u64, below: usize) -> usize {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*state >> 33).expect("31 bits") % below
    }

    #[test]
    fn news_reaches_a_thousand_members_in_a_few_rounds_and_everybody_learns_of_it() {
        let mut network = network(1000);
        let ids: Vec<MemberId> = (0..1000).map(id).collect();
        network[17].adopt(2, 22, ids.clone(), true);
        let mut state = 5;
        let mut rounds = 0;
        while network.iter().any(|gossip| gossip.version < 2) {
            rounds += 1;
            assert!(rounds < 15, "the news dies out");
            for caller in 0..network.len() {
                if !network[caller].has_news() {
                    continue;
                }
                for target in network[caller].targets(|below| random(&mut state, below)) {
                    let target = ids.binary_search(&target).expect("a member");
                    let said = network[caller].standing(0, true);
                    if network[target].heard(&ids[caller], &said) == Next::Fetch {
                        network[target].adopt(2, 22, ids.clone(), true);
                    }
                    let answer = network[target].standing(0, true);
                    network[caller].heard(&ids[target], &answer);
                }
            }
        }
        // Without news: one call each, until the first knows that all have it.
        for _ in 0..30 {
            for caller in 0..network.len() {
                for target in network[caller].targets(|below| random(&mut state, below)) {
                    let target = ids.binary_search(&target).expect("a member");
                    let (said, answer) = (network[caller].standing(0, true), network[target].standing(0, true));
                    assert_eq!(network[target].heard(&ids[caller], &said), Next::Rest);
                    network[caller].heard(&ids[target], &answer);
                }
            }
        }
        assert_eq!(network[17].behind(), 0);
    }

    #[test]
    fn who_is_behind_is_shown_and_a_fork_is_seen() {
        let mut network = network(3);
        let ids: Vec<MemberId> = (0..3).map(id).collect();
        network[0].adopt(2, 22, ids, true);
        assert_eq!(network[0].behind(), 2);
        let old = network[1].standing(0, true);
        assert_eq!(network[0].heard(&id(1), &old), Next::Rest);
        assert_eq!(network[0].versions().map(|(_, version)| version).collect::<Vec<_>>(), [2, 1, 0]);
        let other = Standing { version: 2, hash: 33, ..old };
        assert_eq!(network[0].heard(&id(1), &other), Next::Fork);
    }
}
