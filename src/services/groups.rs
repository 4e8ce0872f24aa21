//! Privacy groups: named sets of members, immutable, known to every member.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::future::join_all;

use super::governed::Route;
use super::{Error, Node};
use crate::crypto::random;
use crate::types::{Address, ApiVersion, GroupId};
use crate::wire::privacy_group::{EncodedGroup, GroupState, pantheon_id};

pub use crate::wire::privacy_group::GroupKind;

/// Bytes of a seed that the creator did not give.
const SEED: usize = 20;

/// A privacy group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its kind.
    pub kind: GroupKind,
    /// Its members; order is meaningful for resident groups.
    pub members: Vec<Address>,
}

/// A group to create.
#[derive(Clone, Debug, Default)]
pub struct NewGroup {
    /// Members.
    pub members: Vec<Address>,
    /// Creator; the default key if absent. Must be a member.
    pub from: Option<Address>,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Seed of the id; 20 random bytes if absent.
    pub seed: Option<Vec<u8>>,
}

/// A configured group of keys of this node that share one private state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResidentGroup {
    /// Name of the private state.
    pub name: String,
    /// For people.
    pub description: String,
    /// Keys of this node.
    pub members: Vec<Address>,
}

impl Node {
    /// Makes a privacy group and tells its members.
    pub async fn create_group(&self, group: NewGroup) -> Result<Group, Error> {
        let creator = self.sender(group.from)?;
        if !group.members.contains(&creator) {
            return Err(Error::PrivacyViolation("The list of members in a privacy group should include self".into()));
        }
        let peers = self.group_peers(&group.members)?;
        let seed = group.seed.unwrap_or_else(|| random::<SEED>().to_vec());
        let id = pantheon_id(&group.members, &seed);
        let encoded = EncodedGroup {
            name: group.name,
            description: group.description,
            members: group.members,
            seed,
            kind: GroupKind::Pantheon,
            state: GroupState::Active,
        };
        self.keep_and_tell(&id, &encoded, &peers).await?;
        Ok(shown(id, encoded))
    }

    /// Groups with exactly these members.
    pub async fn find_groups(&self, members: Vec<Address>) -> Result<Vec<Group>, Error> {
        let wanted: BTreeSet<Address> = members.into_iter().collect();
        let all = self.active_groups().await?;
        Ok(all.into_iter().filter(|group| group.members.iter().copied().collect::<BTreeSet<_>>() == wanted).collect())
    }

    /// One group.
    pub async fn group(&self, id: GroupId) -> Result<Group, Error> {
        match self.stored_group(&id).await? {
            Some(encoded) if encoded.state == GroupState::Active => Ok(shown(id, encoded)),
            _ => Err(Error::group_not_found(&id)),
        }
    }

    /// Deletes a group and tells its members.
    pub async fn delete_group(&self, id: GroupId, from: Option<Address>) -> Result<GroupId, Error> {
        let encoded = self.stored_group(&id).await?.filter(|group| group.state == GroupState::Active);
        let encoded = encoded.ok_or_else(|| Error::group_not_found(&id))?;
        let by = self.sender(from)?;
        if !encoded.members.contains(&by) {
            return Err(Error::PrivacyViolation("Sender of request does not belong to privacy group".into()));
        }
        let peers = self.group_peers(&encoded.members)?;
        self.keep_and_tell(&id, &EncodedGroup { state: GroupState::Deleted, ..encoded }, &peers).await?;
        Ok(id)
    }

    /// Groups of a kind; resident ones need the feature.
    pub async fn groups_of_kind(&self, kind: GroupKind) -> Result<Vec<Group>, Error> {
        if kind == GroupKind::Resident && !self.settings.multiple_private_states {
            return Err(Error::GroupsUnavailable);
        }
        Ok(self.active_groups().await?.into_iter().filter(|group| group.kind == kind).collect())
    }

    /// Takes a group from a peer.
    pub async fn group_pushed(&self, data: Bytes) -> Result<(), Error> {
        let encoded = EncodedGroup::decode(&data).map_err(|error| Error::BadRequest(format!("privacy group: {error}")))?;
        if encoded.kind != GroupKind::Pantheon {
            return Err(Error::BadRequest("only pantheon privacy groups are exchanged".into()));
        }
        if !encoded.members.iter().any(|member| self.directory.is_own(member)) {
            return Err(Error::PrivacyViolation("no key of this node is a member of the privacy group".into()));
        }
        let id = pantheon_id(&encoded.members, &encoded.seed);
        self.store.put_group(id, data).await?;
        Ok(())
    }

