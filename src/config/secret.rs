use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A password, or a private key as text: wiped when dropped, and nothing prints, clones or serialises it.
///
/// Threat: a configuration that is logged, dumped or converted in passing.
#[derive(Default)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// A second copy, asked for by name.
    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// The text. Grep for this name: it is the audit list.
    pub fn expose(&self) -> &Zeroizing<String> {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), other.0.as_bytes()).into()
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde's own messages would quote the value: say only what was expected.
        let text = String::deserialize(deserializer).map_err(|_| serde::de::Error::custom("expected a string"))?;
        Ok(Self::new(text))
    }
}
