/// Why bytes are not what they should be. Names the field, never its content.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end inside the field.
    #[error("{0} is cut off")]
    Truncated(&'static str),
    /// The field is longer or shorter than its kind allows.
    #[error("{0} has a length that it cannot have")]
    Length(&'static str),
    /// The field holds a value or type that it cannot have.
    #[error("{0} has a value that it cannot have")]
    Value(&'static str),
    /// Flag, execution hash and mandatory recipients do not belong together.
    #[error(transparent)]
    Privacy(#[from] crate::types::PrivacyRuleError),
}