    /// Takes the configured resident groups: every member is a key of ours, every key of ours is in exactly one group.
    pub async fn open_resident_groups(&self, groups: &[ResidentGroup]) -> Result<(), Error> {
        if !self.settings.multiple_private_states {
            return Ok(());
        }
        check_residents(groups, &self.own_keys())?;
        // The configuration decides: a group that it names no longer is no private state any more.
        for (id, data) in self.store.groups().await? {
            let kept = decode_stored(&data)?;
            let is_configured = groups.iter().any(|group| group.name.as_bytes() == id.0);
            if kept.kind == GroupKind::Resident && kept.state == GroupState::Active && !is_configured {
                tracing::warn!(group = kept.name, "a resident group is configured no longer and is removed");
                self.store.put_group(id, EncodedGroup { state: GroupState::Deleted, ..kept }.encode()).await?;
            }
        }
        for group in groups {
            let encoded = EncodedGroup {
                name: group.name.clone(),
                description: group.description.clone(),
                members: group.members.clone(),
                seed: Vec::new(),
                kind: GroupKind::Resident,
                state: GroupState::Active,
            };
            self.store.put_group(GroupId(group.name.clone().into_bytes()), encoded.encode()).await?;
        }
        Ok(())
    }

    /// The peers of the other members, each once; all must be known and know groups.
    fn group_peers(&self, members: &[Address]) -> Result<Vec<Route>, Error> {
        let others = members.iter().filter(|key| !self.directory.is_own(key));
        let mut routes: Vec<Route> = Vec::new();
        for key in others {
            let route = self.locate(key)?;
            if matches!(&route, Route::Compatible(member) if !member.versions.contains(ApiVersion::V3)) {
                return Err(Error::GroupUnsupported(*key));
            }
            if routes.iter().all(|known| known.url() != route.url()) {
                routes.push(route);
            }
        }
        Ok(routes)
    }

    async fn keep_and_tell(&self, id: &GroupId, group: &EncodedGroup, peers: &[Route]) -> Result<(), Error> {
        let data = group.encode();
        for told in join_all(peers.iter().map(|route| self.tell_group(route, &data))).await {
            told?;
        }
        self.store.put_group(id.clone(), data).await?;
        Ok(())
    }

    async fn stored_group(&self, id: &GroupId) -> Result<Option<EncodedGroup>, Error> {
        self.store.group(id).await?.map(|data| decode_stored(&data)).transpose()
    }

    async fn active_groups(&self) -> Result<Vec<Group>, Error> {
        let mut groups = Vec::new();
        for (id, data) in self.store.groups().await? {
            let encoded = decode_stored(&data)?;
            if encoded.state == GroupState::Active {
                groups.push(shown(id, encoded));
            }
        }
        Ok(groups)
    }
}

fn decode_stored(data: &Bytes) -> Result<EncodedGroup, Error> {
    EncodedGroup::decode(data).map_err(|error| crate::store::StoreError::Corrupt(format!("a privacy group: {error}")).into())
}

fn shown(id: GroupId, group: EncodedGroup) -> Group {
    Group { id, name: group.name, description: group.description, kind: group.kind, members: group.members }
}

/// GoQuorum stops block processing when a managed key has no private state, so the start is refused instead.
fn check_residents(groups: &[ResidentGroup], own: &[Address]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for group in groups {
        for member in &group.members {
            if !own.contains(member) {
                return Err(Error::PrivacyViolation(format!(
                    "Key {member} configured in resident group {} must be locally managed",
                    group.name
                )));
            }
            if !seen.insert(*member) {
                return Err(Error::PrivacyViolation(format!("Key {member} cannot belong to more than one resident group")));
            }
        }
    }
    match own.iter().find(|key| !seen.contains(key)) {
        Some(key) => Err(Error::PrivacyViolation(format!("Key {key} must belong to a resident group"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Address {
        Address::new([byte; 32])
    }

    fn group(name: &str, members: &[Address]) -> ResidentGroup {
        ResidentGroup { name: name.into(), description: String::new(), members: members.to_vec() }
    }

    #[test]
    fn every_own_key_is_in_exactly_one_resident_group() {
        let own = [key(1), key(2)];
        assert!(check_residents(&[group("a", &[key(1)]), group("b", &[key(2)]), group("empty", &[])], &own).is_ok());
        for (groups, text) in [
            (vec![group("a", &[key(1)])], "must belong to a resident group"),
            (vec![group("a", &own), group("b", &[key(1)])], "more than one resident group"),
            (vec![group("a", &[key(1), key(2), key(3)])], "must be locally managed"),
        ] {
            assert!(check_residents(&groups, &own).expect_err("refused").to_string().contains(text));
        }
    }
}
