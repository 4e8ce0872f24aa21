//! Signed notes (C2SP signed-note 1.0.0) with Ed25519: a text, a blank line, and lines `— <name> <base64(key id (4) ‖ signature)>`.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};

use crate::crypto::hash::sha256;
use crate::crypto::sign::{Signature, SigningKey, VerifyKey};

/// Longest note, in bytes: a directory of some thousand members.
pub const MAX_NOTE: usize = 8 << 20;
/// Most signatures of one note.
const MAX_SIGNATURES: usize = 1_000;
/// What every signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";
/// Signature type of Ed25519 on the text itself.
const ED25519: u8 = 0x01;

/// A text and its signatures.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line. What it says is believed only after [`NoteKey::verifies`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoteSignature {
    /// The signer's name: not empty, no space, no plus.
    pub name: String,
    /// First four bytes of SHA-256(name ‖ LF ‖ type ‖ key).
    pub key_id: [u8; 4],
    /// What follows the key id.
    pub bytes: Vec<u8>,
}

/// Why bytes are no signed note.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`MAX_NOTE`], or more than a thousand signatures.
    #[error("it is too long for a signed note")]
    TooLong,
    /// A control character other than the line feed.
    #[error("it holds a control character")]
    Control,
    /// The text does not end with a line feed, or no blank line follows it.
    #[error("it has no blank line between text and signatures")]
    NoSignatures,
    /// A signature line that is none.
    #[error("a signature line is not `\u{2014} name base64`")]
    SignatureLine,
    /// Not a verifier key.
    #[error("not a verifier key: `name+hash+base64`")]
    VerifierKey,
}

impl Note {
    /// A text without signatures yet. It must end with a line feed and hold no other control character.
    pub fn new(text: String) -> Result<Self, NoteError> {
        check(&text)?;
        if !text.ends_with('\n') {
            return Err(NoteError::NoSignatures);
        }
        Ok(Self { text, signatures: Vec::new() })
    }

    /// Reads a note: text, blank line, at least one signature line.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        check(note)?;
        let at = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, lines) = (&note[..=at], &note[at + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::SignatureLine)?;
        let mut read = Self { text: text.to_owned(), signatures: Vec::new() };
        for line in lines.split('\n') {
            if read.signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::TooLong);
            }
            read.signatures.push(line.parse()?);
        }
        Ok(read)
    }

    /// The text that is signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signatures, in the order of their lines; none of them verified.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line, unless the very line is there.
    pub fn add(&mut self, signature: NoteSignature) {
        if !self.signatures.contains(&signature) {
            self.signatures.push(signature);
        }
    }

    /// Signs the text in a name and adds the line.
    pub fn sign(&mut self, name: &str, key: &SigningKey) {
        let signer = NoteKey { name: name.to_owned(), key: key.verify_key() };
        self.add(signer.line(&key.sign(self.text.as_bytes())));
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl FromStr for NoteSignature {
    type Err = NoteError;

    fn from_str(line: &str) -> Result<Self, NoteError> {
        let (name, base64) = line.strip_prefix(DASH).and_then(|rest| rest.split_once(' ')).ok_or(NoteError::SignatureLine)?;
        let bytes = crate::types::base64(base64.as_bytes()).map_err(|_| NoteError::SignatureLine)?;
        let (key_id, bytes) = bytes.split_first_chunk::<4>().ok_or(NoteError::SignatureLine)?;
        if !is_name(name) || bytes.is_empty() {
            return Err(NoteError::SignatureLine);
        }
        Ok(Self { name: name.to_owned(), key_id: *key_id, bytes: bytes.to_vec() })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DASH}{} {}", self.name, BASE64.encode(&[&self.key_id[..], &self.bytes].concat()))
    }
}

/// A signer's name and key: `name+hash+base64(0x01 ‖ key)` as text, the form of the field's tools.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoteKey {
    /// The signer's name.
    pub name: String,
    /// Its key.
    pub key: VerifyKey,
}

impl NoteKey {
    /// The signature line of this key. `signature` is on the text of the note.
    pub fn line(&self, signature: &Signature) -> NoteSignature {
        let key_id = key_id(&self.name, ED25519, self.key.as_bytes());
        NoteSignature { name: self.name.clone(), key_id, bytes: signature.to_vec() }
    }

    /// Whether the note bears a valid signature of this key.
    pub fn verifies(&self, note: &Note) -> bool {
        note.signatures.iter().any(|line| self.verifies_line(&note.text, line))
    }

    /// Whether a line is a valid signature of this key on the text.
    pub fn verifies_line(&self, text: &str, line: &NoteSignature) -> bool {
        let is_ours = line.name == self.name && line.key_id == key_id(&self.name, ED25519, self.key.as_bytes());
        is_ours && self.key.verify(text.as_bytes(), &line.bytes).is_ok()
    }
}

