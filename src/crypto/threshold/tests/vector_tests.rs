//! Vectors: of the group, by the authors of RFC 9496 (`tests/vectors/ristretto255.json`), and of the capsule (`tests/vectors/threshold.json`),
//! which a second implementation answers as well (`tests/suite/threshold.rs`). `CELOSIA_WRITE_VECTORS=1` writes the latter anew.

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE as G;
use curve25519_dalek::scalar::Scalar;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::super::{Capsule, GroupKey, KeyShare, Malformed, Prepared, combine, group};
use crate::crypto::hash::sha256;
use crate::crypto::secret::Secret;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/threshold.json");

fn bytes<const N: usize>(text: &Value) -> [u8; N] {
    HEXLOWER.decode(text.as_str().unwrap().as_bytes()).unwrap().try_into().unwrap()
}

#[test]
fn the_group_is_that_of_rfc_9496() {
    let file: Value = serde_json::from_str(include_str!("../../../../tests/vectors/ristretto255.json")).unwrap();
    let list = |name: &str| file[name].as_array().unwrap().clone();
    for (i, multiple) in (0_u64..).zip(list("multiples")) {
        let expected: [u8; 32] = bytes(&multiple);
        assert_eq!((&Scalar::from(i) * G).compress().to_bytes(), expected, "{i}");
        assert_eq!(group::double_and_encode(&[&Scalar::from(i).div_by_2() * G]), [expected], "{i}");
        assert_eq!(GroupKey::from_bytes(expected).is_ok(), i > 0, "{i}");
    }
    for invalid in list("invalid") {
        assert_eq!(GroupKey::from_bytes(bytes(&invalid)), Err(Malformed::Point), "{invalid}");
    }
    for hashed in list("hashed") {
        let point = group::hash_to_group(hashed["text"].as_str().unwrap().as_bytes());
        assert_eq!(point.compress().to_bytes(), bytes::<32>(&hashed["element"]), "{hashed}");
    }
    assert_eq!([list("multiples").len(), list("invalid").len(), list("hashed").len()], [16, 29, 7]);
}

/// The committees of the vectors: threshold, indexes of all officers, label.
const CASES: [(&str, usize, &[u16], &[u8]); 5] = [
    ("three of five", 3, &[1, 2, 3, 4, 5], b"label"),
    ("two of two, no label", 2, &[1, 2], b""),
    ("one of one", 1, &[1], b"alone"),
    ("indexes with gaps", 2, &[7, 300, 65535], b"gaps"),
    ("a long label", 4, &[2, 3, 5, 7, 11, 13], &[0xa5; 1000]),
];

fn known(case: &str, what: &str) -> [u8; 32] {
    sha256(&[case.as_bytes(), b"/", what.as_bytes()])
}

fn hex(bytes: &[u8]) -> Value {
    HEXLOWER.encode(bytes).into()
}

/// A case as its file has it, computed anew.
fn case((name, threshold, indexes, label): &(&str, usize, &[u16], &[u8])) -> Value {
    let secret = |what: &str| Secret::take(&mut known(name, what));
    let polynomial: Vec<Scalar> =
        (0..*threshold).map(|i| Scalar::from_bytes_mod_order(known(name, &format!("coefficient {i}")))).collect();
    let value = |x: u16| polynomial.iter().rev().fold(Scalar::ZERO, |sum, c| sum * Scalar::from(x) + c);
    let key = GroupKey::from_point(&(&polynomial[0] * G)).unwrap();
    let (data_key, sigma) = (secret("data key"), secret("sigma"));
    let capsule = Capsule::make(&Prepared::new(&key), &data_key, &sigma, label);
    let officer = |index: &u16| {
        let share = KeyShare::new(*index, Secret::take(&mut value(*index).to_bytes())).unwrap();
        let hedge = known(name, &format!("hedge {index}"));
        let partial = share.partial_with(&hedge, &key, &capsule, label).unwrap();
        let public = hex(share.verifying().as_bytes());
        json!({
            "index": index, "share": hex(share.secret().expose()), "verifying": public,
            "hedge": hex(&hedge), "partial": hex(&partial.to_bytes()),
        })
    };
    json!({
        "name": name, "threshold": threshold, "key": hex(key.as_bytes()),
        "data-key": hex(data_key.expose()), "sigma": hex(sigma.expose()), "label": hex(label),
        "capsule": hex(&capsule.to_bytes()), "officers": indexes.iter().map(officer).collect::<Vec<_>>(),
    })
}

#[test]
fn the_vectors_of_the_capsule_hold() {
    let generator = hex(&group::hash_to_group(group::BAR).compress().to_bytes());
    let computed = json!({ "generator": generator, "cases": CASES.iter().map(case).collect::<Vec<_>>() });
    if std::env::var_os("CELOSIA_WRITE_VECTORS").is_some() {
        std::fs::write(PATH, format!("{computed:#}\n")).unwrap();
    }
    let file: Value = serde_json::from_slice(&std::fs::read(PATH).unwrap()).unwrap();
    assert_eq!(file, computed);
}

/// Not from the file alone: the officers' answers open what they are for.
#[test]
fn the_vectors_open() {
    for (name, threshold, indexes, label) in CASES {
        let computed = case(&(name, threshold, indexes, label));
        let partials = computed["officers"].as_array().unwrap().iter();
        let partials: Vec<_> = partials.map(|o| bytes::<98>(&o["partial"]).as_slice().try_into().unwrap()).collect();
        let capsule = Capsule::try_from(bytes::<176>(&computed["capsule"]).as_slice()).unwrap();
        let combined = combine(threshold, &partials).unwrap();
        let sigma = Secret::take(&mut known(name, "sigma"));
        assert_eq!(capsule.open(&combined, &sigma, label).unwrap().expose(), &known(name, "data key"), "{name}");
    }
}
