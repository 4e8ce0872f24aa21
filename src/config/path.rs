use std::fmt;
use std::str::FromStr;

/// One step into a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// A member of a table or object.
    Key(String),
    /// An element of a list, from 0.
    Index(usize),
}

/// Where a field is: `serverConfigs[0].sslConfig.tls`. One grammar for messages and for overrides.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FieldPath(Vec<Step>);

impl FieldPath {
    /// The path with a member's name behind it.
    #[must_use]
    pub fn key(&self, name: &str) -> Self {
        self.with(Step::Key(name.to_owned()))
    }

    /// The path with an element's place behind it.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether one of the two contains the other.
    pub fn touches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }

    /// The same path with its first `count` steps replaced.
    #[must_use]
    pub fn rebased(&self, count: usize, base: &Self) -> Self {
        Self(base.0.iter().chain(self.0.iter().skip(count)).cloned().collect())
    }

    /// The path without its last step; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, rest)| Self(rest.to_vec()))
    }

    fn with(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(name) if place == 0 => f.write_str(name)?,
                Step::Key(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A path that is not written as one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a path is written as `a.b[0].c`")]
pub struct BadPath;

impl FromStr for FieldPath {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, indexes) = part.split_at(part.find('[').unwrap_or(part.len()));
            if name.is_empty() || name.contains(']') {
                return Err(BadPath);
            }
            steps.push(Step::Key(name.to_owned()));
            let mut rest = indexes;
            while !rest.is_empty() {
                let (index, after) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or(BadPath)?;
                steps.push(Step::Index(index.parse().map_err(|_| BadPath)?));
                rest = after;
            }
        }
        Ok(Self(steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_and_print_alike() {
        for text in ["a", "peer[1].url", "keys.keyData[0].privateKeyPath", "a[0][1].b"] {
            assert_eq!(text.parse::<FieldPath>().unwrap().to_string(), text);
        }
        for text in ["", ".", "a..b", "[0]", "a[", "a[x]", "a]b", "a[0]b", "a[-1]", "a[99999999999999999999]"] {
            assert_eq!(text.parse::<FieldPath>(), Err(BadPath), "{text}");
        }
    }
}
