//! Signatures to build against; each moves into the file of its verb.
#![allow(unused_variables, clippy::unimplemented)]

use bytes::Bytes;

use super::*;
use crate::types::{Address, GroupId};

impl Node {
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
}
