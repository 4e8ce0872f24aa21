//! Tessera's key files: `<name>.pub` (base64 of the public key) and `<name>.key` (JSON, unlocked or locked by a password).
//!
//! ```json
//! {"type":"unlocked","data":{"bytes":"<base64 of the private key>"}}
//! {"type":"argon2sbox","data":{"snonce":"…","asalt":"…","sbox":"…","aopts":{"variant":"i","memory":1048576,"iterations":10,"parallelism":4}}}
//! ```
//!
//! `sbox = crypto_secretbox(private key, snonce, Argon2(variant, version 0x13, password, asalt, t, m, p))`. Fields that we do not know are
//! passed over, as Tessera and Constellation write some. Keys of the EC encryptor are refused by name.

mod files;
mod format;
mod lock;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::crypto::nacl;
use crate::crypto::secret::Secret;
use crate::types::{Address, Code, Coded};

pub use files::{load, load_public, write_pair};
pub use lock::{ArgonOptions, ArgonVariant};

use self::format::Locked;

/// A private key as it lies in a file. Prints as `<secret>`.
#[derive(Debug)]
pub struct KeyFile(Form);

#[derive(Debug)]
enum Form {
    Locked(Locked),
    Unlocked(Secret<32>),
}

/// What is wrong with a key file or its password. Never holds a key, a password, or text of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// A pair is never overwritten.
    #[error("{0} exists already: key files are never overwritten; move it away or choose another name")]
    Exists(String),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a key file. Says where.
    #[error("not a key file: {0}")]
    Malformed(String),
    /// The parameters of argon2 are outside what is accepted, or need more memory than there is.
    #[error("argon2 options: {0}")]
    Options(String),
    /// A locked key without a password.
    #[error("the key is locked: give its password")]
    PasswordNeeded,
    /// A kind of key that Celosia does not use.
    #[error("{0}")]
    Unsupported(String),
    /// The box does not open.
    #[error("the password does not unlock the key (or the file was altered)")]
    WrongPassword,
}

impl Coded for KeyFileError {
    fn code(&self) -> Code {
        match self {
            Self::Exists(_) => Code(4201),
            Self::Io { .. } => Code(4202),
            Self::Malformed(_) => Code(4203),
            Self::Options(_) => Code(4204),
            Self::PasswordNeeded => Code(4205),
            Self::Unsupported(_) => Code(4206),
            Self::WrongPassword => Code(4207),
        }
    }
}

impl KeyFile {
    /// Reads the JSON of a key file. Cheap: nothing is unlocked, but the options are checked.
    pub fn parse(json: &str) -> Result<Self, KeyFileError> {
        format::parse(json).map(Self)
    }

    /// Whether a password is needed.
    pub fn is_locked(&self) -> bool {
        matches!(self.0, Form::Locked(_))
    }

    /// The private key. For a locked one this takes the time and memory that its options say (Tessera's default: 10 to 20 s and 1 GiB on
    /// two cores), so unlock one after the other. A password for an unlocked key is not used.
    pub fn unlock(&self, password: Option<&Zeroizing<String>>) -> Result<Secret<32>, KeyFileError> {
        match &self.0 {
            Form::Locked(locked) => locked.open(password.ok_or(KeyFileError::PasswordNeeded)?),
            Form::Unlocked(key) => Ok(key.duplicate()),
        }
    }
}

/// A fresh private key and its public one.
pub fn generate() -> (Secret<32>, Address) {
    let key = Secret::random();
    let address = nacl::public_key(&key);
    (key, address)
}

/// The JSON of an unlocked key file.
pub fn to_unlocked_json(key: &Secret<32>) -> Zeroizing<String> {
    // One allocation: no half-written copy of the key stays behind.
    let mut json = Zeroizing::new(String::with_capacity(100));
    json.push_str(r#"{"type":"unlocked","data":{"bytes":""#);
    BASE64.encode_append(key.expose(), &mut json);
    json.push_str(r#""}}"#);
    json
}

/// The JSON of a key file locked by a password (its UTF-8 bytes), with a fresh 16-byte salt and a fresh nonce.
pub fn to_locked_json(key: &Secret<32>, password: &Zeroizing<String>, options: &ArgonOptions) -> Result<String, KeyFileError> {
    Ok(Locked::seal(key, password, *options)?.to_json())
}

#[cfg(test)]
mod tests;