impl FromStr for NoteKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, key) = verifier_key(text, ED25519)?;
        Ok(Self { name, key })
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&verifier_text(&self.name, ED25519, &self.key))
    }
}

/// Reads `name+hash+base64(type ‖ key)` of one signature type.
pub(super) fn verifier_key(text: &str, kind: u8) -> Result<(String, VerifyKey), NoteError> {
    let mut parts = text.trim().splitn(3, '+');
    let (Some(name), Some(hash), Some(base64)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::VerifierKey);
    };
    let bytes = crate::types::base64(base64.as_bytes()).map_err(|_| NoteError::VerifierKey)?;
    let bytes: [u8; 33] = bytes.try_into().map_err(|_| NoteError::VerifierKey)?;
    let key = *bytes.last_chunk::<32>().ok_or(NoteError::VerifierKey)?;
    if bytes[0] != kind || !is_name(name) || hash != HEXLOWER.encode(&key_id(name, kind, &key)) {
        return Err(NoteError::VerifierKey);
    }
    Ok((name.to_owned(), VerifyKey::new(key)))
}

/// Writes `name+hash+base64(type ‖ key)`.
pub(super) fn verifier_text(name: &str, kind: u8, key: &VerifyKey) -> String {
    let hash = HEXLOWER.encode(&key_id(name, kind, key.as_bytes()));
    format!("{name}+{hash}+{}", BASE64.encode(&[&[kind][..], key.as_bytes()].concat()))
}

/// First four bytes of SHA-256(name ‖ LF ‖ signature type ‖ key).
pub fn key_id(name: &str, kind: u8, key: &[u8; 32]) -> [u8; 4] {
    let digest = sha256(&[name.as_bytes(), b"\n", &[kind], key]);
    [digest[0], digest[1], digest[2], digest[3]]
}

/// A name that a signature line can hold.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn check(text: &str) -> Result<(), NoteError> {
    if text.len() > MAX_NOTE {
        return Err(NoteError::TooLong);
    }
    if text.chars().any(|c| c.is_control() && c != '\n') { Err(NoteError::Control) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::secret::Secret;

    /// The example of the Go package `golang.org/x/mod/sumdb/note`.
    #[test]
    fn a_note_of_another_implementation_verifies() {
        let key: NoteKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().expect("a key");
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let line =
            "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let note = Note::parse(&format!("{text}\n{line}\n")).expect("a note");
        assert!(key.verifies(&note));
        assert_eq!(note.to_string(), format!("{text}\n{line}\n"));
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        let forged = Note::parse(&format!("{}\n{line}\n", text.replace("answer", "anwser"))).expect("a note");
        assert!(!key.verifies(&forged));
    }

    #[test]
    fn what_is_no_note_is_refused_and_says_why() {
        let line = "\u{2014} a AAAAAAA=";
        for (text, why) in [
            ("", NoteError::NoSignatures),
            ("text\n", NoteError::NoSignatures),
            ("text\n\n", NoteError::SignatureLine),
            ("te\txt\n\n\u{2014} a AAAAAAA=\n", NoteError::Control),
            ("text\n\n\u{2014} a AAAAAAA=", NoteError::SignatureLine),
            ("text\n\n- a AAAAAAA=\n", NoteError::SignatureLine),
            ("text\n\n\u{2014} a AAAA\n", NoteError::SignatureLine),
            ("text\n\n\u{2014} a+b AAAAAAA=\n", NoteError::SignatureLine),
            ("text\n\n\u{2014}  AAAAAAA=\n", NoteError::SignatureLine),
        ] {
            assert_eq!(Note::parse(text), Err(why), "{text:?}");
        }
        assert!(Note::parse(&format!("text\n\n{line}\n")).is_ok());
        let many = format!("text\n\n{}", format!("{line}\n").repeat(MAX_SIGNATURES + 1));
        assert_eq!(Note::parse(&many), Err(NoteError::TooLong));
        assert!(Note::new("no line feed".into()).is_err());
    }

    #[test]
    fn a_note_signed_twice_has_one_line_of_each_signer() {
        let (a, b) = (SigningKey::from_seed(&Secret::random()), SigningKey::from_seed(&Secret::random()));
        let mut note = Note::new("a text\n\nof two parts\n".into()).expect("a text");
        note.sign("a", &a);
        note.sign("a", &a);
        note.sign("b", &b);
        let read = Note::parse(&note.to_string()).expect("a note");
        assert_eq!((read.signatures().len(), &read), (2, &note));
        assert!(NoteKey { name: "a".into(), key: a.verify_key() }.verifies(&read));
        assert!(!NoteKey { name: "b".into(), key: a.verify_key() }.verifies(&read));
    }
}
