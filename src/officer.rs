//! An officer's folder: who the officer is, its shares of committees' keys, and the ceremonies that it is in. `docs/officers.md`.
//!
//! ```text
//! officer.key           32 random bytes, locked by a password (argon2, the form of all key files)
//! officer.pub           the card: name, entity, public keys, signed
//! token.toml            where a PKCS #11 token holds the root; absent: the root lies in a file
//! root-N.key / .wrapped  the root of generation N
//! identity.sealed       signing seed and box key
//! shares/…share         shares, by network, purpose, epoch and generation
//! committees/…toml      their committees, with everybody's signatures
//! policies/…toml        what was seen in force, by network
//! ceremonies/…          of ceremonies that are not over: the seed, and what was said
//! relayed/…             plans and messages of ceremonies that a node relays
//! ```
//!
//! What is `.sealed`, `.share` or `.seed` lies under HKDF(officer.key ‖ root): password and root are needed, both. Destroying old shares
//! makes a new root and destroys the old one.

mod ceremony;
mod error;
mod files;
mod relayed;
mod seen;
mod store;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use ceremony::{PLAN, Progress, RESULT};
pub use error::OfficerError;
pub use relayed::Relayed;
pub use seen::{InForce, Seen};
pub use store::Token;

use self::store::Store;
use crate::ceremony::{Card, CommitteeFile};
use crate::crypto::Broken;
use crate::crypto::hpke::{self, BoxKey};
use crate::crypto::secret::Secret;
use crate::crypto::sign::{Signature, SigningKey};
use crate::crypto::threshold::KeyShare;
use crate::enclave::keyfile::{self, ArgonOptions, KeyFileError};
use crate::erasure::{HoldAnswer, HoldRequest, LockedEnvelope};
use crate::governance::{Committee, Purpose};
use crate::seal::hold;
use crate::types::NetworkId;

const KEY: &str = "officer.key";
const CARD: &str = "officer.pub";
const IDENTITY: &str = "identity.sealed";

/// An officer's folder, unlocked. One process at a time has it.
pub struct Folder {
    path: PathBuf,
    card: Card,
    signing: SigningKey,
    private: Secret<32>,
    store: Store,
    _lock: File,
}

/// Where shares are: a file name's parts.
struct Place<'a> {
    network: &'a NetworkId,
    purpose: Purpose,
    epoch: u64,
    generation: u64,
}

impl Place<'_> {
    fn of<'a>(network: &'a NetworkId, committee: &Committee) -> Place<'a> {
        Place { network, purpose: committee.purpose, epoch: committee.epoch, generation: committee.generation }
    }

    fn name(&self) -> String {
        let network = data_encoding::HEXLOWER.encode(&self.network.as_bytes()[..8]);
        format!("{network}-{}-{}-{}", self.purpose, self.epoch, self.generation)
    }
}

impl Folder {
    /// Makes a folder: an identity of fresh keys, locked by the password.
    ///
    /// # Errors
    /// A folder that is one already is never overwritten.
    pub fn init(
        path: &Path,
        name: &str,
        entity: &str,
        password: &Zeroizing<String>,
        options: &ArgonOptions,
        token: Option<&Token>,
    ) -> Result<Card, OfficerError> {
        if password.is_empty() {
            return Err(OfficerError::NoPassword);
        }
        let (seed, private) = (Secret::<32>::random(), Secret::<32>::random());
        let card = Card::make(name, entity, &SigningKey::from_seed(&seed), BoxKey::of(&private))?;
        files::make_folder(path)?;
        if path.join(KEY).symlink_metadata().is_ok() {
            return Err(KeyFileError::Exists(path.join(KEY).display().to_string()).into());
        }
        let master = Secret::random();
        let locked = keyfile::to_locked_json(&master, password, options)?;
        if let Some(token) = token {
            files::write(&path.join(store::TOKEN), token.to_toml().as_bytes())?;
        }
        let store = Store::make(path, master)?;
        let mut identity = Zeroizing::new([0; 64]);
        identity[..32].copy_from_slice(seed.expose());
        identity[32..].copy_from_slice(private.expose());
        store.write(IDENTITY, identity.as_slice())?;
        files::write(&path.join(CARD), card.to_toml().as_bytes())?;
        // The last: a folder with it is whole.
        files::write(&path.join(KEY), locked.as_bytes())?;
        Ok(card)
    }

