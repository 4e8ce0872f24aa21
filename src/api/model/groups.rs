use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Text, list};
use crate::api::request::{self, RequestError};
use crate::services::{Group, GroupKind, NewGroup};
use crate::types::{Address, GroupId};

/// A privacy group.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PrivacyGroup)]
pub(crate) struct GroupAnswer {
    /// Base64.
    privacy_group_id: String,
    /// Name.
    name: String,
    /// Description.
    description: String,
    /// `LEGACY`, `PANTHEON` or `RESIDENT`.
    r#type: &'static str,
    /// Members' public keys.
    #[schema(value_type = Vec<String>)]
    members: Vec<Address>,
}

impl From<Group> for GroupAnswer {
    fn from(group: Group) -> Self {
        Self {
            privacy_group_id: BASE64.encode(&group.id.0),
            name: group.name,
            description: group.description,
            r#type: match group.kind {
                GroupKind::Legacy => "LEGACY",
                GroupKind::Pantheon => "PANTHEON",
                GroupKind::Resident => "RESIDENT",
            },
            members: group.members,
        }
    }
}

/// A privacy group to create.
#[derive(Deserialize, ToSchema)]
#[schema(as = PrivacyGroupRequest)]
pub(crate) struct NewGroupBody<'a> {
    /// Members' public keys in base64.
    #[serde(borrow)]
    #[schema(value_type = Vec<String>)]
    addresses: Option<Vec<Text<'a>>>,
    /// Creator, a member; the first configured key if absent.
    #[schema(value_type = Option<String>)]
    from: Option<Text<'a>>,
    /// Name.
    #[schema(value_type = Option<String>)]
    name: Option<Text<'a>>,
    /// Description.
    #[schema(value_type = Option<String>)]
    description: Option<Text<'a>>,
    /// Base64; random if absent.
    #[schema(value_type = Option<String>)]
    seed: Option<Text<'a>>,
}

impl NewGroupBody<'_> {
    /// The group that the body describes.
    pub(crate) fn read(&self) -> Result<NewGroup, RequestError> {
        Ok(NewGroup {
            members: list("addresses", self.addresses.as_deref(), request::recipient)?,
            from: request::sender("from", self.from.as_deref())?,
            name: self.name.as_deref().unwrap_or_default().to_owned(),
            description: self.description.as_deref().unwrap_or_default().to_owned(),
            seed: self.seed.as_deref().filter(|seed| !seed.is_empty()).map(|seed| request::bytes("seed", seed)).transpose()?,
        })
    }
}

/// A search by members.
#[derive(Deserialize, ToSchema)]
#[schema(as = PrivacyGroupSearchRequest)]
pub(crate) struct FindGroupBody<'a> {
    /// Exactly these members.
    #[serde(borrow)]
    #[schema(value_type = Vec<String>)]
    addresses: Option<Vec<Text<'a>>>,
}

impl FindGroupBody<'_> {
    /// The members.
    pub(crate) fn read(&self) -> Result<Vec<Address>, RequestError> {
        list("addresses", self.addresses.as_deref(), request::recipient)
    }
}

/// A look-up by id.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PrivacyGroupRetrieveRequest)]
pub(crate) struct RetrieveGroupBody<'a> {
    /// Base64.
    #[serde(borrow)]
    #[schema(value_type = String)]
    privacy_group_id: Option<Text<'a>>,
}

impl RetrieveGroupBody<'_> {
    /// The id.
    pub(crate) fn read(&self) -> Result<GroupId, RequestError> {
        id(self.privacy_group_id.as_deref())
    }
}

/// A deletion.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PrivacyGroupDeleteRequest)]
pub(crate) struct DeleteGroupBody<'a> {
    /// Base64.
    #[serde(borrow)]
    #[schema(value_type = String)]
    privacy_group_id: Option<Text<'a>>,
    /// Who deletes, a member; the first configured key if absent.
    #[schema(value_type = Option<String>)]
    from: Option<Text<'a>>,
}

impl DeleteGroupBody<'_> {
    /// The id, and who deletes.
    pub(crate) fn read(&self) -> Result<(GroupId, Option<Address>), RequestError> {
        Ok((id(self.privacy_group_id.as_deref())?, request::sender("from", self.from.as_deref())?))
    }
}

fn id(text: Option<&str>) -> Result<GroupId, RequestError> {
    request::group("privacyGroupId", text)?.ok_or_else(|| RequestError::field("privacyGroupId", "missing or empty"))
}
