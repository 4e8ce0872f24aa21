use std::path::Path;

use zeroize::Zeroizing;

use super::ShredError;

/// A store root R_t: what tree states are sealed under. A file here; a KMS, Vault or PKCS#11 token fills the same trait.
pub trait RootKey: Send + Sync {
    /// The generation `t` that new states are sealed under.
    fn generation(&self) -> u32;

    /// Seals a state under the current generation, bound to `aad`.
    fn seal(&self, aad: &[u8], state: &[u8]) -> Result<Vec<u8>, ShredError>;

    /// Opens a state sealed under `generation`, with the same `aad`.
    fn open(&self, generation: u32, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, ShredError>;
}

/// Roots in 0600 files of a folder.
pub struct FileRoot {}

impl FileRoot {
    /// Opens the folder's newest generation, or makes the first one.
    pub fn open(_folder: &Path) -> Result<Self, ShredError> {
        unimplemented!()
    }
}
