use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde::Deserialize;

use super::*;

const SMALL: ArgonOptions = ArgonOptions { variant: ArgonVariant::Id, memory: 64, iterations: 1, parallelism: 2 };

#[derive(Deserialize)]
struct Vectors {
    locked: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    password: String,
    file: serde_json::Value,
    public: Address,
}

fn password(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

#[test]
fn files_of_other_implementations_unlock() {
    let vectors: Vectors = serde_json::from_str(include_str!("../../../tests/vectors/key-files.json")).expect("vectors");
    assert!(vectors.locked.len() >= 10);
    for vector in vectors.locked {
        let file = KeyFile::parse(&vector.file.to_string()).expect(&vector.name);
        assert!(file.is_locked());
        let key = file.unlock(Some(&password(&vector.password))).expect(&vector.name);
        assert_eq!(nacl::public_key(&key), vector.public, "{}", vector.name);
        let wrong = file.unlock(Some(&password(&format!("{}x", vector.password))));
        assert!(matches!(wrong, Err(KeyFileError::WrongPassword)), "{}", vector.name);
    }
}

/// The sample of Tessera's documentation: 1 GiB and 10 to 20 s, so only where the environment says so (CI does).
#[test]
fn documented_sample_of_tessera_unlocks() {
    if std::env::var_os("CI").is_none() {
        eprintln!("skipped: needs 1 GiB and 20 s; set CI=1 to run it");
        return;
    }
    let file = KeyFile::parse(
        r#"{"type":"argon2sbox","data":{"aopts":{"variant":"id","memory":1048576,"iterations":10,"parallelism":4},
        "snonce":"x3HUNXH6LQldKtEv3q0h0hR4S12Ur9pC","asalt":"7Sem2tc6fjEfW3yYUDN/kSslKEW0e1zqKnBCWbZu2Zw=",
        "sbox":"d0CmRus0rP0bdc7P7d/wnOyEW14pwFJmcLbdu2W3HmDNRWVJtoNpHrauA/Sr5Vxc"}}"#,
    );
    let key = file.expect("a key file").unlock(Some(&password("q"))).expect("unlocks");
    assert_eq!(nacl::public_key(&key).to_string(), "zP9kWRDB83v7TSZrAEXRgeexKkejHM48cpZOqnt3oyo=");
}

#[test]
fn unlocked_round_trip_needs_no_password() {
    let (key, address) = generate();
    let file = KeyFile::parse(&to_unlocked_json(&key)).expect("own JSON");
    assert!(!file.is_locked());
    assert_eq!(file.unlock(None).expect("unlocked"), key);
    assert_eq!(nacl::public_key(&file.unlock(Some(&password("unused"))).expect("unlocked")), address);
}

#[test]
fn locked_round_trip_in_every_variant() {
    for variant in [ArgonVariant::D, ArgonVariant::I, ArgonVariant::Id] {
        let (key, _) = generate();
        let json = to_locked_json(&key, &password("p"), &ArgonOptions { variant, ..SMALL }).expect("locks");
        let file = KeyFile::parse(&json).expect("own JSON");
        assert_eq!(file.unlock(Some(&password("p"))).expect("unlocks"), key);
        assert!(matches!(file.unlock(None), Err(KeyFileError::PasswordNeeded)));
        let again = to_locked_json(&key, &password("p"), &SMALL).expect("locks");
        assert_ne!(json, again, "fresh salt and nonce");
    }
}

