use std::fmt;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use zeroize::Zeroizing;

/// How bytes may be written down.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Encoding {
    /// As they are.
    Raw,
    /// Lower or upper case.
    Hex,
    /// Standard or URL alphabet, at any of the three places of a group.
    Base64,
    /// As text of two bytes a letter, either byte first.
    Utf16,
}

impl Encoding {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Utf16 => "utf-16",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Every form of some bytes, each once.
pub(super) fn forms(bytes: &[u8]) -> Vec<(Encoding, Zeroizing<Vec<u8>>)> {
    let mut forms = vec![(Encoding::Raw, Zeroizing::new(bytes.to_vec()))];
    let mut add = |encoding, form: Vec<u8>| {
        let form = Zeroizing::new(form);
        if !forms.iter().any(|(_, known): &(Encoding, Zeroizing<Vec<u8>>)| *known == form) {
            forms.push((encoding, form));
        }
    };
    add(Encoding::Hex, HEXLOWER.encode(bytes).into_bytes());
    add(Encoding::Hex, HEXUPPER.encode(bytes).into_bytes());
    for skipped in 0..3 {
        // What comes before and after shares letters with our first and last bits: only whole groups of three bytes are ours.
        let own = bytes.get(skipped..).unwrap_or_default();
        let own = &own[..own.len() / 3 * 3];
        if own.len() >= 6 {
            add(Encoding::Base64, BASE64_NOPAD.encode(own).into_bytes());
            add(Encoding::Base64, BASE64URL_NOPAD.encode(own).into_bytes());
        }
    }
    if let Some(text) = as_text(bytes) {
        add(Encoding::Utf16, text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        add(Encoding::Utf16, text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    }
    forms
}

/// The letters of a piece of UTF-8 whose first and last letters may be cut.
fn as_text(bytes: &[u8]) -> Option<&str> {
    let start = bytes.iter().take(3).take_while(|byte| *byte & 0xc0 == 0x80).count();
    let text = match std::str::from_utf8(&bytes[start..]) {
        Ok(text) => text,
        Err(cut) if cut.error_len().is_none() => std::str::from_utf8(&bytes[start..start + cut.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    (text.chars().count() >= 6).then_some(text)
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, BASE64URL};

    use super::*;

    #[test]
    fn every_place_of_base64_and_both_cases_are_there() {
        let secret: Vec<u8> = (200..224).collect();
        let forms = forms(&secret);
        let in_some_form = |haystack: &str, encoding| {
            forms.iter().any(|(known, form)| *known == encoding && haystack.contains(std::str::from_utf8(form).unwrap()))
        };
        for before in 0..7 {
            for after in 0..5 {
                let around = [&vec![0xfb; before][..], &secret, &vec![0x3f; after]].concat();
                assert!(in_some_form(&BASE64.encode(&around), Encoding::Base64), "{before} {after}");
                assert!(in_some_form(&BASE64URL.encode(&around), Encoding::Base64), "{before} {after}");
            }
        }
        assert!(in_some_form(&HEXUPPER.encode(&secret), Encoding::Hex) && in_some_form(&HEXLOWER.encode(&secret), Encoding::Hex));
        assert!(!in_some_form(&BASE64.encode(&[1; 90]), Encoding::Base64), "the control");
    }

    #[test]
    fn text_has_two_wide_forms_and_bytes_have_none() {
        let cut = &"¿Dónde está la niña?".as_bytes()[1..];
        let wide: Vec<u8> = "Dónde está la niña?".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16 = |bytes: &[u8]| forms(bytes).into_iter().filter(|(known, _)| *known == Encoding::Utf16).count();
        assert!(forms(cut).iter().any(|(_, form)| **form == wide));
        assert_eq!((utf16(cut), utf16(&[0xff; 24]), utf16(b"abc")), (2, 0, 0));
    }
}
