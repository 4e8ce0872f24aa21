use super::Capabilities;
use crate::wire::PartyInfo;

/// A party info that came in, with what its headers say.
#[derive(Clone, Debug)]
pub struct PartyInfoFrom {
    /// The announcement.
    pub info: PartyInfo,
    /// The caller's capabilities.
    pub capabilities: Capabilities,
}

/// What to answer to `POST /partyinfo`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PartyInfoAnswer {
    /// An announcement with our URL and nothing else (no key validation here).
    EmptyInfo(PartyInfo),
    /// An empty body (keys were validated).
    Nothing,
}
