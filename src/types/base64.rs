use data_encoding::{BASE64, DecodeError, DecodeKind};

/// Decodes base64 (RFC 4648 section 4): the one text that encodes these bytes, and no other.
///
/// Threat: the library also takes several padded texts one behind the other (`AA==AA==`), so that one key, signature or note would have
/// many texts, and what was compared as text would be compared in vain.
pub fn base64(text: &[u8]) -> Result<Vec<u8>, DecodeError> {
    one_text(text)?;
    BASE64.decode(text)
}

/// That padding stands at the end alone, for those who decode into memory of their own.
pub fn one_text(text: &[u8]) -> Result<(), DecodeError> {
    let inner = &text[..text.len().saturating_sub(4)];
    match inner.iter().position(|byte| *byte == b'=') {
        Some(position) => Err(DecodeError { position, kind: DecodeKind::Padding }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_text() {
        for bytes in [&b""[..], b"a", b"ab", b"abc", b"abcd", &[0xff; 32], &[0xff; 64]] {
            assert_eq!(base64(BASE64.encode(bytes).as_bytes()).as_deref(), Ok(bytes));
        }
        for text in ["AA==AA==", "AAA=AAAA", "AAAAAA==AAA=", "=AAA", "A", "AA", "AA=", "AAAB=", "AB==", "AA==\n", " AAAA"] {
            assert!(base64(text.as_bytes()).is_err(), "{text}");
        }
        // What the library itself takes: the reason for all of this.
        assert!(BASE64.decode(b"AA==AA==").is_ok());
    }
}
