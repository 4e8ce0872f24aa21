//! Holds: what stands before an erasure, and what makes an item unreadable meanwhile (`docs/holds.md`).

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::{MAX_TEXT, UnknownWord};
use crate::crypto::hpke::BoxKey;
use crate::crypto::sign::{VerifyKey, statement};
use crate::crypto::threshold::GroupKey;
use crate::types::{ItemId, NetworkId, ParseError};
use crate::wire::strict::Form;

/// Longest ground of a hold, in bytes: the name of one in the profile.
pub const MAX_GROUND: usize = 64;

/// The random name of a hold: 16 bytes, 32 hexadecimal digits in text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct HoldId(pub [u8; 16]);

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for HoldId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| ParseError::Hex)?;
        let actual = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: 16, actual })
    }
}

crate::types::as_text!(HoldId);

/// What a hold does.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldKind {
    /// The item is kept and nobody reads it (GDPR art. 18, LOPDGDD art. 32); at its end it is destroyed.
    Block,
    /// Erasure and retention wait; the item is read as before, and at its end nothing happens to it by itself.
    LegalHold,
}

impl HoldKind {
    /// Its name in texts and in requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::LegalHold => "legal-hold",
        }
    }

    /// Its byte in the rows of a store.
    pub const fn number(self) -> u8 {
        match self {
            Self::Block => 0,
            Self::LegalHold => 1,
        }
    }

    /// The kind of a byte.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Block),
            1 => Some(Self::LegalHold),
            _ => None,
        }
    }
}

impl fmt::Display for HoldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for HoldKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let kinds = [Self::Block, Self::LegalHold];
        kinds.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownWord("block, legal-hold".into()))
    }
}

/// How far a hold is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldState {
    /// It stands.
    Active,
    /// Somebody ended it before its time.
    Released,
    /// Its time came.
    Expired,
}

/// A hold, as it is kept and shown. It names no item and no person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Hold {
    /// Its name.
    pub id: HoldId,
    /// What it does.
    pub kind: HoldKind,
    /// Why: the name of a ground in the profile.
    pub ground: String,
    /// What it rests on: the number of a file or of an order of a court, one line.
    pub reference: String,
    /// When it was placed, milliseconds since the Unix epoch.
    pub placed: u64,
    /// By whom.
    pub by: String,
    /// Until when it stands, milliseconds since the Unix epoch.
    pub until: u64,
    /// Items of it.
    pub items: u64,
    /// How far it is.
    pub state: HoldState,
    /// When it ended, milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<u64>,
    /// Who ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

/// Whether a text can be a hold's reference: one line of at most 500 characters, not empty.
pub fn is_reference(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
}

/// What an envelope was sealed for. Every word of it is bound to the envelope's key: with another word it does not open.
///
/// Threat: whoever runs the node shows the committee another reason, or another end, than the one that the envelope was made for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HoldLabel {
    /// Which network; zeros outside of one.
    pub network: NetworkId,
    /// Which item.
    pub item: ItemId,
    /// The hold that it was blocked under first.
    pub hold: HoldId,
    /// That hold's ground.
    pub ground: String,
    /// That hold's reference.
    pub reference: String,
    /// That hold's end, milliseconds since the Unix epoch.
    pub until: u64,
}

impl HoldLabel {
    /// `"celosia hold 1\0" ‖ network (32) ‖ length of the item (1) ‖ item ‖ hold (16) ‖ until (8) ‖ length (2) ‖ ground ‖ reference`, big-endian.
    pub fn encode(&self) -> Vec<u8> {
        let item = self.item.as_bytes();
        // Both lengths are bounded: items have 32 or 64 bytes, a ground has at most MAX_GROUND.
        let item_length = u8::try_from(item.len()).unwrap_or(u8::MAX);
        let ground_length = u16::try_from(self.ground.len()).unwrap_or(u16::MAX);
        [
            b"celosia hold 1\0".as_slice(),
            self.network.as_bytes(),
            &[item_length],
            item,
            &self.hold.0,
            &self.until.to_be_bytes(),
            &ground_length.to_be_bytes(),
            self.ground.as_bytes(),
            self.reference.as_bytes(),
        ]
        .concat()
    }
}

