use std::fmt;

use crate::config::Rejected;
use crate::types::Coded;

/// How a command ends badly: what to print, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// Exit code of the process.
    pub exit: u8,
    text: String,
}

impl Failure {
    /// A failure with the stable code of its cause.
    pub fn coded(exit: u8, error: &impl Coded) -> Self {
        Self { exit, text: format!("error[{}]: {error}", error.code()) }
    }

    /// A failure that has no code: a terminal, a socket, a mistyped option.
    pub fn plain(exit: u8, text: impl fmt::Display) -> Self {
        Self { exit, text: format!("error: {text}") }
    }

    /// The same failure with another exit code.
    #[must_use]
    pub(super) fn with_exit(self, exit: u8) -> Self {
        Self { exit, ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        for warning in &rejected.warnings {
            eprintln!("warning: {warning}");
        }
        Self { exit: rejected.exit(), text: rejected.to_string() }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Rejected>() {
            Ok(rejected) => rejected.into(),
            Err(error) => Self::plain(2, format!("{error:#}")),
        }
    }
}
