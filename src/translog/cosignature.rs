//! Cosignatures of witnesses (C2SP tlog-cosignature, `cosignature/v1`): "at this time this was the largest tree that I had seen of this log,
//! and it goes on from all that I saw before".

use std::fmt;
use std::str::FromStr;

use super::note::{self, Note, NoteError, NoteSignature};
use crate::crypto::sign::{Signature, VerifyKey};

/// Signature type of a cosignature with Ed25519.
const KIND: u8 = 0x04;

/// What a witness signs: `cosignature/v1`, the time in seconds since 1970, and the whole text of the checkpoint.
pub fn message(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// A witness: its name and key, `name+hash+base64(0x04 ‖ key)` as text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Witness {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: VerifyKey,
}

impl Witness {
    /// The signature line of this witness. `signature` is its key's on [`message`].
    pub fn line(&self, time: u64, signature: &Signature) -> NoteSignature {
        let bytes = [&time.to_be_bytes()[..], signature].concat();
        NoteSignature { name: self.name.clone(), key_id: self.key_id(), bytes }
    }

    /// The time of the newest valid cosignature of this witness on the note.
    pub fn verifies(&self, note: &Note) -> Option<u64> {
        note.signatures().iter().filter_map(|line| self.verifies_line(note.text(), line)).max()
    }

    /// The time of a line that is a valid cosignature of this witness on the text.
    pub fn verifies_line(&self, text: &str, line: &NoteSignature) -> Option<u64> {
        let (time, signature) = line.bytes.split_first_chunk::<8>()?;
        let time = u64::from_be_bytes(*time);
        let is_ours = line.name == self.name && line.key_id == self.key_id() && i64::try_from(time).is_ok();
        (is_ours && self.key.verify(&message(time, text), signature).is_ok()).then_some(time)
    }

    fn key_id(&self) -> [u8; 4] {
        note::key_id(&self.name, KIND, self.key.as_bytes())
    }
}

impl FromStr for Witness {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, key) = note::verifier_key(text, KIND)?;
        Ok(Self { name, key })
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&note::verifier_text(&self.name, KIND, &self.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::secret::Secret;
    use crate::crypto::sign::SigningKey;

    /// The example of the specification. Its witness key is not published, so its form is what is compared.
    const OTHERS: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

    #[test]
    fn a_line_has_the_form_of_the_specification() {
        let note = Note::parse(OTHERS).expect("a note");
        let theirs = &note.signatures()[1];
        let key = SigningKey::from_seed(&Secret::random());
        let witness = Witness { name: theirs.name.clone(), key: key.verify_key() };
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        assert_eq!(message(1_679_315_147, text), format!("cosignature/v1\ntime 1679315147\n{text}").into_bytes());
        let ours = witness.line(1_679_315_147, &key.sign(&message(1_679_315_147, text)));
        assert_eq!((ours.bytes.len(), &ours.bytes[..8]), (theirs.bytes.len(), &theirs.bytes[..8]));
        assert_eq!(witness.verifies(&note), None);
        assert_eq!(witness.to_string().parse(), Ok(witness));
    }

    #[test]
    fn a_cosignature_holds_for_its_time_its_text_and_its_witness() {
        let (key, text) = (SigningKey::from_seed(&Secret::random()), "a\n1\nroot\n");
        let witness = Witness { name: "w".into(), key: key.verify_key() };
        let line = witness.line(5, &key.sign(&message(5, text)));
        assert_eq!(witness.verifies_line(text, &line), Some(5));
        assert_eq!(witness.verifies_line("a\n2\nroot\n", &line), None);
        let mut later = line.clone();
        later.bytes[7] = 6;
        assert_eq!(witness.verifies_line(text, &later), None);
        assert_eq!(Witness { name: "v".into(), ..witness.clone() }.verifies_line(text, &line), None);
        let mut note = Note::new(text.into()).expect("a text");
        note.sign("w", &key);
        assert_eq!(witness.verifies(&note), None, "a signature on the text is no cosignature");
    }
}
