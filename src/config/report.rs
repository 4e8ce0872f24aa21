use super::locate::Locator;
use super::{ConfigError, FieldPath, Override, Place, Rejected, Warning};

/// What kind of remark it is. Each but [`Kind::Warning`] becomes the [`ConfigError`] of its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Conflict,
    File,
    Invalid,
    Missing,
    Refused,
    Unknown,
    Warning,
}

/// A remark on a field, not yet placed in a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Issue {
    pub(super) kind: Kind,
    pub(super) field: FieldPath,
    pub(super) text: String,
}

/// Remarks gathered while a configuration is read: an operator sees all of them at once.
#[derive(Debug, Default)]
pub(super) struct Report(pub(super) Vec<Issue>);

impl Report {
    pub(super) fn add(&mut self, kind: Kind, field: FieldPath, text: impl Into<String>) {
        self.0.push(Issue { kind, field, text: text.into() });
    }

    /// Whether anything forbids the start.
    pub(super) fn is_fatal(&self) -> bool {
        self.0.iter().any(|issue| issue.kind != Kind::Warning)
    }

    /// Places every remark. `Err` if one of them is an error.
    pub(super) fn settle(self, locator: &Locator<'_>) -> Result<Vec<Warning>, Rejected> {
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        for issue in self.0 {
            let place = locator.place(issue.field);
            let text = issue.text;
            errors.push(match issue.kind {
                Kind::Conflict => ConfigError::Conflict(place, text),
                Kind::File => ConfigError::File(place, text),
                Kind::Invalid => ConfigError::Invalid(place, text),
                Kind::Missing => ConfigError::Missing(place, text),
                Kind::Refused => ConfigError::Refused(place, text),
                Kind::Unknown => ConfigError::Unknown(place, text),
                Kind::Warning => {
                    warnings.push(Warning { place, text });
                    continue;
                }
            });
        }
        errors.sort_by_key(|error: &ConfigError| error.place().position);
        warnings.sort_by_key(|warning| warning.place.position);
        if errors.is_empty() { Ok(warnings) } else { Err(Rejected { errors, warnings }) }
    }
}

/// The place of a field that an override has set, if one has.
pub(super) fn override_place(overrides: &[Override], field: &FieldPath) -> Option<Place> {
    let sets = |setter: &&Override| setter.field.steps().len() <= field.steps().len() && setter.field.touches(field);
    overrides.iter().find(sets)?;
    Some(Place { source: "override".to_owned(), position: None, field: field.clone() })
}
