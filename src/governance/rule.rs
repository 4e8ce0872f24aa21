use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::document::{DocumentError, sorted};
use super::{Delivery, MAX_LIST, Padding, Span};
use crate::types::Class;

/// Where data is kept: an ISO 3166-1 country in capitals, with parts as in ISO 3166-2: `ES`, `ES-MD`, `DE`.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Region(Box<str>);

/// Not a region.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a region: a country in two capitals, and parts after a dash, such as \"ES\" or \"ES-MD\", at most 16 letters")]
pub struct RegionError;

impl Region {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `other` or a part of it: `ES-MD` lies in `ES`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.strip_prefix(&*other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, RegionError> {
        let mut parts = text.split('-');
        let country = parts.next().unwrap_or_default();
        let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_part =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if is_country && text.len() <= 16 && parts.all(is_part) { Ok(Self(text.into())) } else { Err(RegionError) }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::types::as_text!(Region);

/// Where data of a class may go: `["*"]` or a list of regions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Regions {
    /// Anywhere.
    Any,
    /// To members in these and their parts. Sorted; empty: nowhere.
    Only(Vec<Region>),
}

impl Regions {
    /// Whether a member there may have it.
    pub fn permits(&self, region: &Region) -> bool {
        match self {
            Self::Any => true,
            Self::Only(regions) => regions.iter().any(|permitted| region.is_within(permitted)),
        }
    }
}

impl<'de> Deserialize<'de> for Regions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        if words == ["*"] {
            return Ok(Self::Any);
        }
        let regions = words.iter().map(|word| word.parse()).collect::<Result<_, RegionError>>();
        regions.map(Self::Only).map_err(D::Error::custom)
    }
}

/// What the policy says of one class.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClassRule {
    /// Whether a payload may go to a Tessera.
    pub tessera: bool,
    /// Where a payload may go.
    pub regions: Regions,
    /// What hides its length.
    pub padding: Padding,
    /// What hides its time.
    pub delivery: Delivery,
    /// Quiet delivery: how long payloads are gathered.
    pub batch: Option<Span>,
    /// Quiet delivery: at most so much random delay more.
    pub jitter: Option<Span>,
    /// How long a payload is kept; for ever if absent.
    pub retention: Option<Span>,
    /// Whether each read is written to the journal, one by one.
    pub log_reads: bool,
}

impl ClassRule {
    /// Sorts its lists.
    pub(super) fn normalise(&mut self) {
        if let Regions::Only(regions) = &mut self.regions {
            sorted(regions);
        }
    }

    /// Rules of one class.
    pub(super) fn check(&self, class: Class) -> Result<(), DocumentError> {
        let wrong = |field: &str, reason: &str| Err(DocumentError::value(format!("classes.{class}.{field}"), reason));
        if matches!(&self.regions, Regions::Only(regions) if regions.len() > MAX_LIST) {
            return wrong("regions", "too many: at most 256");
        }
        match (self.delivery, self.batch, self.jitter) {
            (Delivery::Prompt, None, None) => Ok(()),
            (Delivery::Prompt, ..) => wrong("delivery", "batch and jitter belong to delivery = \"quiet\""),
            (Delivery::Quiet, Some(batch), Some(jitter)) => {
                let longest = batch.duration().max(jitter.duration()).as_secs();
                if longest > 3600 { wrong("batch", "batch and jitter are at most an hour each") } else { Ok(()) }
            }
            (Delivery::Quiet, ..) => wrong("delivery", "delivery = \"quiet\" needs batch and jitter"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_lies_in_its_country_and_nowhere_else() {
        let region = |text: &str| text.parse::<Region>().expect(text);
        assert!(region("ES-MD").is_within(&region("ES")) && region("ES").is_within(&region("ES")));
        assert!(!region("ES").is_within(&region("ES-MD")) && !region("ES-MD").is_within(&region("ES-M")));
        for text in ["", "E", "ESP", "es", "ES-", "ES--MD", "ES MD", "-ES", "ES-ABCDEFGHIJKLMN"] {
            assert_eq!(text.parse::<Region>(), Err(RegionError), "{text}");
        }
    }
}
