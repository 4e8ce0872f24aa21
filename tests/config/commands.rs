//! `keygen`, `keyupdate`, `version`: Tessera's forms, questions and exit codes.

use std::os::unix::fs::PermissionsExt;

use crate::bench_of_files::Bench;

const QUESTIONS: &str =
    "Enter a password if you want to lock the private key or leave blank\nPlease re-enter the password (or lack of) to confirm\n";

/// Cheap options: a test must not take a gigabyte.
const ARGON: &str = r#"{"variant": "id", "memory": 64, "iterations": 1, "parallelism": 1}"#;

#[test]
fn unlocked_pairs() {
    let bench = Bench::new();
    for arguments in [
        &["-keygen", "-filename", "a,b"][..],
        &["-keygen", "--encryptor.type", "NACL", "-filename", "c"],
        &["keygen", "--keyout", "d"],
        &["-keygen"],
    ] {
        let said = bench.run(arguments);
        assert_eq!(said.exit, 0, "{arguments:?}: {said:?}");
        assert!(said.out.starts_with(QUESTIONS), "{said:?}");
    }
    for name in ["a", "b", "c", "d", ""] {
        let public = bench.read(&format!("{name}.pub"));
        assert_eq!(public.len(), 44, "{public:?}");
        assert!(bench.read(&format!("{name}.key")).starts_with(r#"{"type":"unlocked","data":{"bytes":""#));
        for suffix in ["key", "pub"] {
            let mode = bench.path(&format!("{name}.{suffix}")).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}.{suffix}");
        }
    }
}

#[test]
fn existing_files_are_not_overwritten() {
    let bench = Bench::new();
    let before = bench.read("n1.key");
    let said = bench.run(&["-keygen", "-filename", "n1"]);
    assert_eq!(said.exit, 2, "{said:?}");
    assert!(said.err.contains("n1.key exists already") && said.out.is_empty(), "{said:?}");
    assert_eq!(bench.read("n1.key"), before);
}

#[test]
fn locked_pairs_and_new_passwords() {
    let bench = Bench::new();
    bench.write("argon.json", ARGON);
    let said = bench
        .answer(&["-keygen", "-filename", "a", "-keygenconfig", "argon.json", "--pwdout", "pw"], "one\nother\nhidden\nhidden\n");
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(!said.out.contains("hidden") && !said.err.contains("hidden"), "{said:?}");
    assert_eq!(bench.read("pw"), "hidden\n");
    let locked = bench.read("a.key");
    assert!(locked.contains("argon2sbox") && locked.contains("\"memory\":64"), "{locked}");

    let aopts = |name: &str| format!("--keys.keyData.config.data.aopts.{name}");
    let (memory, passes, lanes) = (aopts("memory"), aopts("iterations"), aopts("parallelism"));
    let options = [memory.as_str(), "64", &passes, "1", &lanes, "1"];
    let update = |more: &[&str], input: &str| {
        let arguments = [&["-updatepassword", "--keys.keyData.privateKeyPath", "a.key"][..], &options, more].concat();
        bench.answer(&arguments, input)
    };
    let wrong = update(&["--keys.passwords", "wrong"], "new\nnew\n");
    assert_eq!((wrong.exit, wrong.err.contains("CEL4207")), (2, true), "{wrong:?}");
    assert_eq!(bench.read("a.key"), locked);
    assert_eq!(update(&["--keys.passwordFile", "pw"], "new\nnew\n").exit, 0);
    assert_ne!(bench.read("a.key"), locked);
    // The old password is asked for where it is not given; an empty new one unlocks.
    let said = update(&[], "new\n\n\n");
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(bench.read("a.key").starts_with(r#"{"type":"unlocked""#));
    assert_eq!(bench.path("a.key").metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn new_keys_are_added_to_a_configuration() {
    let bench = Bench::new();
    bench.write("c.json", r#"{"peer": [], "keys": {"keyData": {"privateKeyPath": "n1.key", "publicKeyPath": "n1.pub"}}}"#);
    let said = bench.run(&["-keygen", "-filename", "a,b", "-configfile", "c.json", "-output", "new.json"]);
    assert_eq!(said.exit, 0, "{said:?}");
    let written: serde_json::Value = serde_json::from_str(&bench.read("new.json")).unwrap();
    let data = written["keys"]["keyData"].as_array().unwrap();
    assert_eq!(data.len(), 3);
    assert_eq!(data[0]["privateKeyPath"], "n1.key");
    assert!(data[2]["publicKeyPath"].as_str().unwrap().ends_with("/b.pub"), "{written}");
    let said = bench.run(&["keygen", "--filename", "c", "--configfile", "c.json"]);
    assert!(said.out.contains("\"keyData\": ["), "{said:?}");
}

#[test]
fn what_is_not_offered_is_refused_before_anything_is_made() {
    let bench = Bench::new();
    for (arguments, message) in [
        (&["keygen", "--vault.type", "HASHICORP", "--vault.url", "http://v"][..], "vaults are not offered"),
        (&["-keygen", "-keygenvaulttype", "AZURE"], "vaults are not offered"),
        (&["keygen", "--encryptor.type", "EC"], "only the NACL encryptor is offered"),
        (&["keygen", "--encryptor.ellipticCurve", "secp256r1"], "only the NACL encryptor is offered"),
    ] {
        let said = bench.run(arguments);
        assert!(said.exit == 2 && said.err.contains(message), "{arguments:?}: {said:?}");
        assert!(!bench.path(".key").exists());
    }
}

#[test]
fn versions_and_help() {
    let bench = Bench::new();
    for arguments in [["version"], ["-version"]] {
        assert_eq!(bench.run(&arguments).out.trim(), env!("CARGO_PKG_VERSION"), "{arguments:?}");
    }
    assert_eq!(bench.run(&["--version"]).out.trim(), format!("celosia {}", env!("CARGO_PKG_VERSION")));
    for arguments in [["help"], ["-help"], ["--help"]] {
        let said = bench.run(&arguments);
        assert!(said.exit == 0 && said.out.contains("keygen"), "{arguments:?}: {said:?}");
    }
    assert_eq!(bench.run(&[]).exit, 4);
}
