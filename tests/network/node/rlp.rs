//! As much of RLP as the first block of a chain needs.

pub(super) fn string(bytes: &[u8]) -> Vec<u8> {
    match bytes {
        [byte] if *byte < 0x80 => vec![*byte],
        _ => prefixed(0x80, bytes),
    }
}

pub(super) fn list(items: &[Vec<u8>]) -> Vec<u8> {
    prefixed(0xc0, &items.concat())
}

fn prefixed(base: u8, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let mut head = if length < 56 {
        vec![base + u8::try_from(length).expect("below 56")]
    } else {
        let digits: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        [&[base + 55 + u8::try_from(digits.len()).expect("at most 8")], digits.as_slice()].concat()
    };
    head.extend_from_slice(bytes);
    head
}
