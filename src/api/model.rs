//! The JSON of requests and answers. Members are words as written; `request` reads them, so that errors can name them.

mod answer;
mod groups;
mod peer;
mod sealed;
mod send;
mod tags;
mod text;

pub(crate) use answer::{KeyAnswer, KeyBody, KeyList, ReceiveAnswer, ReceiveBody, SendAnswer};
pub(crate) use groups::{DeleteGroupBody, FindGroupBody, GroupAnswer, NewGroupBody, RetrieveGroupBody};
pub(crate) use peer::{
    BatchBody, HolderEntry, PartyInfoAnswer, PeerEntry, ResendBatchAnswer, ResendBatchBody, ResendBody, WithdrawBody,
};
pub(crate) use sealed::SealedJson;
pub(crate) use send::{SendBody, SignedBody, StoreRawBody};
pub(crate) use tags::TagsJson;
pub(crate) use text::{Base64, Text, list};
