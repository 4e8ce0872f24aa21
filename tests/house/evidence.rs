//! `docs/evidence.md` and the other documents name only tests, files and commands that exist.

use std::{fs, process::Command};

use crate::scan::root;

/// What a code span of a document claims to exist.
#[derive(Debug, PartialEq)]
enum Claim<'a> {
    Command(&'a str),
    File(&'a str),
    Test { file: &'a str, name: &'a str },
}

#[test]
fn everything_that_the_evidence_names_exists() {
    let text = fs::read_to_string(root().join("docs/evidence.md")).unwrap();
    let missing = missing(&text);
    assert!(spans(&text).filter(|span| claim(span).is_some()).count() > 60, "the evidence was not understood");
    assert!(missing.is_empty(), "docs/evidence.md names what is not there:\n{}", missing.join("\n"));
}

/// The check itself.
#[test]
fn a_claim_without_substance_is_caught() {
    let text = "`src/lib.rs` `src/nowhere.rs` `src/lib.rs::no_such_test` `celosia frobnicate` `tests/house/evidence.rs::a_claim_without_substance_is_caught`";
    assert_eq!(missing(text), ["src/nowhere.rs", "src/lib.rs::no_such_test", "celosia frobnicate"]);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|e| e.unwrap().path());
    let top = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(|name| root().join(name));
    let mut dead = Vec::new();
    for file in docs.chain(top).filter(|p| p.extension().is_some_and(|e| e == "md")) {
        let text = fs::read_to_string(&file).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap();
            if !path.is_empty() && !path.contains("://") && !file.parent().unwrap().join(path).exists() {
                dead.push(format!("{}: {target}", file.display()));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

fn missing(text: &str) -> Vec<String> {
    spans(text).filter(|span| claim(span).is_some_and(|claim| !exists(&claim))).map(str::to_owned).collect()
}

/// What stands between backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn claim(span: &str) -> Option<Claim<'_>> {
    const FOLDERS: [&str; 10] =
        ["src/", "tests/", "scripts/", "docs/", "fuzz/", "benches/", "keys/", "config/", "docker/", ".ci/"];
    if let Some(rest) = span.strip_prefix("celosia ") {
        return rest.split_whitespace().next().map(Claim::Command);
    }
    if !FOLDERS.iter().any(|folder| span.starts_with(folder)) {
        return None;
    }
    let path = span.split_whitespace().next()?;
    Some(match path.split_once("::") {
        Some((file, name)) => Claim::Test { file, name },
        None => Claim::File(path),
    })
}

fn exists(claim: &Claim<'_>) -> bool {
    match claim {
        Claim::Command(name) => {
            let help = Command::new(env!("CARGO_BIN_EXE_celosia")).args([*name, "--help"]).output().unwrap();
            help.status.success()
        }
        Claim::File(path) => root().join(path).exists(),
        Claim::Test { file, name } => {
            fs::read_to_string(root().join(file)).is_ok_and(|source| source.contains(&format!("fn {name}(")))
        }
    }
}
