use super::{Content, Refused};
use crate::crypto::secret::Secret;
use crate::types::{Address, Class, MemberId, NetworkId, Privacy, PrivacyFlag};
use crate::wire::Audience;
use crate::wire::header::{self, Header, SUITE};

/// What a sender says of a payload, apart from what follows from it.
#[derive(Debug)]
pub struct Statement<'a> {
    /// Which network.
    pub network: &'a NetworkId,
    /// Whose node signs.
    pub member: &'a MemberId,
    /// Whose key sends.
    pub sender: Address,
    /// Version of the policy in force.
    pub policy: u64,
    /// The class.
    pub class: Class,
    /// Now, milliseconds since the Unix epoch.
    pub time: u64,
    /// Rules that travel with it, proofs of affected transactions included.
    pub privacy: &'a Privacy,
    /// Everyone whom it is for.
    pub recipients: &'a [Address],
}

impl Statement<'_> {
    /// The header's bytes, to be signed ([`header::signed`]), and the audience that proofs are taken from.
    pub fn about(&self, content: &Content, seed: &Secret<32>) -> Result<(Vec<u8>, Audience), Refused> {
        self.privacy.check().map_err(|_| Refused::Rules)?;
        let audience = Audience::new(seed, self.recipients.iter()).ok_or(Refused::TooMany)?;
        let validated = self.privacy.flag == PrivacyFlag::StateValidation;
        let header = Header {
            network: *self.network,
            suite: SUITE,
            policy: self.policy,
            day: header::day_of(self.time),
            class: self.class,
            time: self.time,
            sender: self.sender,
            member: self.member.clone(),
            id: content.id,
            privacy: self.privacy.clone(),
            recipients: validated.then(|| self.recipients.to_vec()),
            audience: audience.root(),
            escrow: None,
        };
        Ok((header.encode(), audience))
    }
}
