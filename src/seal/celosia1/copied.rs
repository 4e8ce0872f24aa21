use super::Refused;
use super::parcel::Unpacked;
use super::taken::{Expected, check_header};
use crate::crypto::secret::Secret;
use crate::seal::escrow::{Carried, Escrowed, Held, Label};
use crate::wire::Delivery;
use crate::wire::header::{self, Header};

/// What stands in the place of the data key in the box of a supervisor's copy.
pub const NO_KEY: [u8; 32] = [0; 32];

/// Checks what the box of a supervisor's copy held: header, signature, that there is no data key, and the capsule's public proof. The
/// supervisor cannot make the capsule again, for it has no data key: recipients do.
///
/// Threat: a sender hands its supervisor the key, who is to see the payload on a mandate alone.
pub fn take_copy(expected: &Expected<'_>, delivery: &Delivery, unpacked: Unpacked) -> Result<(Header, Held), Refused> {
    let header = Header::decode(&unpacked.header).map_err(|_| Refused::Header)?;
    check_header(expected, delivery, &header, false)?;
    header::verify(expected.network, &unpacked.header, &unpacked.signature, expected.sender_key)
        .map_err(|_| Refused::Signature)?;
    if unpacked.data_key != Secret::init_with(|key| *key = NO_KEY) {
        return Err(Refused::Ciphertext);
    }
    let (bytes, sigma) = header.escrow.as_ref().zip(unpacked.sigma).ok_or(Refused::Sigma)?;
    let Carried { epoch, capsule } = Carried::from_bytes(bytes).ok_or(Refused::CapsuleForm)?;
    let (_, key) = expected.escrows.iter().find(|(of, _)| *of == epoch).ok_or(Refused::CapsuleEpoch)?;
    let label = Label::of(&header, epoch);
    let is_sound = capsule.is_sound(key.key(), &label.encode());
    if is_sound { Ok((header, Held { escrowed: Escrowed { label, capsule }, sigma })) } else { Err(Refused::Capsule) }
}
