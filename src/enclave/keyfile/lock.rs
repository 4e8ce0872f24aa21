use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

use super::KeyFileError;
use crate::crypto::secret::Secret;

/// Most memory that a file may ask for: 4 GiB, four times Tessera's default.
const MAX_MEMORY: u32 = 4 * 1024 * 1024;
/// Most passes; Tessera's default is 10.
const MAX_ITERATIONS: u32 = 1000;
/// Most lanes; Tessera's default is 4.
const MAX_PARALLELISM: u32 = 256;
/// Most passes × KiB: a hundred passes over 1 GiB, some minutes. A file that asks for more would hang the start.
const MAX_WORK: u64 = 100 * 1024 * 1024;
/// Shortest and longest salt. Tessera writes 16 bytes; 32 are in the wild.
const SALT: std::ops::RangeInclusive<usize> = 8..=1024;

/// How a key is locked (RFC 9106), under Tessera's names.
///
/// The default is what Tessera's code writes: variant `i`, 1 GiB, 10 passes, 4 lanes. It costs 9 s on two cores, 15 s on one, and 1 GiB of
/// memory for every key at every start. `{"variant":"id","memory":65536,"iterations":3,"parallelism":4}` (RFC 9106 section 4, second
/// choice) costs about 0.1 s and is right for a password that a machine made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ArgonOptions {
    /// Variant. In a file that names none, Tessera takes `id`.
    #[serde(alias = "algorithm", default = "unnamed_variant")]
    pub variant: ArgonVariant,
    /// Memory in KiB: 8 for each lane to 4 GiB.
    pub memory: u32,
    /// Passes over the memory: 1 to 1000.
    pub iterations: u32,
    /// Lanes: 1 to 256.
    pub parallelism: u32,
}

/// The variants of Argon2.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ArgonVariant {
    /// Argon2d: fastest to fill, its memory access depends on the password.
    D,
    /// Argon2i: memory access independent of the password.
    I,
    /// Argon2id: first half of the first pass as `i`, then as `d`.
    Id,
}

const fn unnamed_variant() -> ArgonVariant {
    ArgonVariant::Id
}

impl Default for ArgonOptions {
    fn default() -> Self {
        Self { variant: ArgonVariant::I, memory: 1024 * 1024, iterations: 10, parallelism: 4 }
    }
}

impl ArgonOptions {
    /// Refuses what would take longer or more memory than any honest file does. Threat: a key file from elsewhere that stops the start.
    pub fn check(&self) -> Result<(), KeyFileError> {
        let Self { memory, iterations, parallelism, .. } = *self;
        let within = |name: &str, value: u32, min: u32, max: u32| {
            let fits = (min..=max).contains(&value);
            let refused = || KeyFileError::Options(format!("{name} is {value}, accepted are {min} to {max}"));
            if fits { Ok(()) } else { Err(refused()) }
        };
        within("parallelism", parallelism, 1, MAX_PARALLELISM)?;
        within("iterations", iterations, 1, MAX_ITERATIONS)?;
        within("memory (KiB)", memory, 8 * parallelism, MAX_MEMORY)?;
        if u64::from(memory) * u64::from(iterations) > MAX_WORK {
            return Err(KeyFileError::Options(format!("memory × iterations is above {MAX_WORK} KiB")));
        }
        Ok(())
    }

    /// Argon2 of version 0x13, 32 bytes.
    pub(super) fn derive(&self, password: &str, salt: &[u8]) -> Result<Secret<32>, KeyFileError> {
        self.check()?;
        check_salt(salt)?;
        let refused = |error: argon2::Error| KeyFileError::Options(error.to_string());
        let params = Params::new(self.memory, self.iterations, self.parallelism, Some(32)).map_err(refused)?;
        let argon = Argon2::new(self.variant.into(), Version::V0x13, params);
        let mut result = Ok(());
        let key = Secret::init_with(|key| result = argon.hash_password_into(password.as_bytes(), salt, key));
        result.map_err(refused)?;
        Ok(key)
    }
}

pub(super) fn check_salt(salt: &[u8]) -> Result<(), KeyFileError> {
    if SALT.contains(&salt.len()) {
        return Ok(());
    }
    let (min, max) = (SALT.start(), SALT.end());
    Err(KeyFileError::Options(format!("the salt has {} bytes, accepted are {min} to {max}", salt.len())))
}

impl From<ArgonVariant> for Algorithm {
    fn from(variant: ArgonVariant) -> Self {
        match variant {
            ArgonVariant::D => Self::Argon2d,
            ArgonVariant::I => Self::Argon2i,
            ArgonVariant::Id => Self::Argon2id,
        }
    }
}
