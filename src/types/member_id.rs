use std::fmt;
use std::str::FromStr;

use super::ParseError;

/// A member's short name in the directory: 1 to 63 of `a-z`, `0-9` and `-`, no dash at either end. Sorts as it reads.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MemberId(Box<str>);

impl MemberId {
    /// Longest name, in bytes.
    pub const MAX: usize = 63;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MemberId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_good = (1..=Self::MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if is_good { Ok(Self(text.into())) } else { Err(ParseError::MemberId) }
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::as_text!(MemberId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_lower_case_and_without_dashes_at_their_ends() {
        for good in ["a", "banco-azul", "0", "a--b", &"x".repeat(63)] {
            assert_eq!(good.parse::<MemberId>().expect("good").as_str(), good);
        }
        for bad in ["", "-a", "a-", "A", "a b", "ñ", "a.b", "a/b", &"x".repeat(64)] {
            assert_eq!(bad.parse::<MemberId>(), Err(ParseError::MemberId), "{bad}");
        }
    }
}