    /// Unlocks a folder. Takes the time that the locking of its key asks for.
    pub fn open(path: &Path, password: &Zeroizing<String>) -> Result<Self, OfficerError> {
        let lock = files::lock(path)?;
        let card = Self::card_of(path)?;
        let master = keyfile::load(&path.join(KEY))?.unlock(Some(password))?;
        let store = Store::open(path, master)?;
        let identity = store.read(IDENTITY)?;
        let damaged = || OfficerError::Damaged(path.join(IDENTITY));
        let (seed, private) = identity.split_at_checked(32).ok_or_else(damaged)?;
        let seed = Secret::from_slice(seed).ok_or_else(damaged)?;
        let private = Secret::from_slice(private).ok_or_else(damaged)?;
        let signing = SigningKey::from_seed(&seed);
        if signing.verify_key() != card.signing_key || BoxKey::of(&private) != card.box_key {
            return Err(OfficerError::Damaged(path.join(CARD)));
        }
        Ok(Self { path: path.to_owned(), card, signing, private, store, _lock: lock })
    }

    /// The card of a folder; no password is needed.
    pub fn card_of(path: &Path) -> Result<Card, OfficerError> {
        Ok(Card::parse(&files::read(&path.join(CARD))?)?)
    }

    /// The committees of a folder, with everybody's signatures; no password is needed.
    pub fn committees_of(path: &Path) -> Result<Vec<CommitteeFile>, OfficerError> {
        let mut all = Vec::new();
        for file in files::list(&path.join("committees"), "toml")? {
            let committee = CommitteeFile::parse(&files::read(&file)?)?;
            committee.check_own()?;
            all.push(committee);
        }
        all.sort_by_key(|file| (file.network, file.committee.purpose, file.committee.epoch, file.committee.generation));
        Ok(all)
    }

    /// Whether a folder has a share of a committee; no password is needed.
    pub fn has_share(path: &Path, file: &CommitteeFile) -> bool {
        share_file(path, &Place::of(&file.network, &file.committee)).is_file()
    }

    /// Who the officer is.
    pub fn identity(&self) -> &Card {
        &self.card
    }

