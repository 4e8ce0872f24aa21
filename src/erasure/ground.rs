use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why something is erased: GDPR art. 17(1), the end of its retention (art. 5(1)(e)), or because its controller wants it so.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// Art. 17(1)(a).
    NoLongerNecessary,
    /// Art. 17(1)(b).
    ConsentWithdrawn,
    /// Art. 17(1)(c).
    Objection,
    /// Art. 17(1)(d).
    UnlawfulProcessing,
    /// Art. 17(1)(e).
    LegalObligation,
    /// Art. 17(1)(f).
    ChildService,
    /// Art. 5(1)(e): its time is over.
    Retention,
    /// No duty: whoever answers for the data decides so.
    ControllerDecision,
}

/// Why something is not erased: GDPR art. 17(3).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exception {
    /// Art. 17(3)(a).
    FreeExpression,
    /// Art. 17(3)(b).
    LegalObligation,
    /// Art. 17(3)(c).
    PublicHealth,
    /// Art. 17(3)(d).
    Archiving,
    /// Art. 17(3)(e).
    LegalClaims,
}

/// A word that is not in the list.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not one of: {0}")]
pub struct UnknownWord(pub(super) String);

macro_rules! words {
    ($kind:ident: $($case:ident $name:literal $article:literal),+ $(,)?) => {
        impl $kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$case),+];

            /// Its name on the wire and on the command line.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$case => $name),+
                }
            }

            /// Where the law has it.
            pub const fn article(self) -> &'static str {
                match self {
                    $(Self::$case => $article),+
                }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $kind {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                let names = || Self::ALL.iter().map(|word| word.name()).collect::<Vec<_>>().join(", ");
                Self::ALL.iter().find(|word| word.name() == text).copied().ok_or_else(|| UnknownWord(names()))
            }
        }
    };
}

words! { Ground:
    NoLongerNecessary "no-longer-necessary" "GDPR art. 17(1)(a)",
    ConsentWithdrawn "consent-withdrawn" "GDPR art. 17(1)(b)",
    Objection "objection" "GDPR art. 17(1)(c)",
    UnlawfulProcessing "unlawful-processing" "GDPR art. 17(1)(d)",
    LegalObligation "legal-obligation" "GDPR art. 17(1)(e)",
    ChildService "child-service" "GDPR art. 17(1)(f)",
    Retention "retention" "GDPR art. 5(1)(e)",
    ControllerDecision "controller-decision" "no duty: the controller's own decision",
}

words! { Exception:
    FreeExpression "free-expression" "GDPR art. 17(3)(a)",
    LegalObligation "legal-obligation" "GDPR art. 17(3)(b)",
    PublicHealth "public-health" "GDPR art. 17(3)(c)",
    Archiving "archiving" "GDPR art. 17(3)(d)",
    LegalClaims "legal-claims" "GDPR art. 17(3)(e)",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_everywhere_and_others_are_refused() {
        for ground in Ground::ALL {
            assert_eq!(ground.name().parse(), Ok(*ground));
            assert_eq!(serde_json::to_value(ground).expect("a word"), ground.name());
        }
        for exception in Exception::ALL {
            assert_eq!(exception.name().parse(), Ok(*exception));
            assert_eq!(serde_json::to_value(exception).expect("a word"), exception.name());
        }
        let error = "because".parse::<Exception>().expect_err("no ground");
        assert!(error.to_string().contains("legal-claims"), "{error}");
    }
}
