use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SecretText;
use crate::types::Address;

/// `[[keys]]`: one of this node's key pairs. Private half: exactly one of three fields.
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeyEntry {
    /// Tessera key file (JSON), locked or not.
    pub private_key_file: Option<PathBuf>,
    /// The private key itself, base64. Only for trials.
    pub private_key: Option<SecretText>,
    /// The content of a key file, inline.
    pub private_key_json: Option<SecretText>,
    /// File with the public key, base64; must belong to the private key. Absent: the public key is computed.
    pub public_key_file: Option<PathBuf>,
    /// The public key, base64; must belong to the private key.
    pub public_key: Option<Address>,
    /// File with the password of a locked key. Absent: asked at a terminal.
    pub password_file: Option<PathBuf>,
    /// Line of `password-file` that holds it, from 1.
    pub password_line: Option<u32>,
    /// The password itself. Only for trials.
    pub password: Option<SecretText>,
}

/// Where a private key comes from.
#[derive(Debug)]
pub enum PrivateSource<'a> {
    /// A key file's path.
    File(&'a std::path::Path),
    /// A key file's content.
    Json(&'a SecretText),
    /// 32 bytes in base64.
    Raw(&'a SecretText),
}

/// Where the public key comes from.
#[derive(Debug)]
pub enum PublicSource<'a> {
    /// It is computed from the private key.
    Derived,
    /// A file with base64.
    File(&'a std::path::Path),
    /// The key.
    Value(Address),
}

impl KeyEntry {
    /// The private half; `None` only in an entry that validation refuses.
    pub fn private(&self) -> Option<PrivateSource<'_>> {
        let file = self.private_key_file.as_deref().map(PrivateSource::File);
        let json = || self.private_key_json.as_ref().map(PrivateSource::Json);
        file.or_else(json).or_else(|| self.private_key.as_ref().map(PrivateSource::Raw))
    }

    /// The public half.
    pub fn public(&self) -> PublicSource<'_> {
        match (&self.public_key, &self.public_key_file) {
            (Some(address), _) => PublicSource::Value(*address),
            (None, Some(path)) => PublicSource::File(path),
            (None, None) => PublicSource::Derived,
        }
    }
}

/// `[[resident-groups]]`: keys of this node that share a private state.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResidentGroup {
    /// The private state's name.
    pub name: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Keys of this node.
    #[serde(default)]
    pub members: Vec<Address>,
}

/// `[enclave]`: where private keys live.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EnclaveTable {
    /// Socket of a separate `celosia enclave` process: it listens there, `celosia run` calls it there. Absent: in process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
    /// Folder of the key trees. Absent: `enclave` in the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
}