#[test]
fn locked_json_has_tesseras_names_in_its_order() {
    let (key, _) = generate();
    let json = to_locked_json(&key, &password("p"), &SMALL).expect("locks");
    let order = [
        r#"{"type":"argon2sbox","data":{"snonce":""#,
        r#""asalt""#,
        r#""sbox""#,
        r#""aopts":{"variant":"id","memory":64,"iterations":1,"parallelism":2}}}"#,
    ];
    let places: Vec<_> = order.iter().map(|part| json.find(part).expect(part)).collect();
    assert!(places.is_sorted());
    let default = ArgonOptions::default();
    let written = serde_json::to_string(&default).expect("JSON");
    assert_eq!(written, r#"{"variant":"i","memory":1048576,"iterations":10,"parallelism":4}"#);
}

#[test]
fn malformed_files_are_refused_by_name_and_never_quoted() {
    const LOCKED: &str = r#"{"type":"argon2sbox","data":{"snonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","asalt":"AAAAAAAAAAAAAAAAAAAAAA==",
        "sbox":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","aopts":{"variant":"i","memory":256,"iterations":1,"parallelism":4}}}"#;
    assert!(KeyFile::parse(LOCKED).is_ok());
    let cases = [
        (String::new(), 4203, "not JSON"),
        ("[]".to_owned(), 4203, "wrong type"),
        (r#"{"type":"unlocked","data":"c2VjcmV0c2VjcmV0"}"#.to_owned(), 4203, "wrong type"),
        (r#"{"type":"unlocked","data":{}}"#.to_owned(), 4203, "data.bytes is missing"),
        (r#"{"type":"unlocked","data":{"bytes":"c2VjcmV0c2VjcmV0"}}"#.to_owned(), 4203, "data.bytes is not 32 bytes"),
        (r#"{"type":"unlocked","data":{"bytes":"c2VjcmV0c2VjcmV0!"}}"#.to_owned(), 4203, "data.bytes is not base64"),
        (format!(r#"{{"type":"unlocked","data":{{"bytes":"{}"}}}}"#, BASE64.encode(&[115; 138])), 4206, "EC"),
        (r#"{"type":"vault","data":{}}"#.to_owned(), 4203, "type is neither"),
        (LOCKED.replace(r#""snonce":"AAAA"#, r#""snonce":""#), 4203, "data.snonce is not 24 bytes"),
        (LOCKED.replace(r#""sbox":"AAAA"#, r#""sbox":""#), 4203, "data.sbox is not 48 bytes"),
        (LOCKED.replace(r#""sbox":"AAAA"#, r#""sbox":"AAAAAAAA"#), 4206, "EC"),
        (LOCKED.replace("sbox\":", "other\":"), 4203, "data.sbox is missing"),
        (LOCKED.replace("AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAA=="), 4204, "salt has 7 bytes"),
        (LOCKED.replace(":256", ":31"), 4204, "memory (KiB) is 31, accepted are 32 to 4194304"),
        (LOCKED.replace(":256", ":4194305"), 4204, "memory"),
        (LOCKED.replace(":256", ":-1"), 4203, "wrong type"),
        (LOCKED.replace(r#"ions":1"#, r#"ions":0"#), 4204, "iterations"),
        (LOCKED.replace(r#"ions":1"#, r#"ions":1001"#), 4204, "iterations"),
        (LOCKED.replace(r#"ism":4"#, r#"ism":257"#), 4204, "parallelism"),
        (LOCKED.replace(r#"256,"iterations":1"#, r#"4194304,"iterations":26"#), 4204, "memory × iterations"),
        (LOCKED.replace(r#""variant":"i""#, r#""variant":"x""#), 4203, "wrong type"),
    ];
    for (json, code, message) in cases {
        let error = KeyFile::parse(&json).expect_err(&json);
        assert_eq!(error.code(), Code(code), "{json}");
        assert!(error.to_string().contains(message), "{json}: {error}");
        assert!(!error.to_string().contains("c2Vj"), "{error}");
    }
}

#[test]
fn pairs_are_private_complete_and_never_overwritten() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let base = folder.path().join("node.v2");
    let (key, address) = generate();
    write_pair(&base, &address, &to_unlocked_json(&key)).expect("new");
    let (key_path, public_path) = (folder.path().join("node.v2.key"), folder.path().join("node.v2.pub"));
    for path in [&key_path, &public_path] {
        let mode = fs::metadata(path).expect("written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(fs::read_to_string(&public_path).expect("text"), address.to_string());
    assert_eq!(load_public(&public_path).expect("public key"), address);
    assert_eq!(load(&key_path).expect("key file").unlock(None).expect("unlocked"), key);
    let before = fs::read(&key_path).expect("bytes");
    let again = write_pair(&base, &address, "other").expect_err("exists");
    assert_eq!(again.code(), Code(4201));
    fs::remove_file(&key_path).expect("there");
    assert!(matches!(write_pair(&base, &address, "other"), Err(KeyFileError::Exists(path)) if path.ends_with("pub")));
    assert!(!key_path.exists(), "both or none");
    assert_ne!(before, b"other");
    assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 1, "no temporary file stays");
    let nowhere = write_pair(&folder.path().join("none/k"), &address, "{}").expect_err("no folder");
    assert_eq!(nowhere.code(), Code(4202));
}

#[test]
fn loading_takes_loose_modes_and_refuses_what_is_no_key() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("k.key");
    fs::write(&path, to_unlocked_json(&generate().0).as_bytes()).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("mode");
    assert!(load(&path).is_ok());
    fs::write(&path, vec![b' '; 70_000]).expect("written");
    assert!(matches!(load(&path), Err(KeyFileError::Malformed(_))));
    assert!(matches!(load(&folder.path().join("absent")), Err(KeyFileError::Io { .. })));
    fs::write(&path, "BULeR8JyUWhiuuCMU/HLA0Q5pzkYT+cHII3ZKBey3Bo=\n").expect("written");
    assert!(load_public(&path).is_ok());
    fs::write(&path, "AAAA").expect("written");
    assert!(matches!(load_public(&path), Err(KeyFileError::Malformed(_))));
}

#[test]
fn prints_no_key() {
    let (key, _) = generate();
    let unlocked = KeyFile::parse(&to_unlocked_json(&key)).expect("own JSON");
    assert_eq!(format!("{unlocked:?}"), "KeyFile(Unlocked(<secret>))");
    let locked = KeyFile::parse(&to_locked_json(&key, &password("p"), &SMALL).expect("locks")).expect("own JSON");
    let printed = format!("{locked:?}");
    assert!(printed.contains("memory: 64") && !printed.contains("sealed") && !printed.contains("salt"), "{printed}");
}
