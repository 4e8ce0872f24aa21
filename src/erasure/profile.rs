//! What the law of a place adds to the GDPR: a file, read once (`docs/profiles.md`). None of it is in code.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Ground, MAX_GROUND};
use crate::governance::Span;
use crate::types::{Class, Code, Coded};

/// First line of every profile.
pub const PROFILE_FORMAT: &str = "celosia-profile-1";

const GDPR: &str = include_str!("../../config/profiles/gdpr.toml");

/// A profile.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Profile {
    /// [`PROFILE_FORMAT`].
    pub format: String,
    /// Its name, in journals and references.
    pub name: String,
    /// What it is about, one line.
    pub title: String,
    /// The laws that it carries.
    pub law: Vec<String>,
    /// Erasures that begin with a block.
    #[serde(default, rename = "block", skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<BlockRule>,
    /// How long data of a class is kept where the network's policy says nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retention: BTreeMap<Class, Span>,
    /// After some time fewer may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrowing: Option<Narrowing>,
    /// Grounds of holds.
    #[serde(rename = "hold-ground")]
    pub hold_grounds: Vec<HoldGround>,
}

/// Data of these classes is blocked first when it is erased on these grounds, and destroyed when the term is over.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BlockRule {
    /// Grounds of the erasure.
    pub grounds: Vec<Ground>,
    /// Classes of the data.
    pub classes: Vec<Class>,
    /// How long it stays blocked.
    #[serde(rename = "for")]
    pub term: Span,
    /// The ground of the block.
    pub hold_ground: String,
    /// Where the law has it.
    pub article: String,
}

/// After a time the application reads no more, and on the admin surface only some roles.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Narrowing {
    /// How long after it was stored.
    pub after: Span,
    /// Of which classes.
    pub classes: Vec<Class>,
    /// Roles of the admin surface that may still read.
    pub roles: Vec<String>,
    /// Where the law has it.
    pub article: String,
}

/// A ground that a hold may have.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HoldGround {
    /// Its name.
    pub name: String,
    /// In words.
    pub text: String,
    /// Where the law has it.
    pub article: String,
}

/// What is wrong with a profile.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a profile: {0}")]
pub struct ProfileError(String);

impl Coded for ProfileError {
    fn code(&self) -> Code {
        Code(1381)
    }
}

impl Default for Profile {
    /// The GDPR alone.
    fn default() -> Self {
        Self::parse(GDPR).expect("the profile that is built in is one: a test reads it")
    }
}

impl Profile {
    /// Reads a profile and checks what refers to what.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text).map_err(|error| ProfileError(error.to_string()))?;
        let wrong = |what: String| Err(ProfileError(what));
        if profile.format != PROFILE_FORMAT {
            return wrong(format!("its format is not {PROFILE_FORMAT}"));
        }
        if !is_name(&profile.name) {
            return wrong("its name is not of a to z, 0 to 9 and dashes".into());
        }
        if let Some(ground) = profile.hold_grounds.iter().find(|ground| !is_name(&ground.name)) {
            return wrong(format!("{:?} is no name of a ground: a to z, 0 to 9 and dashes", ground.name));
        }
        for rule in &profile.blocks {
            if !profile.has_hold_ground(&rule.hold_ground) {
                return wrong(format!("a block names the hold ground {:?}, which it does not have", rule.hold_ground));
            }
            if rule.term.duration().is_zero() || rule.grounds.is_empty() || rule.classes.is_empty() {
                return wrong("a block needs grounds, classes and a term".into());
            }
        }
        if profile.retention.values().any(|span| span.duration().is_zero()) {
            return wrong("a retention of no time erases everything at once".into());
        }
        Ok(profile)
    }

    /// Whether a hold may have that ground.
    pub fn has_hold_ground(&self, name: &str) -> bool {
        self.hold_grounds.iter().any(|ground| ground.name == name)
    }

    /// The grounds that a hold may have, separated by commas.
    pub fn hold_ground_names(&self) -> String {
        self.hold_grounds.iter().map(|ground| ground.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= MAX_GROUND && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_that_are_shipped_are_profiles() {
        let gdpr = Profile::default();
        assert!(gdpr.blocks.is_empty() && gdpr.has_hold_ground("legal-claims"));
        let es = Profile::parse(include_str!("../../config/profiles/es.toml")).expect("es");
        assert!(es.blocks.iter().any(|rule| rule.grounds.contains(&Ground::ConsentWithdrawn)));
        let aml = Profile::parse(include_str!("../../config/profiles/aml-es.toml")).expect("aml-es");
        let days = |span: Span| span.duration().as_secs() / 86_400;
        assert_eq!(aml.narrowing.as_ref().map(|narrowing| days(narrowing.after)), Some(1826));
        assert_eq!(aml.retention.values().map(|span| days(*span)).collect::<Vec<_>>(), [3652, 3652, 3652]);
        // What every law knows is in all of them.
        for ground in &gdpr.hold_grounds {
            assert!(es.has_hold_ground(&ground.name) && aml.has_hold_ground(&ground.name), "{}", ground.name);
        }
    }

    #[test]
    fn what_is_no_profile_is_refused_by_name() {
        let es = include_str!("../../config/profiles/es.toml");
        let cases = [
            ("celosia-profile-1", "celosia-profile-2", "format"),
            ("name = \"es\"", "name = \"E S\"", "name"),
            ("for = \"1096d\"", "for = \"0d\"", "term"),
            ("for = \"1096d\"", "for = \"soon\"", "duration"),
            ("hold-ground = \"blocked-before-erasure\"", "hold-ground = \"because\"", "because"),
            ("consent-withdrawn", "fancy", "fancy"),
            ("title =", "subtitle =", "subtitle"),
        ];
        for (from, to, said) in cases {
            assert!(es.contains(from), "{from}");
            let error = Profile::parse(&es.replacen(from, to, 1)).expect_err(to);
            assert!(error.to_string().contains(said), "{to}: {error}");
        }
    }
}
