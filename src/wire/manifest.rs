//! What a member says of a document that it offers: the content of a payload of the suite celosia-1 (`docs/documents.md` section 4).

use super::DecodeError;
use super::strict::{Fields, Form, canonical};
use crate::types::DocumentId;

const FORM: &str = "manifest";
const FORMAT: &str = "celosia-document-1";
const FIELDS: u64 = 7;
/// Longest name or media type, in bytes.
pub const MAX_TEXT: usize = 1024;
/// Largest document that the form knows: a tebibyte.
const MAX_SIZE: u64 = 1 << 40;
/// Least padding: a document of no bytes has a chunk, too.
const LEAST_PADDING: u64 = 8;

/// A document: what it is called and what its chunks are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Manifest {
    /// Which document.
    pub document: DocumentId,
    /// Bytes of its content.
    pub size: u64,
    /// Bytes of content and padding.
    pub padded: u64,
    /// Root of the Merkle tree (RFC 9162) over its sealed chunks.
    pub root: [u8; 32],
    /// A name for people, at most [`MAX_TEXT`] bytes.
    pub name: Option<String>,
    /// Media type of the content, at most [`MAX_TEXT`] bytes.
    pub media: Option<String>,
}

impl Manifest {
    /// Reads what [`Manifest::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS)?;
        if fields.word::<String>("format")? != FORMAT {
            return Err(DecodeError::Value("format"));
        }
        let manifest = Self {
            document: DocumentId::new(fields.array("document")?),
            size: fields.number("size")?,
            padded: fields.number("padded size")?,
            root: fields.array("root")?,
            name: text(&mut fields, "name")?,
            media: text(&mut fields, "media type")?,
        };
        let least = manifest.size.checked_add(LEAST_PADDING);
        if manifest.padded > MAX_SIZE || least.is_none_or(|least| least > manifest.padded) {
            return Err(DecodeError::Value("padded size"));
        }
        canonical(bytes, &manifest.encode(), FORM)?;
        Ok(manifest)
    }

    /// `["celosia-document-1", document, size, padded size, root, name or null, media type or null]`.
    pub fn encode(&self) -> Vec<u8> {
        let texts = self.name.as_ref().map_or(0, String::len) + self.media.as_ref().map_or(0, String::len);
        let mut form = Form::of(FIELDS, 128 + texts)
            .text(FORMAT)
            .bytes(self.document.as_bytes())
            .number(self.size)
            .number(self.padded)
            .bytes(&self.root);
        for text in [&self.name, &self.media] {
            form = match text {
                Some(text) => form.text(text),
                None => form.null(),
            };
        }
        form.finish()
    }
}

fn text(fields: &mut Fields<'_>, field: &'static str) -> Result<Option<String>, DecodeError> {
    let text = fields.option(field, |fields| fields.word::<String>(field))?;
    if text.as_ref().is_some_and(|text| text.len() > MAX_TEXT) { Err(DecodeError::Length(field)) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Manifest {
        Manifest {
            document: DocumentId::new([7; 32]),
            size: 100,
            padded: 112,
            root: [9; 32],
            name: Some("a contract.pdf".into()),
            media: None,
        }
    }

    #[test]
    fn a_manifest_comes_back_and_another_form_of_it_is_refused() {
        let bytes = sample().encode();
        assert_eq!(Manifest::decode(&bytes), Ok(sample()));
        for cut in 0..bytes.len() {
            assert!(Manifest::decode(&bytes[..cut]).is_err());
        }
        assert!(Manifest::decode(&[bytes, vec![0]].concat()).is_err());
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        for (size, padded) in [(100, 100), (100, 107), (0, 0), (0, 7), (1, (1 << 40) + 1), (u64::MAX, u64::MAX)] {
            let manifest = Manifest { size, padded, ..sample() };
            assert_eq!(Manifest::decode(&manifest.encode()), Err(DecodeError::Value("padded size")), "{size} {padded}");
        }
        let long = Manifest { name: Some("a".repeat(MAX_TEXT + 1)), ..sample() };
        assert_eq!(Manifest::decode(&long.encode()), Err(DecodeError::Length("name")));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes: Vec<u8>) {
            let _ = Manifest::decode(&bytes);
        }
    }
}
