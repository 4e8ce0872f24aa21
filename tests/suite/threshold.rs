//! The capsule (`docs/threshold.md`) against a second implementation in Go, `tests/foreign/threshold`, in both directions. The vectors,
//! `tests/vectors/threshold.json`, are written by `src/crypto/threshold/tests/vector_tests.rs`.

use std::path::Path;
use std::process::{Command, Output};

use celosia::crypto::secret::Secret;
use celosia::crypto::threshold::{Capsule, GroupKey, KeyShare, Partial, Prepared, combine, is_shared};
use data_encoding::HEXLOWER;
use serde_json::Value;

use crate::go;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/threshold.json");

fn run(command: &str, file: &Path) -> Output {
    Command::new(go::program("threshold")).arg(command).arg(file).output().unwrap()
}

fn vectors() -> Value {
    serde_json::from_slice(&std::fs::read(VECTORS).unwrap()).unwrap()
}

fn bytes(text: &Value) -> Vec<u8> {
    HEXLOWER.decode(text.as_str().unwrap().as_bytes()).unwrap()
}

fn secret(text: &Value) -> Secret<32> {
    Secret::from_slice(&bytes(text)).unwrap()
}

fn key(text: &Value) -> GroupKey {
    bytes(text).as_slice().try_into().unwrap()
}

/// What everybody who meets a capsule does: the recipient, the officers, who verifies them, and who opens with any `threshold` of them.
fn check(case: &Value) {
    let (group, label, sigma) = (key(&case["key"]), bytes(&case["label"]), secret(&case["sigma"]));
    let (prepared, data_key) = (Prepared::new(&group), secret(&case["data-key"]));
    let capsule = Capsule::try_from(bytes(&case["capsule"]).as_slice()).unwrap();
    assert!(capsule.matches(&prepared, &data_key, &sigma, &label) && capsule.is_sound(&group, &label), "{case}");
    let threshold = usize::try_from(case["threshold"].as_u64().unwrap()).unwrap();
    let (mut publics, mut partials) = (Vec::new(), Vec::new());
    for officer in case["officers"].as_array().unwrap() {
        let index = u16::try_from(officer["index"].as_u64().unwrap()).unwrap();
        let verifying = key(&officer["verifying"]);
        let share = KeyShare::new(index, secret(&officer["share"])).unwrap();
        assert_eq!(share.verifying(), verifying);
        let partial = Partial::try_from(bytes(&officer["partial"]).as_slice()).unwrap();
        assert!(partial.verify(&verifying, &capsule, &label), "{officer}");
        assert!(share.partial(&group, &capsule, &label).unwrap().verify(&verifying, &capsule, &label));
        publics.push((index, verifying));
        partials.push(partial);
    }
    assert!(is_shared(&group, threshold, &publics));
    for chosen in partials.windows(threshold) {
        assert_eq!(capsule.open(&combine(threshold, chosen).unwrap(), &sigma, &label).unwrap(), data_key);
    }
}

#[test]
fn go_answers_every_capsule_as_we_do() {
    let output = run("check", Path::new(VECTORS));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout, b"5 cases\n");
    vectors()["cases"].as_array().unwrap().iter().for_each(check);
}

#[test]
fn we_open_capsules_and_answers_of_go() {
    let output = run("make", Path::new(VECTORS));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (made, ours) = (made["cases"].as_array().unwrap(), vectors());
    assert_eq!(made.len(), 5);
    for (case, ours) in made.iter().zip(ours["cases"].as_array().unwrap()) {
        assert_ne!(case["capsule"], ours["capsule"]);
        assert_eq!((&case["label"], &case["threshold"]), (&ours["label"], &ours["threshold"]));
        check(case);
    }
}

/// The check itself: a program that says yes to everything would pass.
#[test]
fn go_does_not_agree_to_a_capsule_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let turn = |text: &mut Value| {
        let mut bytes = bytes(text);
        *bytes.last_mut().unwrap() ^= 1;
        *text = HEXLOWER.encode(&bytes).into();
    };
    for place in
        ["/generator", "/cases/0/capsule", "/cases/0/sigma", "/cases/0/label", "/cases/0/key", "/cases/0/officers/1/partial"]
    {
        let mut file = vectors();
        turn(file.pointer_mut(place).unwrap());
        let path = folder.path().join("wrong.json");
        std::fs::write(&path, file.to_string()).unwrap();
        assert_eq!(run("check", &path).status.code(), Some(1), "{place}");
    }
}
