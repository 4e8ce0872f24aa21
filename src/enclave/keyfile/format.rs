use std::fmt;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::lock::{ArgonOptions, check_salt};
use super::{Form, KeyFileError};
use crate::crypto::nacl::{self, KeyBox, Nonce};
use crate::crypto::random;
use crate::crypto::secret::Secret;

const UNLOCKED: &str = "unlocked";
const LOCKED: &str = "argon2sbox";

/// A key in a box under a password.
pub(super) struct Locked {
    options: ArgonOptions,
    salt: Vec<u8>,
    nonce: Nonce,
    sealed: KeyBox,
}

/// Whoever has the box may guess at its password for ever: it is not printed either.
impl fmt::Debug for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locked({:?})", self.options)
    }
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    bytes: Option<SecretText>,
    snonce: Option<String>,
    asalt: Option<String>,
    sbox: Option<String>,
    aopts: Option<ArgonOptions>,
}

/// Base64 of a private key, wiped. Nothing of serde's error texts is passed on: they quote what they do not like.
struct SecretText(Zeroizing<String>);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

pub(super) fn parse(json: &str) -> Result<Form, KeyFileError> {
    let file: File = serde_json::from_str(json).map_err(|error| {
        let what = if error.is_data() { "a field that is missing or of the wrong type" } else { "not JSON" };
        KeyFileError::Malformed(format!("{what} (line {}, column {})", error.line(), error.column()))
    })?;
    match file.kind.as_str() {
        UNLOCKED => {
            let text = file.data.bytes.ok_or_else(|| missing("bytes"))?;
            Ok(Form::Unlocked(private_key(&text.0)?))
        }
        LOCKED => Ok(Form::Locked(file.data.into_locked()?)),
        _ => Err(KeyFileError::Malformed(format!("type is neither \"{UNLOCKED}\" nor \"{LOCKED}\""))),
    }
}

impl Data {
    fn into_locked(self) -> Result<Locked, KeyFileError> {
        let options = self.aopts.ok_or_else(|| missing("aopts"))?;
        let salt = decode("asalt", self.asalt)?;
        let nonce = decode("snonce", self.snonce)?.try_into().map_err(|_| wrong("snonce", "24 bytes"))?;
        let sbox = decode("sbox", self.sbox)?;
        let sealed =
            sbox.try_into().map_err(|bytes: Vec<u8>| if bytes.len() > 48 { elliptic() } else { wrong("sbox", "48 bytes") })?;
        options.check()?;
        check_salt(&salt)?;
        Ok(Locked { options, salt, nonce, sealed })
    }
}

fn decode(name: &'static str, text: Option<String>) -> Result<Vec<u8>, KeyFileError> {
    let text = text.ok_or_else(|| missing(name))?;
    crate::types::base64(text.as_bytes()).map_err(|_| wrong(name, "base64"))
}

/// The bytes of an unlocked key, decoded into memory that is wiped.
fn private_key(text: &str) -> Result<Secret<32>, KeyFileError> {
    crate::types::one_text(text.as_bytes()).map_err(|_| wrong("bytes", "base64"))?;
    let room = BASE64.decode_len(text.len()).map_err(|_| wrong("bytes", "base64"))?;
    let mut bytes = Zeroizing::new(vec![0; room]);
    let len = BASE64.decode_mut(text.as_bytes(), &mut bytes).map_err(|_| wrong("bytes", "base64"))?;
    if len > 32 {
        return Err(elliptic());
    }
    Secret::from_slice(&bytes[..len]).ok_or_else(|| wrong("bytes", "32 bytes in base64"))
}

fn missing(name: &str) -> KeyFileError {
    KeyFileError::Malformed(format!("data.{name} is missing"))
}

fn wrong(name: &str, expected: &str) -> KeyFileError {
    KeyFileError::Malformed(format!("data.{name} is not {expected}"))
}

/// Keys of Tessera's EC encryptor are longer.
fn elliptic() -> KeyFileError {
    let text =
        "a key of more than 32 bytes: keys of Tessera's EC encryptor are not supported, make a NaCl key with `celosia keygen`";
    KeyFileError::Unsupported(text.to_owned())
}

impl Locked {
    pub(super) fn seal(key: &Secret<32>, password: &str, options: ArgonOptions) -> Result<Self, KeyFileError> {
        let (salt, nonce) = (random::<16>(), random());
        let under = options.derive(password, &salt)?;
        let sealed = nacl::seal_key(&under, &nonce, key);
        Ok(Self { options, salt: salt.to_vec(), nonce, sealed })
    }

    pub(super) fn open(&self, password: &str) -> Result<Secret<32>, KeyFileError> {
        let under = self.options.derive(password, &self.salt)?;
        nacl::open_key(&under, &self.nonce, &self.sealed).map_err(|_| KeyFileError::WrongPassword)
    }

    /// Tessera's order of fields.
    pub(super) fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Out<'a> {
            r#type: &'a str,
            data: OutData,
        }
        #[derive(Serialize)]
        struct OutData {
            snonce: String,
            asalt: String,
            sbox: String,
            aopts: ArgonOptions,
        }
        let data = OutData {
            snonce: BASE64.encode(&self.nonce),
            asalt: BASE64.encode(&self.salt),
            sbox: BASE64.encode(&self.sealed),
            aopts: self.options,
        };
        serde_json::to_string(&Out { r#type: LOCKED, data }).expect("strings and numbers have a JSON form")
    }
}
