//! The keys of the blind index.

use zeroize::Zeroizing;

use super::{Inner, named};
use crate::crypto::hash::hmac_sha256;
use crate::crypto::secret::Secret;
use crate::enclave::{EnclaveError, IndexKey};
use crate::shred::SealedHead;

impl Inner {
    pub(super) fn index_key(&self, of: IndexKey) -> Result<SealedHead, EnclaveError> {
        let key = Secret::<32>::random();
        Ok(self.forest.seal_new(&of.aad(), key.expose())?)
    }

    pub(super) fn index_tokens(
        &self,
        of: IndexKey,
        head: &SealedHead,
        words: &[Zeroizing<Vec<u8>>],
    ) -> Result<Vec<[u8; 32]>, EnclaveError> {
        let key = self.forest.open_head(&of.aad(), head).map_err(named)?;
        let token = |word: &Zeroizing<Vec<u8>>| {
            let mut token = hmac_sha256(&key, word);
            if of == IndexKey::Buckets {
                token[1..].fill(0);
            }
            token
        };
        Ok(words.iter().map(token).collect())
    }
}
