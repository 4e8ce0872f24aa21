use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Folder, OfficerError, PLAN, files};
use crate::ceremony::{CeremonyError, CeremonyId, Message, Plan};
use crate::crypto::sign::VerifyKey;

/// The files of a ceremony that a node relays: the same as in a folder that officers share.
#[derive(Debug)]
pub struct Relayed {
    plan: Plan,
    path: PathBuf,
    /// What the node has of one officer, by round and digest.
    theirs: BTreeSet<(u8, VerifyKey, [u8; 32])>,
}

impl Relayed {
    /// Where they lie in an officer's folder.
    pub fn place(folder: &Path, id: &CeremonyId) -> PathBuf {
        folder.join("relayed").join(id.to_string())
    }

    /// Lays the plan into a folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`OfficerError::OtherPlan`] if another one is there.
    pub fn open(path: &Path, plan: Plan) -> Result<Self, OfficerError> {
        files::make_folder(path)?;
        let file = path.join(PLAN);
        // Threat: the plan that was agreed to is exchanged between two rounds.
        if file.is_file() && Plan::parse(&files::read(&file)?)?.id() != plan.id() {
            return Err(OfficerError::OtherPlan(plan.id()));
        }
        files::publish(&file, plan.to_toml().as_bytes())?;
        Ok(Self { plan, path: path.to_owned(), theirs: BTreeSet::new() })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which ceremony it is.
    pub fn id(&self) -> CeremonyId {
        self.plan.id()
    }

    /// Lays a message that the node gave into the folder. Two different ones of an officer in one round both stay: they show that it cheats.
    ///
    /// Threat: a node that alters what officers said, or fills the folder until what they said is not looked at. What its author did not sign
    /// is not taken, and of each author and round there are two files at most.
    pub fn take(&mut self, text: &str) -> Result<(), OfficerError> {
        let message = Message::parse(text.as_bytes())?;
        self.plan.author(&message)?;
        self.theirs.insert((message.round, message.from, message.digest()));
        let first = self.path.join(message.file_name());
        for path in [first.clone(), first.with_extension("second.json")] {
            let there = files::read_bytes(&path).map_err(|_| CeremonyError::OtherCeremony);
            match there.and_then(|bytes| Message::parse(&bytes)) {
                Ok(there) if there.body == message.body => return Ok(()),
                Ok(_) => {}
                Err(_) => return files::publish(&path, message.to_json().as_bytes()),
            }
        }
        Ok(())
    }

    /// What an officer has said here and the node does not have, in order: the files.
    pub fn unsaid(&self, of: &VerifyKey) -> Result<Vec<Message>, OfficerError> {
        let mut unsaid = Vec::new();
        for path in files::list(&self.path, "json")? {
            let Ok(message) = Message::parse(&files::read_bytes(&path)?) else { continue };
            let is_theirs = self.theirs.contains(&(message.round, message.from, message.digest()));
            if message.from == *of && !is_theirs && self.plan.author(&message).is_ok() {
                unsaid.push(message);
            }
        }
        unsaid.sort_by_key(|message| message.round);
        Ok(unsaid)
    }

    /// The node has it.
    pub fn said(&mut self, message: &Message) {
        self.theirs.insert((message.round, message.from, message.digest()));
    }
}

impl Folder {
    /// Whether the officer has said something in a ceremony, or agreed to; no password is needed.
    pub fn has_begun(path: &Path, id: &CeremonyId) -> Result<bool, OfficerError> {
        let part = format!("-{}-", &id.to_string()[..16]);
        for ending in ["seed", "json"] {
            let files = files::list(&path.join("ceremonies"), ending)?;
            let is_of = |file: &PathBuf| file.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.contains(&part));
            if files.iter().any(is_of) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
