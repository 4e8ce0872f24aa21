use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{OfficerError, files};
use crate::crypto::secret::Secret;
use crate::crypto::{aead, kdf};
use crate::shred::{FileRoot, Pkcs11Root, Pkcs11Settings, RootKey, ShredError};

/// Where a folder says which token holds its root.
pub(super) const TOKEN: &str = "token.toml";
/// The variable with the PIN, where no file has it.
const PIN: &str = "CELOSIA_OFFICER_PIN";
const STORE: &[u8] = b"celosia officer store 1";

/// A PKCS #11 token.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Token {
    /// The vendor's module, a shared library.
    pub module: PathBuf,
    /// Label of the token.
    pub token: String,
    /// File with the PIN; else the variable `CELOSIA_OFFICER_PIN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin_file: Option<PathBuf>,
}

impl Token {
    pub(super) fn to_toml(&self) -> String {
        toml::to_string(self).expect("strings have a TOML form")
    }

    fn read(folder: &Path) -> Result<Option<Self>, OfficerError> {
        let path = folder.join(TOKEN);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        toml::from_str(&files::read(&path)?).map(Some).map_err(|_| OfficerError::Damaged(path))
    }
}

/// What lies sealed in a folder. Each file begins with the generation of its root (4 bytes, big-endian) and is bound to its name.
pub(super) struct Store {
    folder: PathBuf,
    master: Secret<32>,
    root: Box<dyn RootKey>,
    roots: BTreeMap<u32, Secret<32>>,
}

impl Store {
    /// Makes the first root.
    pub(super) fn make(folder: &Path, master: Secret<32>) -> Result<Self, OfficerError> {
        let root = Self::root(folder)?;
        let roots = BTreeMap::from([(1, root.make(1)?)]);
        Ok(Self { folder: folder.to_owned(), master, root, roots })
    }

    pub(super) fn open(folder: &Path, master: Secret<32>) -> Result<Self, OfficerError> {
        let root = Self::root(folder)?;
        let roots = root.unlock()?;
        if roots.is_empty() {
            return Err(ShredError::Broken(format!("no root in {}", root.place())).into());
        }
        Ok(Self { folder: folder.to_owned(), master, root, roots })
    }

    fn root(folder: &Path) -> Result<Box<dyn RootKey>, OfficerError> {
        Ok(match Token::read(folder)? {
            None => Box::new(FileRoot::open(folder)?),
            Some(Token { module, token, pin_file }) => {
                let settings = Pkcs11Settings { module, token, pin_file, pin_variable: PIN.to_owned() };
                Box::new(Pkcs11Root::new(folder, settings))
            }
        })
    }

    /// Seals a file under the newest root.
    pub(super) fn write(&self, name: &str, plain: &[u8]) -> Result<(), OfficerError> {
        let (generation, root) = self.roots.last_key_value().expect("a store has a root");
        let front = generation.to_be_bytes();
        let sealed = aead::seal(self.key(root).expose(), &aad(name, front), plain);
        files::write(&self.folder.join(name), &[front.as_slice(), &sealed].concat())
    }

    pub(super) fn read(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, OfficerError> {
        let path = self.folder.join(name);
        let bytes = files::read_bytes(&path)?;
        let damaged = || OfficerError::Damaged(path.clone());
        let (front, sealed) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
        let root = self.roots.get(&u32::from_be_bytes(*front)).ok_or_else(damaged)?;
        aead::open(self.key(root).expose(), &aad(name, *front), sealed).map_err(|_| damaged())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.folder.join(name).is_file()
    }

    /// Seals all that is there under a new root, then destroys every older one: what was removed before opens no more, wherever its blocks
    /// are. What the keeper of the root says of it.
    pub(super) fn rotate(&mut self) -> Result<String, OfficerError> {
        let newest = self.roots.last_key_value().map_or(0, |(generation, _)| *generation) + 1;
        let mut kept = Vec::new();
        for name in self.sealed()? {
            let plain = self.read(&name)?;
            kept.push((name, plain));
        }
        self.roots.insert(newest, self.root.make(newest)?);
        for (name, plain) in kept {
            self.write(&name, &plain)?;
        }
        let mut word = String::new();
        while let Some(entry) = self.roots.first_entry().filter(|entry| *entry.key() < newest) {
            word = self.root.destroy(*entry.key())?;
            entry.remove();
        }
        Ok(word)
    }

    /// Names of all sealed files.
    fn sealed(&self) -> Result<Vec<String>, OfficerError> {
        let mut names = Vec::new();
        for (part, ending) in [("", "sealed"), ("shares", "share"), ("ceremonies", "seed"), ("ceremonies", "share")] {
            for file in files::list(&self.folder.join(part), ending)? {
                let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                names.push(if part.is_empty() { name.to_owned() } else { format!("{part}/{name}") });
            }
        }
        Ok(names)
    }

    /// HKDF of both: the password alone, or the root alone, opens nothing.
    fn key(&self, root: &Secret<32>) -> Secret<32> {
        let mut both = Zeroizing::new([0; 64]);
        both[..32].copy_from_slice(self.master.expose());
        both[32..].copy_from_slice(root.expose());
        kdf::hkdf(&[], both.as_slice(), &[STORE])
    }
}

fn aad(name: &str, front: [u8; 4]) -> Vec<u8> {
    [STORE, &front, name.as_bytes()].concat()
}