    /// Signs. What is signed bears its purpose and network, see [`crate::crypto::sign::statement`].
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.signing.sign(message)
    }

    /// Opens what was sealed to the officer's box key (HPKE).
    pub fn open_box(&self, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
        hpke::open(&self.private, info, aad, sealed)
    }

    /// The officer's share of a committee's key, as the policy in force names the committee.
    ///
    /// # Errors
    /// Threat: a folder that was restored from an older copy gives decryptions with a share that is no share any more, or helps k-1 thieves
    /// of old shares. A share of an earlier generation is not used: [`OfficerError::OldShare`].
    pub fn share(&self, network: &NetworkId, committee: &Committee) -> Result<KeyShare, OfficerError> {
        let title = committee.title();
        let own = committee.signer(&self.card.signing_key).ok_or_else(|| OfficerError::NoShare(title.clone()))?;
        let place = Place::of(network, committee);
        if !share_file(&self.path, &place).is_file() {
            let older = (1..committee.generation).rev();
            let mut older =
                older.filter(|generation| share_file(&self.path, &Place { generation: *generation, ..place }).is_file());
            return Err(match older.next() {
                Some(generation) => OfficerError::OldShare { committee: title, generation, current: committee.generation },
                None => OfficerError::NoShare(title),
            });
        }
        let name = format!("shares/{}.share", place.name());
        let bytes = Secret::from_slice(&self.store.read(&name)?);
        let share = bytes.and_then(|bytes| KeyShare::new(own.index, bytes).ok());
        let share = share.ok_or_else(|| OfficerError::Damaged(self.path.join(&name)))?;
        if share.verifying() == own.share { Ok(share) } else { Err(OfficerError::OtherShare(title)) }
    }

    /// Answers a request of a node to the hold committee: a partial decryption of each envelope, for the label that it shows.
    ///
    /// # Errors
    /// [`OfficerError::NoShare`] where an envelope is of a committee that the folder is not in, [`OfficerError::Request`] where no enclave made it.
    pub fn answer(&self, request: &HoldRequest) -> Result<HoldAnswer, OfficerError> {
        let mut shares = HashMap::new();
        for LockedEnvelope { committee, .. } in &request.envelopes {
            if shares.contains_key(committee) {
                continue;
            }
            let all = Self::committees_of(&self.path)?;
            // Sorted: the last is the newest generation.
            let mut known = all.iter().filter(|file| file.committee.key == *committee);
            let file = known.next_back().ok_or_else(|| OfficerError::NoShare(format!("key {committee}")))?;
            shares.insert(*committee, self.share(&file.network, &file.committee)?);
        }
        hold::answer(request, &self.signing, |key| shares.get(key)).map_err(|_| OfficerError::Request)
    }

    /// The newest committee of a purpose and epoch that the folder knows.
    pub fn newest(&self, network: &NetworkId, purpose: Purpose, epoch: u64) -> Result<Option<CommitteeFile>, OfficerError> {
        let mut all = Self::committees_of(&self.path)?.into_iter();
        let is_it =
            |file: &CommitteeFile| file.network == *network && (file.committee.purpose, file.committee.epoch) == (purpose, epoch);
        Ok(all.rfind(is_it))
    }

    /// Keeps a committee, and destroys every share of the same key from before it, and what is left of attempts; then the root under which
    /// they lay.
    /// Returns how many shares were destroyed, and what the keeper of the root says.
    ///
    /// # Errors
    /// The committee must follow the newest that the folder knows.
    pub fn destroy_before(&mut self, file: &CommitteeFile) -> Result<(usize, String), OfficerError> {
        let committee = &file.committee;
        let known = self.newest(&file.network, committee.purpose, committee.epoch)?;
        let known = known.ok_or_else(|| OfficerError::NoShare(committee.title()))?;
        if known.committee.generation >= committee.generation && known != *file {
            return Err(OfficerError::NotNewest { known: known.committee.generation, given: committee.generation });
        }
        if known != *file {
            file.check(Some(&known.committee))?;
        }
        // Threat: the old share goes although the new one never came: one officer fewer.
        let place = Place::of(&file.network, committee);
        if committee.signer(&self.card.signing_key).is_some() && !share_file(&self.path, &place).is_file() {
            return Err(OfficerError::NoShare(format!("{}, generation {}", committee.title(), committee.generation)));
        }
        self.keep_committee(file)?;
        let mut count = 0;
        for generation in 1..=committee.generation {
            let before = Place { generation, ..place };
            let path = share_file(&self.path, &before);
            if generation < committee.generation && path.is_file() {
                files::destroy(&path)?;
                count += 1;
            }
            self.forget_attempts(&before)?;
        }
        let word = self.store.rotate()?;
        Ok((count, word))
    }

    /// Threat: with the seed of an attempt that failed, and what was dealt in it to one who is robbed, an old share is there again.
    fn forget_attempts(&self, place: &Place<'_>) -> Result<(), OfficerError> {
        let (folder, prefix) = (self.path.join("ceremonies"), format!("{}-", place.name()));
        for ending in ["seed", "share"] {
            for file in files::list(&folder, ending)? {
                if file.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&prefix)) {
                    files::destroy(&file)?;
                }
            }
        }
        Ok(())
    }

    fn keep_committee(&self, file: &CommitteeFile) -> Result<(), OfficerError> {
        let folder = self.path.join("committees");
        files::make_folder(&folder)?;
        let name = format!("{}.toml", Place::of(&file.network, &file.committee).name());
        files::write(&folder.join(name), file.to_toml().as_bytes())
    }

    fn keep_share(&self, file: &CommitteeFile, share: &Secret<32>) -> Result<(), OfficerError> {
        files::make_folder(&self.path.join("shares"))?;
        let name = format!("shares/{}.share", Place::of(&file.network, &file.committee).name());
        self.store.write(&name, share.expose())
    }
}

fn share_file(path: &Path, place: &Place<'_>) -> PathBuf {
    path.join("shares").join(format!("{}.share", place.name()))
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Folder({})", self.path.display())
    }
}

#[cfg(test)]
mod tests;
