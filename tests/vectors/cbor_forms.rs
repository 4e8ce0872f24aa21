use bytes::Bytes;
use celosia::types::{Codec, Privacy, PrivacyRuleError};
use celosia::wire::{DecodeError, EncodedPayload};
use minicbor::Encoder;

use super::data::{hex, spec};

fn decode(bytes: &[u8]) -> Result<EncodedPayload, DecodeError> {
    EncodedPayload::decode(Codec::Cbor, &Bytes::copy_from_slice(bytes))
}

fn standard() -> EncodedPayload {
    decode(&hex(&spec()["payloads"]["cbor_standard"])).unwrap()
}

/// Pairs of the vector, as whole CBOR items.
fn pairs(name: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = hex(&spec()["payloads"][name]);
    let mut decoder = minicbor::Decoder::new(&bytes);
    let count = decoder.map().unwrap().unwrap();
    let pair = |_| {
        let key = decoder.str().unwrap().to_owned();
        let start = decoder.position();
        decoder.skip().unwrap();
        (key, bytes[start..decoder.position()].to_vec())
    };
    (0..count).map(pair).collect()
}

fn map(pairs: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0xa0 | u8::try_from(pairs.len()).unwrap()];
    for (key, value) in pairs {
        out.extend(minicbor::to_vec(key).unwrap());
        out.extend(value);
    }
    out
}

#[test]
fn keys_come_in_any_order() {
    let mut shuffled = pairs("cbor_state_validation");
    let payload = decode(&map(&shuffled)).unwrap();
    for _ in 0..shuffled.len() {
        shuffled.rotate_left(1);
        assert_eq!(decode(&map(&shuffled)), Ok(payload.clone()));
    }
    shuffled.reverse();
    assert_eq!(decode(&map(&shuffled)), Ok(payload));
}

#[test]
fn absent_keys_have_defaults_or_are_named() {
    let all = pairs("cbor_standard");
    let needed = ["sender", "cipherText", "nonce", "recipientNonce"];
    for (at, (key, _)) in all.iter().enumerate() {
        let mut fewer = all.clone();
        fewer.remove(at);
        match (decode(&map(&fewer)), needed.iter().find(|name| *name == key)) {
            (Err(error), Some(name)) => assert_eq!(error, DecodeError::Missing(name)),
            (Ok(read), None) => {
                assert_eq!(read.boxes.is_empty(), key == "recipientBoxes");
                assert_eq!(read.recipients.is_empty(), key == "recipients");
                assert_eq!(read.privacy, Privacy::default());
            }
            (read, _) => panic!("without {key}: {read:?}"),
        }
    }
    for (name, key, error) in [
        ("cbor_state_validation", "execHash", PrivacyRuleError::ExecHash),
        ("cbor_mandatory_in_group", "mandatoryFor", PrivacyRuleError::Mandatory),
        ("cbor_mandatory_in_group", "privacyFlag", PrivacyRuleError::Mandatory),
    ] {
        let fewer: Vec<_> = pairs(name).into_iter().filter(|(name, _)| name != key).collect();
        assert_eq!(decode(&map(&fewer)), Err(DecodeError::Privacy(error)));
    }
}

#[test]
fn keys_that_are_there_twice_are_refused() {
    for (key, value) in pairs("cbor_standard") {
        let twice = [pairs("cbor_standard"), vec![(key.clone(), value)]].concat();
        assert_eq!(decode(&map(&twice)).unwrap_err().to_string(), format!("{key} is there twice"));
    }
}

#[test]
fn unknown_keys_are_passed_over_where_they_are_well_formed() {
    let nested = |depth: usize| [vec![0x81; depth], vec![0]].concat();
    for (value, well_formed) in [
        (vec![0xf6], true),                                           // null
        (vec![0x83, 0x01, 0x20, 0xfb, 0, 0, 0, 0, 0, 0, 0, 0], true), // array of integers and a float
        (vec![0x9f, 0x01, 0x5f, 0x41, 0xff, 0xff, 0xff], true),       // indefinite array with a chunked byte string
        (vec![0xbf, 0x61, 0x61, 0xa1, 0x01, 0x02, 0xff], true),       // indefinite map with a map
        (vec![0xc2, 0x41, 0x01], true),                               // tagged bytes
        (nested(15), true),
        (nested(16), false),
        (vec![0x81; 400], false),
        (vec![0xff], false),             // a break of nothing
        (vec![0x81, 0xff], false),       // a break in a definite array
        (vec![0xbf, 0x01, 0xff], false), // half a pair
        (vec![0x1c], false),             // reserved
    ] {
        for at in [0, 5, 11] {
            let mut more = pairs("cbor_standard");
            more.insert(at, ("later".into(), value.clone()));
            let read = decode(&map(&more));
            if well_formed {
                assert_eq!(read, Ok(standard()), "{value:02x?}");
            } else {
                assert!(read.is_err(), "{value:02x?}");
            }
        }
    }
}

