//! What others make this node write down: each thing once, and of each of them a few in an hour.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::records::now;
use crate::crypto::hash::sha256;

/// Rows and lines of one kind that one other causes in an hour.
const MOST: usize = 16;
const HOUR: u64 = 3_600_000;
/// What each said lately: the same once more is not told again.
const REMEMBERED: usize = 64;
/// Others that are remembered: every member of the largest network, for each kind.
const OTHERS: usize = 20_000;

/// What is told of. Each has a bound of its own: nobody hides one behind another.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Matter {
    /// What came for a ceremony and is refused.
    Ceremony,
    /// Clocks that are apart.
    Clock,
    /// A document that is refused although a governor signed it.
    Document,
    /// Another document of our version, as somebody says.
    Fork,
    /// What was given back and is refused.
    GivenBack,
    /// An order of supervision that is refused.
    Order,
    /// A log that is not cosigned.
    Log,
    /// What is said to be a document, signed by no governor.
    Text,
    /// A payload that is taken back from its supervisor, who does not know its recipients.
    TakenBack,
    /// A payload that its supervisors did not acknowledge.
    Unvouched,
}

/// The memory of it.
///
/// Threat: a member says a wrong thing again and again, or always another one, and the journal and the log of everybody else fill their disks.
#[derive(Default)]
pub(crate) struct Told(Mutex<HashMap<(Matter, String), Digests>>);

/// When something was told, and the digest of what.
type Digests = VecDeque<(u64, [u8; 32])>;

impl Told {
    /// Whether something that somebody causes is to be told.
    pub(crate) fn is_news(&self, matter: Matter, of: &str, what: &[&[u8]]) -> bool {
        self.is_news_at(matter, of, what, now())
    }

    fn is_news_at(&self, matter: Matter, of: &str, what: &[&[u8]], now: u64) -> bool {
        let digest = sha256(what);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= OTHERS {
            all.retain(|_, said| said.back().is_some_and(|(at, _)| now.saturating_sub(*at) < HOUR));
        }
        let said = all.entry((matter, of.to_owned())).or_default();
        let lately = said.iter().filter(|(at, _)| now.saturating_sub(*at) < HOUR).count();
        if lately >= MOST || said.iter().any(|(_, known)| *known == digest) {
            return false;
        }
        said.push_back((now, digest));
        if said.len() > REMEMBERED {
            said.pop_front();
        }
        true
    }

    /// The same for what lasts: told once an hour.
    pub(crate) fn is_due(&self, matter: Matter, of: &str) -> bool {
        self.is_news(matter, of, &[&(now() / HOUR).to_be_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_and_few_in_an_hour() {
        let told = Told::default();
        let count = |of: &str, matter, from: u32, at: u64| {
            (from..from + 1_000).filter(|number| told.is_news_at(matter, of, &[&number.to_be_bytes()], at)).count()
        };
        assert_eq!(count("a", Matter::Fork, 0, 10), MOST);
        assert_eq!(count("b", Matter::Fork, 0, 10), MOST, "another member");
        assert_eq!(count("a", Matter::Log, 0, 10), MOST, "another matter");
        assert_eq!(count("a", Matter::Fork, 1_000, HOUR), 0);
        assert_eq!(count("a", Matter::Fork, 2_000, 2 * HOUR), MOST);
        assert!(!told.is_news_at(Matter::Fork, "a", &[&0_u32.to_be_bytes()], 9 * HOUR), "the same once more");
    }
}
