//! Who has what: the holders of items, from the items' own heads, before these are destroyed.

use std::collections::BTreeMap;

use crate::enclave::EnclaveError;
use crate::erasure::HolderKind;
use crate::governance::{Charter, Software};
use crate::services::erase::Owner;
use crate::services::governed::Governed;
use crate::services::{Error, Node};
use crate::store::Kind;
use crate::types::{Address, ItemId, MemberId, PayloadId};
use crate::wire::Proofs;

/// The name of holders that the directory does not list, or no longer: a payload from before this network was governed.
const UNLISTED: &str = "unlisted";

/// Items of each holder.
pub(super) type Holders = BTreeMap<MemberId, (HolderKind, Vec<ItemId>)>;

impl Node {
    /// Holders of items that are here. This node has all of them; others have what it sent them. Items of other senders are its own copies
    /// alone: it does not answer for theirs.
    pub(super) async fn holders(&self, governed: &Governed, items: &[ItemId]) -> Result<Holders, Error> {
        let charter = governed.charter();
        let mut holders = Holders::new();
        for item in items {
            holders.entry(governed.me.clone()).or_insert((HolderKind::Celosia, Vec::new())).1.push(*item);
            for (member, kind) in self.others(&charter, governed, item).await? {
                holders.entry(member).or_insert((kind, Vec::new())).1.push(*item);
            }
        }
        Ok(holders)
    }

    /// Other members that have an item of ours.
    async fn others(
        &self,
        charter: &Charter,
        governed: &Governed,
        item: &ItemId,
    ) -> Result<BTreeMap<MemberId, HolderKind>, Error> {
        let members = match item {
            ItemId::Payload(id) => self.payload_holders(charter, governed, id).await?,
            ItemId::Document(id) => self.document_holders(id).await?,
        };
        let others = members.into_iter().filter(|member| *member != governed.me);
        Ok(others.map(|member| (member.clone(), kind_of(charter, &member))).collect())
    }

    async fn payload_holders(&self, charter: &Charter, governed: &Governed, id: &PayloadId) -> Result<Vec<MemberId>, Error> {
        let meta = match self.meta(*id).await {
            Ok(meta) => meta,
            Err(Error::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        if !self.directory.is_own(&meta.sender) {
            return Ok(Vec::new());
        }
        let listed = |address: &Address| charter.members().by_address(address).map(|member| member.id.clone());
        let supervisors = self.supervisors_told(id).await?;
        let holders: Vec<MemberId> = match meta.native.map(|native| native.proofs) {
            Some(Proofs::Sent { recipients, .. }) => recipients.into_iter().map(|(_, member)| member).collect(),
            _ => {
                let others = meta.recipients.iter().filter(|address| !self.directory.is_own(address));
                others.filter_map(|address| listed(address).or_else(|| UNLISTED.parse().ok())).collect()
            }
        };
        Ok(holders.into_iter().chain(supervisors).filter(|member| *member != governed.me).collect())
    }

    /// The member that sent a document that is here, or the payload of an id; `None` if neither is here. Of copies of an id everybody is its own.
    pub(super) async fn controller_of(&self, item: &ItemId) -> Result<Option<MemberId>, Error> {
        match item {
            ItemId::Payload(id) => match self.record_owner(id).await? {
                Owner::Is(member) => Ok(Some(member)),
                Owner::Absent | Owner::Unknown => Ok(None),
            },
            ItemId::Document(id) => self.document_controller(id).await,
        }
    }

    /// Whose the payload of an id is that is here, a raw one of this node's own among them.
    pub(crate) async fn record_owner(&self, id: &PayloadId) -> Result<Owner, Error> {
        for kind in [Kind::Payload, Kind::Raw] {
            let Some(head) = self.head(kind, id).await? else { continue };
            let meta = match self.enclave.meta(*id, &head).await {
                Ok(meta) => meta,
                Err(EnclaveError::Erased) => return Ok(Owner::Unknown),
                Err(error) => return Err(error.into()),
            };
            let named = meta.native.as_ref().map(|native| native.member.clone());
            let owner = named.or_else(|| self.member_of(&meta.sender)).or_else(|| UNLISTED.parse().ok());
            return Ok(owner.map_or(Owner::Unknown, Owner::Is));
        }
        Ok(Owner::Absent)
    }
}

/// What a member runs, as the directory has it.
pub(super) fn kind_of(charter: &Charter, member: &MemberId) -> HolderKind {
    match charter.members().by_id(member).map(|member| member.software) {
        Some(Software::Celosia) => HolderKind::Celosia,
        _ => HolderKind::Tessera,
    }
}
