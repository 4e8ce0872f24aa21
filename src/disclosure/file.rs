//! How documents of a disclosure are carried: short ones as JSON with their bytes in base64, long lists as a CBOR sequence (RFC 8742) of byte
//! strings, which is read one by one.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::Refused;

/// Longest byte string of a sequence: a ciphertext and what goes with it.
const MAX_FRAME: usize = 1 << 30;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Carried {
    format: String,
    documents: Vec<String>,
}

/// A file of documents of one format: a line of JSON.
pub fn to_json(format: &str, documents: &[Vec<u8>]) -> String {
    let documents = documents.iter().map(|bytes| BASE64.encode(bytes)).collect();
    // Strings always serialise.
    serde_json::to_string(&Carried { format: format.to_owned(), documents }).unwrap_or_default() + "\n"
}

/// The documents of a file.
pub fn from_json(format: &'static str, text: &str) -> Result<Vec<Vec<u8>>, Refused> {
    let wrong = |why: String| Refused::Form(format, why);
    let carried: Carried = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if carried.format != format {
        return Err(wrong("its format is another".into()));
    }
    let decode = |text: &String| crate::types::base64(text.as_bytes()).map_err(|error| wrong(error.to_string()));
    carried.documents.iter().map(decode).collect()
}

/// A byte string in front of which its length stands, as CBOR writes it.
pub fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut out = crate::wire::strict::Form::string(bytes.len());
    out.extend_from_slice(bytes);
    out
}

/// What the beginning of a frame says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Frame {
    /// So many bytes of head, then so many of content.
    Of {
        /// Bytes of the head.
        head: usize,
        /// Bytes of the content.
        content: usize,
    },
    /// More bytes are needed to tell.
    More,
}

/// Reads the head of a frame: at most the first 5 bytes of what is given. Heads that are longer than they need be are refused.
pub fn head(bytes: &[u8]) -> Result<Frame, Refused> {
    let wrong = |why: &str| Refused::Form("sequence", why.to_owned());
    let Some((first, rest)) = bytes.split_first() else { return Ok(Frame::More) };
    let digits = match first {
        0x40..=0x57 => return Ok(Frame::Of { head: 1, content: usize::from(first - 0x40) }),
        0x58 => 1,
        0x59 => 2,
        0x5a => 4,
        _ => return Err(wrong("not a byte string")),
    };
    let Some(digits) = rest.get(..digits) else { return Ok(Frame::More) };
    let content = digits.iter().fold(0, |number: usize, digit| number << 8 | usize::from(*digit));
    let least = match digits.len() {
        1 => 24,
        2 => 0x100,
        _ => 0x1_0000,
    };
    if content < least || content > MAX_FRAME {
        return Err(wrong("a length that is none"));
    }
    Ok(Frame::Of { head: 1 + digits.len(), content })
}