#[test]
fn indefinite_lengths_and_long_heads_are_read() {
    let payload = decode(&hex(&spec()["payloads"]["cbor_state_validation"])).unwrap();
    let mut out = Encoder::new(Vec::new());
    out.begin_map().unwrap().str("affected").unwrap().begin_map().unwrap();
    for affected in &payload.privacy.affected {
        out.str(&affected.id.to_string()).unwrap().bytes(&affected.hash).unwrap();
    }
    out.end().unwrap().str("recipients").unwrap().begin_array().unwrap();
    for key in &payload.recipients {
        out.bytes(key.as_bytes()).unwrap();
    }
    out.end().unwrap().str("privacyFlag").unwrap().writer_mut().extend([0x1b, 0, 0, 0, 0, 0, 0, 0, 3]);
    for (key, value) in pairs("cbor_state_validation") {
        if !["affected", "recipients", "privacyFlag"].contains(&key.as_str()) {
            out.str(&key).unwrap().writer_mut().extend(value);
        }
    }
    out.end().unwrap();
    assert_eq!(decode(out.writer()), Ok(payload));
}

#[test]
fn each_type_is_checked() {
    let wrong = [vec![0x01], vec![0x60], vec![0x40], vec![0x80], vec![0xa0], vec![0xf5], vec![0xf6], vec![0xfa, 0, 0, 0, 0]];
    for (at, (key, value)) in pairs("cbor_standard").iter().enumerate() {
        for other in wrong.iter().filter(|other| other[0] >> 5 != value[0] >> 5) {
            let mut altered = pairs("cbor_standard");
            altered[at].1.clone_from(other);
            assert_eq!(decode(&map(&altered)).unwrap_err().to_string(), format!("{key} has a value that it cannot have"));
        }
    }
    for bytes in [[0x80].as_slice(), &[0xf6], &[0xa1, 0x01, 0x02]] {
        assert_eq!(decode(bytes), Err(DecodeError::Value("payload")));
    }
}

#[test]
fn each_length_is_checked() {
    let short = |bytes: &[u8]| minicbor::to_vec(minicbor::bytes::ByteVec::from(bytes.to_vec())).unwrap();
    let list = |bytes: &[u8]| [vec![0x81], short(bytes)].concat();
    let affected = |id: &str, hash: &[u8]| [vec![0xa1], minicbor::to_vec(id).unwrap(), short(hash)].concat();
    let id = data_encoding::BASE64.encode(&[1; 64]);
    for (key, value, error) in [
        ("sender", short(&[0; 31]), DecodeError::Length("sender")),
        ("nonce", short(&[0; 25]), DecodeError::Length("nonce")),
        ("recipientNonce", short(&[]), DecodeError::Length("recipientNonce")),
        ("recipientBoxes", list(&[0; 47]), DecodeError::Length("recipientBoxes")),
        ("recipients", list(&[0; 33]), DecodeError::Length("recipients")),
        ("mandatoryFor", list(&[0; 33]), DecodeError::Length("mandatoryFor")),
        ("affected", affected(&id, &[0; 63]), DecodeError::Length("security hash")),
        ("affected", affected("AAAA", &[0; 64]), DecodeError::Length("affected transaction hash")),
        ("affected", affected("not base64", &[0; 64]), DecodeError::Value("affected transaction hash")),
    ] {
        let mut altered = pairs("cbor_standard");
        altered.iter_mut().find(|(name, _)| name == key).unwrap().1 = value;
        assert_eq!(decode(&map(&altered)), Err(error));
    }
}

#[test]
fn a_payload_that_is_cut_off_is_refused_and_bytes_after_it_are_ignored() {
    for name in ["cbor_standard", "cbor_state_validation", "cbor_mandatory_in_group"] {
        let whole = hex(&spec()["payloads"][name]);
        for end in 0..whole.len() {
            assert!(matches!(decode(&whole[..end]), Err(DecodeError::Truncated(_))), "{name} {end}");
        }
        assert_eq!(decode(&[whole.as_slice(), b"more"].concat()), decode(&whole));
    }
}

#[test]
fn lengths_beyond_the_input_are_refused() {
    for head in [[0x9b], [0xbb], [0x5b]] {
        let huge = [head.as_slice(), &[0xff; 8]].concat();
        for key in ["recipients", "affected", "cipherText"] {
            let mut altered = pairs("cbor_standard");
            altered.iter_mut().find(|(name, _)| name == key).unwrap().1.clone_from(&huge);
            assert!(decode(&map(&altered)).is_err());
        }
    }
}

/// Another encoder, with the shortest heads of RFC 8949, agrees at each border between two widths.
#[test]
fn heads_are_the_shortest() {
    for length in [0, 1, 23, 24, 255, 256, 65_535, 65_536] {
        let payload = EncodedPayload { ciphertext: vec![7; length].into(), ..standard() };
        let bytes = payload.encode(Codec::Cbor);
        let mut expected = Encoder::new(Vec::new());
        expected.str("cipherText").unwrap().bytes(&payload.ciphertext).unwrap().str("nonce").unwrap();
        let expected = expected.into_writer();
        assert!(bytes.windows(expected.len()).any(|window| window == expected), "{length}");
    }
}
