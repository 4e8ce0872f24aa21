//! Signatures to build against; each moves into the file of its verb.
#![allow(unused_variables, clippy::unimplemented)]

use bytes::Bytes;
use zeroize::Zeroizing;

use super::*;
use crate::types::{Address, GroupId, PayloadId};
use crate::wire::EncodedPayload;

impl Node {
    /// Seals, keeps and delivers a payload; every recipient has it durably when this returns.
    pub async fn send(&self, request: SendRequest) -> Result<Sent, Error> {
        unimplemented!()
    }

    /// Keeps a payload for its sender alone.
    pub async fn store_raw(&self, payload: Zeroizing<Vec<u8>>, from: Option<Address>) -> Result<PayloadId, Error> {
        unimplemented!()
    }

    /// Sends a payload that `store_raw` keeps; its id stays.
    pub async fn send_signed(&self, request: SendSignedRequest) -> Result<Sent, Error> {
        unimplemented!()
    }

    /// Opens a payload; `to` names one of our keys.
    pub async fn receive(&self, id: PayloadId, to: Option<Address>) -> Result<Received, Error> {
        unimplemented!()
    }

    /// Opens a payload that `store_raw` keeps.
    pub async fn receive_raw(&self, id: PayloadId) -> Result<Received, Error> {
        unimplemented!()
    }

    /// Whether one of our keys sealed it.
    pub async fn is_sender(&self, id: PayloadId) -> Result<bool, Error> {
        unimplemented!()
    }

    /// Its recipients as this node knows them, in stored order.
    pub async fn participants(&self, id: PayloadId) -> Result<Vec<Address>, Error> {
        unimplemented!()
    }

    /// Its mandatory recipients.
    pub async fn mandatory(&self, id: PayloadId) -> Result<Vec<Address>, Error> {
        unimplemented!()
    }

    /// Punctures the payload's keys and buries it; durable when this returns.
    pub async fn erase(&self, id: PayloadId) -> Result<(), Error> {
        unimplemented!()
    }

    /// Seals without keeping or sending.
    pub async fn create_payload(&self, request: SendRequest) -> Result<EncodedPayload, Error> {
        unimplemented!()
    }

    /// Opens a payload that is not kept.
    pub async fn open_payload(&self, payload: EncodedPayload) -> Result<Received, Error> {
        unimplemented!()
    }

    /// Takes a delivery: opened, re-wrapped, durable when this returns. Idempotent.
    pub async fn push(&self, payload: EncodedPayload) -> Result<Pushed, Error> {
        unimplemented!()
    }

    /// Takes deliveries of a recovery.
    pub async fn push_batch(&self, payloads: Vec<EncodedPayload>) -> Result<(), Error> {
        unimplemented!()
    }

    /// Forgets a delivery that its deliverer takes back.
    pub async fn withdraw(&self, id: PayloadId, token: WithdrawToken) -> Result<(), Error> {
        unimplemented!()
    }

    /// A payload as `key` may have it.
    pub async fn resend_one(&self, key: Address, id: PayloadId) -> Result<EncodedPayload, Error> {
        unimplemented!()
    }

    /// Pushes everything that `key` takes part in to the peer that announced it.
    pub async fn resend_all(&self, key: Address) -> Result<(), Error> {
        unimplemented!()
    }

    /// The same in batches; the number of payloads pushed.
    pub async fn resend_batch(&self, key: Address) -> Result<u64, Error> {
        unimplemented!()
    }

    /// Learns from an announcement.
    pub async fn party_info_received(&self, from: PartyInfoFrom) -> Result<PartyInfoAnswer, Error> {
        unimplemented!()
    }

    /// Opens a validation challenge: a UUID and nothing else.
    pub async fn answer_challenge(&self, payload: EncodedPayload) -> Result<String, Error> {
        unimplemented!()
    }

    /// Makes a privacy group and tells its members.
    pub async fn create_group(&self, group: NewGroup) -> Result<Group, Error> {
        unimplemented!()
    }

    /// Groups with exactly these members.
    pub async fn find_groups(&self, members: Vec<Address>) -> Result<Vec<Group>, Error> {
        unimplemented!()
    }

    /// One group.
    pub async fn group(&self, id: GroupId) -> Result<Group, Error> {
        unimplemented!()
    }

    /// Deletes a group and tells its members.
    pub async fn delete_group(&self, id: GroupId, from: Option<Address>) -> Result<GroupId, Error> {
        unimplemented!()
    }

    /// Groups of a kind; resident ones need the feature.
    pub async fn groups_of_kind(&self, kind: GroupKind) -> Result<Vec<Group>, Error> {
        unimplemented!()
    }

    /// Takes a group from a peer.
    pub async fn group_pushed(&self, data: Bytes) -> Result<(), Error> {
        unimplemented!()
    }

    /// Our own keys, the default sender first.
    pub fn own_keys(&self) -> std::sync::Arc<[Address]> {
        unimplemented!()
    }

    /// Every known key with the URL of its holder, our own included.
    pub fn known_keys(&self) -> Vec<(Address, crate::types::PeerUrl)> {
        unimplemented!()
    }

    /// Every known peer URL, our own included.
    pub fn known_urls(&self) -> Vec<crate::types::PeerUrl> {
        unimplemented!()
    }
}
