//! What Celosias of one directory say to each other: deliveries, documents, gossip, on one connection for each pair.

mod acks;
mod beside;
mod deliver;
mod documents;
mod epochs;
mod first;
mod given;
mod intake;
mod judged;
mod outbox;
mod peers;
mod recover;
mod send;
mod supervised;
mod uploads;

pub(crate) use beside::{ACKS, Beside};
pub(crate) use deliver::{DOCUMENT, SUPERVISION, quiet_wait, refused};
pub use documents::{GovernanceStatus, MemberStatus};
pub(crate) use epochs::EpochKeys;
pub(crate) use given::given_of;
pub(crate) use outbox::Outbox;
pub use peers::{NativeAddress, NativePeers};
pub(crate) use send::padding;
pub(crate) use uploads::Uploads;

use crate::governance::DocumentHash;

/// Paths of the native surface.
pub mod path {
    /// What members know of officers' ceremonies: [`crate::wire::native::CeremoniesAfter`] to [`crate::wire::native::CeremonyPage`].
    pub const CEREMONY_COMPARE: &str = "/celosia/1/ceremony/compare";
    /// A plan, or an officer's message: [`crate::ceremony::Carried`]; an empty answer.
    pub const CEREMONY_TELL: &str = "/celosia/1/ceremony/tell";
    /// Deliveries: [`crate::wire::native::Batch`] to [`crate::wire::native::Answers`].
    pub const DELIVER: &str = "/celosia/1/deliver";
    /// Tells of a disclosure that payloads of the answering member are among: a signed notice.
    pub const DISCLOSE_NOTICE: &str = "/celosia/1/disclose/notice";
    /// A sealed chunk of a document: [`crate::wire::native::DocumentPart`] to [`crate::wire::native::PartTaken`].
    pub const DOCUMENT_PART: &str = "/celosia/1/document-part";
    /// Documents: [`crate::wire::native::DocumentsAfter`] to [`crate::wire::native::Documents`].
    pub const DOCUMENTS: &str = "/celosia/1/documents";
    /// The answering member's signed epoch key; an empty body asks.
    pub const EPOCH: &str = "/celosia/1/epoch";
    /// A signed order to erase, to [`crate::wire::native::ErasureAnswer`]. The same order again asks how far it is.
    pub const ERASE: &str = "/celosia/1/erase";
    /// Orders between the caller and the answering member, after a restore: [`crate::wire::native::OrdersAfter`] to
    /// [`crate::wire::native::OrdersPage`].
    pub const ORDERS: &str = "/celosia/1/orders";
    /// A part of a large ciphertext: [`crate::wire::native::Part`] to [`crate::wire::native::PartTaken`].
    pub const PART: &str = "/celosia/1/part";
    /// Payloads that the caller takes part in: [`crate::wire::native::Resend`] to [`crate::wire::native::Resent`].
    pub const RESEND: &str = "/celosia/1/resend";
    /// Where both stand: [`crate::wire::native::Standing`] both ways.
    pub const STANDING: &str = "/celosia/1/standing";
    /// What a supervisor was entitled to: [`crate::wire::native::CatchUp`] to [`crate::wire::native::Resent`].
    pub const SUPERVISION_CATCH_UP: &str = "/celosia/1/supervise/catch-up";
    /// A sender asks a supervisor for its word: [`crate::wire::native::CosignAsked`] to [`crate::wire::native::CosignSaid`].
    pub const SUPERVISION_COSIGN: &str = "/celosia/1/supervise/cosign";
    /// A supervisor that is to forget a payload asks who has it: [`crate::wire::native::HeldAsked`] to [`crate::wire::native::HeldSaid`].
    pub const SUPERVISION_HELD: &str = "/celosia/1/supervise/held";
    /// Orders of supervision that the answering member knows: [`crate::wire::native::SupervisionAfter`] to
    /// [`crate::wire::native::OrdersPage`].
    pub const SUPERVISION_ORDERS: &str = "/celosia/1/supervise/orders";
    /// A signed order to stop, or what lifts one: `kind (1) ‖ signed bytes`; an empty answer.
    pub const SUPERVISION_TELL: &str = "/celosia/1/supervise/tell";
    /// Documents for a member that may not ask: [`crate::wire::native::Documents`].
    pub const TAKE: &str = "/celosia/1/take";
    /// Takes back a delivery: [`crate::wire::native::Withdraw`].
    pub const WITHDRAW: &str = "/celosia/1/withdraw";
    /// A checkpoint to be cosigned: [`crate::wire::native::Witness`] to [`crate::wire::native::Witnessed`].
    pub const WITNESS: &str = "/celosia/1/witness";
    /// The newest checkpoint of the caller that the answering member cosigned: [`crate::wire::native::Witnessed`]; an empty body asks.
    pub const WITNESSED: &str = "/celosia/1/witnessed";
}

/// First eight bytes of a hash.
pub(crate) fn short(hash: &DocumentHash) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_be_bytes(first)
}
