//! The second implementation: Go, in `tests/foreign/celosia1`.

use std::path::Path;
use std::process::{Command, Output};

use crate::case::{Case, File};
use crate::{go, vectors};

fn run(command: &str, file: &Path) -> Output {
    Command::new(go::program("celosia1")).arg(command).arg(file).output().unwrap()
}

#[test]
fn go_answers_every_vector_as_we_do() {
    let output = run("check", Path::new(vectors::PATH));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout, format!("{} cases\n", vectors::file().cases.len()).as_bytes());
}

/// The check itself: a program that says yes to everything would pass.
#[test]
fn go_does_not_agree_to_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let lies: [fn(&mut Case); 4] = [
        |case| case.payload.0.push(0),
        |case| case.outcome = "Box".to_owned(),
        |case| case.time += 1,
        |case| *case.delivery.0.last_mut().unwrap() ^= 1,
    ];
    for lie in lies {
        let mut file = vectors::file();
        lie(&mut file.cases[2]);
        let path = folder.path().join("wrong.json");
        std::fs::write(&path, serde_json::to_string(&file).unwrap()).unwrap();
        assert_eq!(run("check", &path).status.code(), Some(1));
    }
}

#[test]
fn we_open_what_go_makes() {
    let output = run("make", Path::new(vectors::PATH));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: File = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(made.cases.len(), 8);
    for (case, ours) in made.cases.iter().zip(&vectors::file().cases) {
        assert_ne!(case.delivery, ours.delivery);
        assert_eq!(case.payload, ours.payload);
        case.check();
    }
}
