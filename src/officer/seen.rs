//! What an officer's folder saw in force: policies of networks, in case files or in a folder of documents. Whoever shows an older one is
//! found out. `policies/<network>.toml`; it is no secret.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Folder, OfficerError, files};
use crate::governance::{Policy, Purpose};
use crate::types::NetworkId;

/// The highest policy of a network that a folder saw in force.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Seen {
    /// The network.
    pub network: NetworkId,
    /// Version of the policy.
    pub policy: u64,
    /// Its committees.
    #[serde(default)]
    pub committees: Vec<InForce>,
}

/// A committee of a policy in force.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InForce {
    /// What its key is for.
    pub purpose: Purpose,
    /// Which key.
    pub epoch: u64,
    /// Which shares of it.
    pub generation: u64,
}

impl Seen {
    fn of(policy: &Policy) -> Self {
        let committees = policy.committees.iter();
        let committees = committees.map(|of| InForce { purpose: of.purpose, epoch: of.epoch, generation: of.generation });
        Self { network: policy.head.network, policy: policy.head.version, committees: committees.collect() }
    }

    /// The generation of a committee.
    pub fn generation(&self, purpose: Purpose, epoch: u64) -> Option<u64> {
        let mut all = self.committees.iter();
        all.find(|of| (of.purpose, of.epoch) == (purpose, epoch)).map(|of| of.generation)
    }
}

impl Folder {
    /// What a folder saw in force; no password is needed.
    pub fn seen_of(path: &Path, network: &NetworkId) -> Result<Option<Seen>, OfficerError> {
        let file = place(path, network);
        if file.symlink_metadata().is_err() {
            return Ok(None);
        }
        let seen: Result<Seen, _> = toml::from_str(&files::read(&file)?);
        seen.ok().filter(|seen| seen.network == *network).map(Some).ok_or(OfficerError::Damaged(file))
    }

    /// Remembers a policy that enough governors signed; no password is needed. Call it with one whose chain begins with the network's id.
    ///
    /// # Errors
    /// Threat: who holds data shows documents of before, in which shares of before and officers who left still count. A policy is refused
    /// that names an earlier generation than one that was seen in force, see [`OfficerError::Superseded`].
    pub fn see(path: &Path, policy: &Policy) -> Result<(), OfficerError> {
        Self::see_again(path, &Seen::of(policy))
    }

    fn see_again(path: &Path, shown: &Seen) -> Result<(), OfficerError> {
        let _lock = files::lock(path)?;
        let Some(known) = Self::seen_of(path, &shown.network)? else { return keep(path, shown) };
        for InForce { purpose, epoch, generation } in &known.committees {
            let shows = shown.generation(*purpose, *epoch);
            if shows.is_none_or(|shows| shows < *generation) {
                return Err(OfficerError::Superseded {
                    committee: format!("{purpose} {epoch}"),
                    shown: shows.unwrap_or_default(),
                    policy: shown.policy,
                    known: *generation,
                    seen: known.policy,
                });
            }
        }
        if shown.policy > known.policy { keep(path, shown) } else { Ok(()) }
    }
}

fn keep(path: &Path, seen: &Seen) -> Result<(), OfficerError> {
    let file = place(path, &seen.network);
    files::make_folder(&path.join("policies"))?;
    files::write(&file, toml::to_string(seen).expect("words and numbers have a TOML form").as_bytes())
}

fn place(path: &Path, network: &NetworkId) -> PathBuf {
    path.join("policies").join(format!("{}.toml", data_encoding::HEXLOWER.encode(network.as_bytes())))
}

#[cfg(test)]
mod tests;
