//! The small closed vocabularies of the documents, and their hexadecimal words.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

use crate::types::ParseError;

/// An enum that is written as one word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$case:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
        pub enum $name { $($(#[$case])* #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its word in a document.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

words! {
    /// What a member is trusted with. A member may have several roles.
    Role {
        /// Sends and receives payloads.
        Member = "member",
        /// Receives what a scope puts under supervision.
        Supervisor = "supervisor",
        /// Cosigns the checkpoints of others.
        Witness = "witness",
    }
}

words! {
    /// Whether a member takes part. An entry is never removed: what it did stays attributable.
    State {
        /// Takes part.
        Active = "active",
        /// Neither sends nor receives payloads; still takes orders and documents and reads its own data.
        Suspended = "suspended",
        /// Refused everywhere, until the governors admit it again.
        Expelled = "expelled",
    }
}

words! {
    /// What a member runs.
    Software {
        /// Speaks the native protocol.
        Celosia = "celosia",
        /// Speaks Tessera's peer protocol alone: no signing key, no native endpoint.
        Tessera = "tessera",
    }
}

words! {
    /// How what falls into a scope is supervised.
    Supervision {
        /// Not at all.
        S0 = "S0",
        /// Headers: supervisors learn who sent what class to whom, and when.
        S1 = "S1",
        /// Threshold escrow: a quorum of officers can open it, on a mandate.
        S2 = "S2",
        /// A supervisor receives every payload, and recipients refuse one that it does not.
        S3 = "S3",
        /// A supervisor signs before the id is given to the node.
        S4 = "S4",
    }
}

impl Supervision {
    /// Whether a payload carries a capsule for the committee.
    pub const fn has_capsule(self) -> bool {
        matches!(self, Self::S2 | Self::S3 | Self::S4)
    }

    /// Whether a scope of the mode means nothing without supervisors.
    pub const fn names_supervisors(self) -> bool {
        matches!(self, Self::S1 | Self::S3 | Self::S4)
    }
}

words! {
    /// What the key of a committee is for.
    Purpose {
        /// Opening payloads on a mandate.
        Escrow = "escrow",
        /// Reading what is held back from an erasure.
        Hold = "hold",
    }
}

words! {
    /// What hides the length of a payload.
    Padding {
        /// Nothing.
        None = "none",
        /// Padmé.
        Padme = "padme",
        /// Padmé, at least a KiB.
        PadmeKib = "padme-1k",
        /// A few sizes for all.
        Bucket = "bucket",
    }
}

words! {
    /// What hides the time of a payload.
    Delivery {
        /// Delivered at once.
        Prompt = "prompt",
        /// Gathered for a while and sent with jitter.
        Quiet = "quiet",
    }
}

/// Thirty-two bytes in hexadecimal.
macro_rules! hex_words {
    ($($(#[$doc:meta])* $name:ident),+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes the bytes.
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| ParseError::Hex)?;
                let actual = bytes.len();
                bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: 32, actual })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        crate::types::as_text!($name);
    )+};
}

hex_words! {
    /// SHA-256 of a document's canonical text.
    DocumentHash,
    /// SHA-256 of the SubjectPublicKeyInfo of a member's TLS certificate.
    TlsPin
}
