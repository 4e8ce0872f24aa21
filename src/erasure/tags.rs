use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::types::{Class, Code, Coded};

/// Most pseudonyms of one item.
pub const MAX_SUBJECTS: usize = 64;
/// Longest purpose or pseudonym, in characters.
const MAX_WORD: usize = 128;

/// What is known of a payload or document beyond its header: declared at ingest, or tagged later. Kept sealed under the item's own leaf.
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tags {
    /// Its class, where it is not that of the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Why it is processed (GDPR art. 5(1)(b)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// On which ground (art. 6(1)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// When it is to be erased, milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<u64>,
    /// Contract that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// Pseudonyms of the data subjects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
}

/// Legal basis of processing, GDPR art. 6(1)(a) to (f).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// (a)
    Consent,
    /// (b)
    Contract,
    /// (c)
    LegalObligation,
    /// (d)
    VitalInterests,
    /// (e)
    PublicTask,
    /// (f)
    LegitimateInterests,
}

/// Tags that cannot be. Names what is wrong, never the words themselves.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TagError {
    /// A legal basis that is none of art. 6(1).
    #[error(
        "basis: expected consent, contract, legal-obligation, vital-interests, public-task or legitimate-interests (GDPR art. 6(1))"
    )]
    Basis,
    /// A contract's address.
    #[error("contract: expected 0x and 40 hexadecimal digits")]
    Contract,
    /// A purpose that is empty, long, or not one line.
    #[error("purpose: expected 1 to 128 printable characters without spaces at the ends")]
    Purpose,
    /// A retention that is no length of time and no date, or that is over.
    #[error("retention: expected a duration such as 1825d or P5Y, or a date to come such as 2031-12-31")]
    Retention,
    /// A pseudonym that is empty, long, or not one line.
    #[error("subject: expected pseudonyms of 1 to 128 printable characters without commas and without spaces at the ends")]
    Subject,
    /// More pseudonyms than one item may have.
    #[error("subject: at most 64 of them")]
    TooMany,
}

impl Coded for TagError {
    fn code(&self) -> Code {
        match self {
            Self::Basis => Code(3331),
            Self::Contract => Code(3332),
            Self::Purpose => Code(3333),
            Self::Retention => Code(3334),
            Self::Subject => Code(3335),
            Self::TooMany => Code(3336),
        }
    }
}

impl Tags {
    /// Whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Brings them into their one form (subjects sorted, each once; the contract in small letters) and checks every word.
    pub fn normalise(&mut self) -> Result<(), TagError> {
        if self.purpose.as_deref().is_some_and(|purpose| !is_word(purpose)) {
            return Err(TagError::Purpose);
        }
        if let Some(contract) = &mut self.contract {
            *contract = contract_address(contract)?;
        }
        self.subjects.sort();
        self.subjects.dedup();
        if self.subjects.len() > MAX_SUBJECTS {
            return Err(TagError::TooMany);
        }
        self.subjects.iter().try_for_each(|subject| check_subject(subject))
    }

    /// Whether art. 20 (portability) reaches it: processing on consent or on a contract.
    pub fn is_portable(&self) -> bool {
        matches!(self.basis, Some(Basis::Consent | Basis::Contract))
    }
}

/// Whether a text can be a subject's pseudonym.
pub fn check_subject(text: &str) -> Result<(), TagError> {
    if is_word(text) && !text.contains(',') { Ok(()) } else { Err(TagError::Subject) }
}

/// A contract's address in its one form.
pub fn contract_address(text: &str) -> Result<String, TagError> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).ok_or(TagError::Contract)?;
    let is_address = digits.len() == 40 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_address { Ok(format!("0x{}", digits.to_ascii_lowercase())) } else { Err(TagError::Contract) }
}

fn is_word(text: &str) -> bool {
    let length = text.chars().count();
    (1..=MAX_WORD).contains(&length) && text.trim() == text && !text.chars().any(char::is_control)
}

impl Basis {
    /// All of them, in the order of the article.
    pub const ALL: [Self; 6] =
        [Self::Consent, Self::Contract, Self::LegalObligation, Self::VitalInterests, Self::PublicTask, Self::LegitimateInterests];

    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Contract => "contract",
            Self::LegalObligation => "legal-obligation",
            Self::VitalInterests => "vital-interests",
            Self::PublicTask => "public-task",
            Self::LegitimateInterests => "legitimate-interests",
        }
    }
}

impl FromStr for Basis {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        Self::ALL.into_iter().find(|basis| basis.name() == text).ok_or(TagError::Basis)
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Without its words: what is printed ends in logs.
impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tags({:?}, {:?}, {} subjects)", self.class, self.basis, self.subjects.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_checked_and_brought_into_one_form() {
        let contract = format!("0X{}", "Ab".repeat(20));
        let subjects = vec!["b".to_owned(), "a".to_owned(), "b".to_owned()];
        let mut tags = Tags { contract: Some(contract), subjects, purpose: Some("nóminas".into()), ..Tags::default() };
        tags.normalise().expect("good");
        assert_eq!(
            (tags.subjects.as_slice(), tags.contract.as_deref()),
            (&["a".to_owned(), "b".to_owned()][..], Some(&*format!("0x{}", "ab".repeat(20))))
        );
        assert!(!format!("{tags:?}").contains("nóminas"));
        let json = serde_json::to_string(&tags).expect("JSON");
        assert_eq!(serde_json::from_str::<Tags>(&json).expect("its own"), tags);

        let long = "x".repeat(129);
        for word in ["", " a", "a ", "a\nb", "a\u{7f}", &long] {
            let of = |purpose: Option<String>, subjects| Tags { purpose, subjects, ..Tags::default() }.normalise();
            assert_eq!(of(Some(word.into()), vec![]), Err(TagError::Purpose), "{word:?}");
            assert_eq!(of(None, vec![word.into()]), Err(TagError::Subject), "{word:?}");
        }
        assert_eq!(check_subject("a,b"), Err(TagError::Subject));
        for address in ["", "0x", "ab", &"ab".repeat(20), &format!("0x{}", "g".repeat(40)), &format!("0x{}", "a".repeat(41))] {
            assert_eq!(contract_address(address), Err(TagError::Contract), "{address}");
        }
        let many = (0..65).map(|n| n.to_string()).collect();
        assert_eq!(Tags { subjects: many, ..Tags::default() }.normalise(), Err(TagError::TooMany));
    }

    #[test]
    fn bases_are_those_of_the_article() {
        for basis in Basis::ALL {
            assert_eq!(basis.name().parse(), Ok(basis));
            assert_eq!(serde_json::to_value(basis).expect("a word"), basis.name());
            let tags = Tags { basis: Some(basis), ..Tags::default() };
            assert_eq!(tags.is_portable(), matches!(basis, Basis::Consent | Basis::Contract));
        }
        assert_eq!("because".parse::<Basis>(), Err(TagError::Basis));
    }
}
