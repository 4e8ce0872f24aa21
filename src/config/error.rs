use std::fmt;

use super::FieldPath;
use crate::types::{Code, Coded};

/// Where something stands in a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file, as it was named; or the word `override`.
    pub source: String,
    /// Line and column, both from 1; absent for a field that is not written in the file.
    pub position: Option<(usize, usize)>,
    /// The field; the root for the file as a whole.
    pub field: FieldPath,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        if !self.field.steps().is_empty() {
            write!(f, ": {}", self.field)?;
        }
        Ok(())
    }
}

/// What is wrong with a configuration. Each names the place, and what to write instead.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Two fields that cannot both be meant.
    #[error("{0}: {1}")]
    Conflict(Place, String),
    /// A file that the configuration names and that cannot be read.
    #[error("{0}: {1}")]
    File(Place, String),
    /// A value of the wrong type or form.
    #[error("{0}: {1}")]
    Invalid(Place, String),
    /// Text that begins like a Tessera file and is not JSON (RFC 8259).
    #[error("{0}: not valid JSON: {1}")]
    Json(Place, String),
    /// A field that must be there.
    #[error("{0}: {1}")]
    Missing(Place, String),
    /// An override that cannot be applied.
    #[error("{0}: {1}")]
    Override(Place, String),
    /// Something that Tessera has and Celosia has not.
    #[error("{0}: {1}")]
    Refused(Place, String),
    /// Text that is not TOML (version 1.0).
    #[error("{0}: not valid TOML: {1}")]
    Toml(Place, String),
    /// A field that no table of Celosia's has.
    #[error("{0}: {1}")]
    Unknown(Place, String),
    /// The configuration file itself cannot be read.
    #[error("{0}: cannot be read: {1}")]
    Unreadable(Place, String),
}

impl ConfigError {
    /// Where it is.
    pub fn place(&self) -> &Place {
        match self {
            Self::Conflict(place, _)
            | Self::File(place, _)
            | Self::Invalid(place, _)
            | Self::Json(place, _)
            | Self::Missing(place, _)
            | Self::Override(place, _)
            | Self::Refused(place, _)
            | Self::Toml(place, _)
            | Self::Unknown(place, _)
            | Self::Unreadable(place, _) => place,
        }
    }
}

impl Coded for ConfigError {
    fn code(&self) -> Code {
        match self {
            Self::Unreadable(..) => Code(1001),
            Self::Toml(..) => Code(1002),
            Self::Json(..) => Code(1003),
            Self::Unknown(..) => Code(1004),
            Self::Invalid(..) => Code(1005),
            Self::Missing(..) => Code(1006),
            Self::Conflict(..) => Code(1007),
            Self::Refused(..) => Code(1008),
            Self::Override(..) => Code(1009),
            Self::File(..) => Code(1010),
        }
    }
}

/// A field that is accepted and does not do what its writer may think.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// What happens instead.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// Why a configuration was not taken: every error that was found, never none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejected {
    /// In the order of the file where it is known.
    pub errors: Vec<ConfigError>,
    /// What would have been warned of.
    pub warnings: Vec<Warning>,
}

impl Rejected {
    /// Rejected for one reason.
    pub(super) fn one(error: ConfigError) -> Self {
        Self { errors: vec![error], warnings: Vec::new() }
    }

    /// The exit status of Tessera's: 3 for text that does not parse as a Tessera file, 1 for everything else.
    pub fn exit(&self) -> u8 {
        if matches!(self.errors.first(), Some(ConfigError::Json(..))) { 3 } else { 1 }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.errors.iter().enumerate() {
            let newline = if place == 0 { "" } else { "\n" };
            write!(f, "{newline}error[{}]: {error}", error.code())?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejected {}
