//! A root in a PKCS #11 token: SoftHSM2, from Debian. Skipped only where its module is not installed.
//!
//! The module reads where its tokens are from the environment, once for a process: so each test runs in a child with one of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use celosia::shred::{Forest, Pkcs11Root, Pkcs11Settings, RootError, RootKey, ShredError};
use celosia::types::{Code, Coded as _};
use tempfile::tempdir;

use crate::life::{
    a_backup_from_before_opens_nothing_after, a_root_of_files_moves, generations_do_not_pile_up, opened, reads, seal,
};

const PIN: &str = "98765432";

fn module() -> Option<PathBuf> {
    let mut places = vec![PathBuf::from("/usr/lib/softhsm/libsofthsm2.so"), PathBuf::from("/usr/lib64/pkcs11/libsofthsm2.so")];
    places.extend(std::env::var_os("CELOSIA_TEST_PKCS11").map(PathBuf::from));
    places.into_iter().rfind(|path| path.exists())
}

/// True in the child, with a fresh token; in the parent the child is run, and there is nothing more to do.
fn in_a_child(test: &str) -> bool {
    if std::env::var_os("CELOSIA_TEST_TOKEN").is_some() {
        return true;
    }
    if module().is_none() {
        println!("skipped: SoftHSM2 is not installed (scripts/setup test does)");
        return false;
    }
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("tokens")).unwrap();
    let at = folder.path().display();
    fs::write(folder.path().join("softhsm2.conf"), format!("directories.tokendir = {at}/tokens\nlog.level = ERROR\n")).unwrap();
    let with_token = |command: &mut Command| {
        command.env("SOFTHSM2_CONF", folder.path().join("softhsm2.conf")).env("CELOSIA_TEST_TOKEN", folder.path());
        command.output().unwrap()
    };
    let made = with_token(Command::new("softhsm2-util").args([
        "--init-token",
        "--free",
        "--label",
        "celosia",
        "--pin",
        PIN,
        "--so-pin",
        "1234",
    ]));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let pin = folder.path().join("pin");
    fs::write(&pin, format!("{PIN}\n")).unwrap();
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o600)).unwrap();
    let ran =
        with_token(Command::new(std::env::current_exe().unwrap()).args(["--exact", &format!("pkcs11::{test}"), "--nocapture"]));
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    false
}

fn place() -> PathBuf {
    std::env::var_os("CELOSIA_TEST_TOKEN").unwrap().into()
}

fn settings() -> Pkcs11Settings {
    Pkcs11Settings {
        module: module().unwrap(),
        token: "celosia".to_owned(),
        pin_file: Some(place().join("pin")),
        pin_variable: "CELOSIA_TEST_NO_PIN".to_owned(),
    }
}

fn token(folder: &Path) -> Box<dyn RootKey> {
    Box::new(Pkcs11Root::new(folder, settings()))
}

#[test]
fn a_backup_of_everything_and_the_token_open_nothing_after_a_rotation() {
    if in_a_child("a_backup_of_everything_and_the_token_open_nothing_after_a_rotation") {
        a_backup_from_before_opens_nothing_after(&token, "");
    }
}

#[test]
fn roots_move_from_files_into_the_token_and_do_not_pile_up() {
    if in_a_child("roots_move_from_files_into_the_token_and_do_not_pile_up") {
        a_root_of_files_moves(&token);
        generations_do_not_pile_up(&token);
    }
}

#[test]
fn the_word_names_the_object_and_two_stores_share_a_token() {
    if !in_a_child("the_word_names_the_object_and_two_stores_share_a_token") {
        return;
    }
    let (one, two) = (tempdir().unwrap(), tempdir().unwrap());
    let forests = [&one, &two].map(|folder| opened(&token, folder.path()));
    let heads = forests.each_ref().map(|forest| seal(forest, b"kept"));
    let done = forests[0].rotate().unwrap();
    let word = &done.destroyed[0].word;
    assert!(
        word.contains("C_DestroyObject CKR_OK for 1 object(s) celosia-root-") && word.contains("token \"celosia\""),
        "{word}"
    );
    drop(forests);
    for (folder, head) in [&one, &two].into_iter().zip(&heads) {
        assert!(reads(&opened(&token, folder.path()), head, b"kept"));
    }
    for folder in [&one, &two] {
        for file in fs::read_dir(folder.path()).unwrap().flatten() {
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{:?}", file.file_name());
        }
    }
}

#[test]
fn tokens_that_are_not_there_or_refuse_have_codes() {
    if !in_a_child("tokens_that_are_not_there_or_refuse_have_codes") {
        return;
    }
    let folder = tempdir().unwrap();
    let try_with = |settings: Pkcs11Settings| {
        let root = Box::new(Pkcs11Root::new(folder.path(), settings));
        Forest::open(folder.path(), root).err().expect("refused")
    };
    let wrong_pin = place().join("wrong");
    fs::write(&wrong_pin, "11111111").unwrap();
    fs::set_permissions(&wrong_pin, fs::Permissions::from_mode(0o600)).unwrap();
    for (settings, code) in [
        (Pkcs11Settings { module: "/nowhere.so".into(), ..settings() }, 4112),
        (Pkcs11Settings { token: "another".to_owned(), ..settings() }, 4112),
        (Pkcs11Settings { pin_file: Some(wrong_pin.clone()), ..settings() }, 4109),
        (Pkcs11Settings { pin_file: None, ..settings() }, 4109),
    ] {
        let error = try_with(settings);
        assert_eq!(error.code(), Code(code), "{error}");
        assert!(!error.to_string().contains("11111111") && !error.to_string().contains(PIN), "{error}");
    }
    fs::set_permissions(&wrong_pin, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(try_with(Pkcs11Settings { pin_file: Some(wrong_pin), ..settings() }), ShredError::Loose(_)));

    // A store whose objects were taken out of the token.
    seal(&opened(&token, folder.path()), b"kept");
    let wiped = Command::new("softhsm2-util").args(["--delete-token", "--token", "celosia"]).output().unwrap();
    assert!(wiped.status.success());
    let error = Forest::open(folder.path(), token(folder.path())).err().expect("refused");
    assert!(matches!(&error, ShredError::Root(RootError::NoToken { .. } | RootError::Failed { .. })), "{error}");
}