/// What a node asks of the hold committee, as the file `request.json`: which envelopes, and to which key the answers are sealed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HoldRequest {
    /// `celosia hold request 2`.
    pub format: String,
    /// The network of the committee.
    pub network: NetworkId,
    /// The hold that is to be released.
    pub hold: HoldId,
    /// The enclave's one-time public key.
    pub key: BoxKey,
    /// The envelopes.
    pub envelopes: Vec<LockedEnvelope>,
}

/// One envelope of a request: what it was sealed for, and its capsule. What is in it stays at the node.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LockedEnvelope {
    /// What it was sealed for.
    pub label: HoldLabel,
    /// The committee's key.
    pub committee: GroupKey,
    /// The capsule, base64.
    #[serde(with = "base64")]
    pub capsule: Vec<u8>,
}

/// One officer's answer: for each envelope of the request, in its order, a partial decryption, sealed to the one-time key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HoldAnswer {
    /// `celosia hold answer 2`.
    pub format: String,
    /// The hold.
    pub hold: HoldId,
    /// The one-time key that it is for.
    pub key: BoxKey,
    /// The officer's signing key.
    pub officer: VerifyKey,
    /// The answers.
    pub envelopes: Vec<OpenedEnvelope>,
    /// The officer's, on all of the above and the network; base64.
    #[serde(with = "base64")]
    pub signature: Vec<u8>,
}

/// One envelope of an answer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OpenedEnvelope {
    /// SHA-256 of the envelope's capsule, base64.
    #[serde(with = "base64")]
    pub capsule: Vec<u8>,
    /// The officer's partial decryption, sealed, base64.
    #[serde(with = "base64")]
    pub share: Vec<u8>,
}

impl HoldAnswer {
    /// What the officer signs.
    ///
    /// Threat: an answer that somebody made up in an officer's name, so that he is called a cheater.
    pub fn statement(&self, network: &NetworkId) -> Vec<u8> {
        let mut form = Form::of(4, 128).bytes(&self.hold.0).bytes(self.key.as_bytes()).bytes(self.officer.as_bytes());
        form = form.list(2 * self.envelopes.len() as u64);
        for OpenedEnvelope { capsule, share } in &self.envelopes {
            form = form.bytes(capsule).bytes(share);
        }
        statement(ANSWER_FORMAT, network, &form.finish())
    }
}

/// Format of a request.
pub const REQUEST_FORMAT: &str = "celosia hold request 2";
/// Format of an answer.
pub const ANSWER_FORMAT: &str = "celosia hold answer 2";

mod base64 {
    use data_encoding::BASE64;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(input)?;
        crate::types::base64(text.as_bytes()).map_err(|_| D::Error::custom("not base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::PayloadId;

    #[test]
    fn a_label_differs_with_each_of_its_words() {
        let label = HoldLabel {
            network: NetworkId::new([1; 32]),
            item: ItemId::Payload(PayloadId::new([2; 64])),
            hold: HoldId([3; 16]),
            ground: "court-order".into(),
            reference: "12/2026".into(),
            until: 4,
        };
        let others = [
            HoldLabel { network: NetworkId::new([9; 32]), ..label.clone() },
            HoldLabel { item: ItemId::Payload(PayloadId::new([9; 64])), ..label.clone() },
            HoldLabel { hold: HoldId([9; 16]), ..label.clone() },
            // What moves from one word to the next is another label.
            HoldLabel { ground: "court-order1".into(), reference: "2/2026".into(), ..label.clone() },
            HoldLabel { until: 5, ..label.clone() },
        ];
        assert!(others.iter().all(|other| other.encode() != label.encode()));
        let text = serde_json::to_string(&label).expect("JSON");
        assert_eq!(serde_json::from_str::<HoldLabel>(&text).expect("the same"), label);
    }

    #[test]
    fn references_are_a_line() {
        assert!(is_reference("Juzgado 3, 12/2026"));
        for bad in ["", "  ", "a\nb", &"x".repeat(MAX_TEXT + 1)] {
            assert!(!is_reference(bad), "{bad:?}");
        }
        assert_eq!("block".parse(), Ok(HoldKind::Block));
        assert!("freeze".parse::<HoldKind>().expect_err("no kind").to_string().contains("legal-hold"));
    }
}
