use super::{Content, Refused};
use crate::crypto::secret::Secret;
use crate::crypto::threshold::{Capsule, Prepared};
use crate::seal::escrow::{Carried, Escrowed, Label};
use crate::types::{Address, Class, MemberId, NetworkId, Privacy, PrivacyFlag};
use crate::wire::Audience;
use crate::wire::header::{self, Header, SUITE};

/// What the capsule of a payload is made with.
#[derive(Clone, Copy, Debug)]
pub struct Sealing<'a> {
    /// Epoch of the committee's key.
    pub epoch: u64,
    /// The key.
    pub key: &'a Prepared,
    /// 32 random bytes, for this payload alone. They travel in each box, and the committee does not have them.
    pub sigma: &'a Secret<32>,
}

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
    /// The committee that can open it, if the policy asks for one.
    pub escrow: Option<Sealing<'a>>,
}

impl Statement<'_> {
    /// The header's bytes, to be signed ([`header::signed`]), the audience that proofs are taken from, and the capsule with its label.
    pub fn about(&self, content: &Content, seed: &Secret<32>) -> Result<(Vec<u8>, Audience, Option<Escrowed>), Refused> {
        self.privacy.check().map_err(|_| Refused::Rules)?;
        let audience = Audience::new(seed, self.recipients.iter()).ok_or(Refused::TooMany)?;
        let validated = self.privacy.flag == PrivacyFlag::StateValidation;
        let mut header = Header {
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
        let escrowed = self.escrow.map(|Sealing { epoch, key, sigma }| {
            let label = Label::of(&header, epoch);
            let capsule = Capsule::make(key, &content.data_key, sigma, &label.encode());
            Escrowed { label, capsule }
        });
        header.escrow =
            escrowed.as_ref().map(|made| Carried { epoch: made.label.epoch, capsule: made.capsule.clone() }.to_bytes());
        Ok((header.encode(), audience, escrowed))
    }
}
