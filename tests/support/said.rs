//! What the program said, when a person ran it.

#[derive(Debug)]
pub struct Said {
    pub good: bool,
    pub text: String,
}

impl Said {
    #[track_caller]
    pub fn well(self) -> String {
        assert!(self.good, "{}", self.text);
        self.text
    }

    /// It went well, or failed for this reason.
    #[track_caller]
    pub fn well_or(self, code: &str) {
        assert!(self.good || self.text.contains(code), "{}", self.text);
    }

    /// It failed, for this reason.
    #[track_caller]
    pub fn refused(self, code: &str) -> String {
        assert!(!self.good && self.text.contains(code), "{code} was expected: {}", self.text);
        self.text
    }
}
