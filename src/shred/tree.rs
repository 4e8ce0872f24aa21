use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use super::ShredError;
use super::disk::{io_error, write_new};
use super::root::Root;
use crate::crypto::puncture::{KeyTree, Version};
use crate::crypto::secret::Secret;

/// First bytes of a tree file, by the tree's version.
const MAGIC: [(Version, &[u8; 4]); 2] = [(Version::First, b"CKT1"), (Version::Second, b"CKT2")];
/// Magic, tree, day, root generation.
const HEADER: usize = 4 + 4 + 8 + 4;

/// One key tree and its file, `tree-<id>.key`:
/// `magic (4) ‖ tree (4) ‖ day (8) ‖ root generation (4) ‖ nonce (24) ‖ ciphertext ‖ tag (16)`, big-endian; the header is the associated data.
pub(super) struct Tree {
    id: u32,
    day: u64,
    keys: RwLock<KeyTree>,
    /// The memory is ahead of the file. Set before the puncture is visible to others.
    unsaved: AtomicBool,
    /// Held while the file is rewritten.
    saving: Mutex<()>,
}

impl Tree {
    /// Begins a tree with the next free number; its file is durable when this returns.
    pub(super) fn begin(folder: &Path, root: &Root, day: u64) -> Result<Self, ShredError> {
        let last = Self::numbers(folder)?.into_iter().max().unwrap_or(0);
        let id = last.checked_add(1).ok_or_else(|| ShredError::Broken("the number of the last key tree".into()))?;
        let tree =
            Self { id, day, keys: RwLock::new(KeyTree::random()), unsaved: AtomicBool::new(true), saving: Mutex::default() };
        tree.save(folder, root, false)?;
        Ok(tree)
    }

    /// Reads a tree's file. A rotation that runs may have moved it between our look and our opening it: then it is read again.
    pub(super) fn load(folder: &Path, root: &Root, id: u32) -> Result<Self, ShredError> {
        match Self::load_once(folder, root, id) {
            Err(ShredError::NoGeneration(_)) => Self::load_once(folder, root, id),
            other => other,
        }
    }

    fn load_once(folder: &Path, root: &Root, id: u32) -> Result<Self, ShredError> {
        let path = file(folder, id);
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => ShredError::Missing(id),
            _ => io_error(&path, source),
        })?;
        let broken = || ShredError::Broken(path.display().to_string());
        let (header, sealed) = bytes.split_first_chunk::<HEADER>().ok_or_else(broken)?;
        let day = u64::from_be_bytes(header[8..16].try_into().map_err(|_| broken())?);
        let generation = u32::from_be_bytes(header[16..].try_into().map_err(|_| broken())?);
        let version = MAGIC.iter().find(|(_, magic)| header.starts_with(*magic)).map(|(version, _)| *version);
        let version = version.filter(|version| *header == Self::header(*version, id, day, generation)).ok_or_else(broken)?;
        let state = root.open_state(generation, header, sealed)?;
        let keys = KeyTree::decode(version, &state).ok_or_else(broken)?;
        Ok(Self { id, day, keys: RwLock::new(keys), unsaved: AtomicBool::new(false), saving: Mutex::default() })
    }

    /// Removes what a crash left of a rewrite.
    pub(super) fn sweep(folder: &Path) -> Result<(), ShredError> {
        for entry in fs::read_dir(folder).map_err(|source| io_error(folder, source))?.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "tmp") {
                fs::remove_file(entry.path()).map_err(|source| io_error(&entry.path(), source))?;
            }
        }
        Ok(())
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn is_alive(&self, leaf: u32) -> bool {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).is_alive(leaf)
    }

    pub(super) fn punctured(&self) -> u64 {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).punctured()
    }

    pub(super) fn derive(&self, leaf: u32) -> Result<Secret<32>, ShredError> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).derive(leaf).ok_or(ShredError::Destroyed)
    }

    /// Punctures leaves and rewrites the file. Whoever waits for the rewrite of another finds its own leaves in it.
    pub(super) fn puncture(&self, leaves: &[u32], folder: &Path, root: &Root) -> Result<(), ShredError> {
        {
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            for leaf in leaves {
                if keys.puncture(*leaf) {
                    self.unsaved.store(true, Ordering::Release);
                }
            }
        }
        self.save(folder, root, false)
    }

    /// Rewrites the file under the newest root generation, whatever it is under.
    ///
    /// Threat: a rotation writes an older state over a newer puncture. It cannot: every rewrite takes the state from the memory while it
    /// holds `saving`, a puncture changes the memory before it asks for its own rewrite, and no state is ever carried from file to file.
    pub(super) fn reseal(&self, folder: &Path, root: &Root) -> Result<(), ShredError> {
        self.save(folder, root, true)
    }

    /// Rewrites the file, if the memory is ahead of it or it must be. A failed rewrite is tried again by the next caller.
    fn save(&self, folder: &Path, root: &Root, must: bool) -> Result<(), ShredError> {
        let _one = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.unsaved.swap(false, Ordering::AcqRel) && !must {
            return Ok(());
        }
        // Asked for while `saving` is held: a rotation that has passed this tree has made the newer generation before.
        let generation = root.generation();
        let (version, state) = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            (keys.version(), keys.encode())
        };
        let header = Self::header(version, self.id, self.day, generation);
        let saved = root
            .seal(generation, &header, &state)
            .and_then(|sealed| write_new(&file(folder, self.id), &[header.as_slice(), &sealed].concat()));
        if saved.is_err() {
            self.unsaved.store(true, Ordering::Release);
        }
        saved
    }

    /// Under which root generation the file of a tree is, as it says itself.
    pub(super) fn generation(folder: &Path, id: u32) -> Result<u32, ShredError> {
        let path = file(folder, id);
        let mut header = [0; HEADER];
        File::open(&path).and_then(|mut file| file.read_exact(&mut header)).map_err(|source| io_error(&path, source))?;
        Ok(u32::from_be_bytes([header[16], header[17], header[18], header[19]]))
    }

    /// Bytes of the encoded state.
    pub(super) fn size(&self) -> u64 {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).encoded_len() as u64
    }

    /// Numbers of the folder's trees.
    pub(super) fn numbers(folder: &Path) -> Result<Vec<u32>, ShredError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(|source| io_error(folder, source))? {
            let name = entry.map_err(|source| io_error(folder, source))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("tree-")?.strip_suffix(".key"));
            found.extend(number.and_then(|hex| u32::from_str_radix(hex, 16).ok()));
        }
        Ok(found)
    }

    fn header(version: Version, id: u32, day: u64, generation: u32) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        for (_, magic) in MAGIC.iter().filter(|(known, _)| *known == version) {
            header[..4].copy_from_slice(*magic);
        }
        header[4..8].copy_from_slice(&id.to_be_bytes());
        header[8..16].copy_from_slice(&day.to_be_bytes());
        header[16..].copy_from_slice(&generation.to_be_bytes());
        header
    }
}

fn file(folder: &Path, id: u32) -> PathBuf {
    folder.join(format!("tree-{id:08x}.key"))
}
