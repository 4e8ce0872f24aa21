//! The configurations that containers mount are taken by the program, with the keys that lie in `keys/`.

use std::{fs, process::Command};

use crate::scan::root;

#[test]
fn the_members_of_the_compose_file_pass_the_check() {
    let compose = fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    for n in 1..=3 {
        let name = format!("docker/members/member{n}.toml");
        assert!(compose.contains(&name), "docker-compose.yml does not mount {name}");
        let text = fs::read_to_string(root().join(&name)).unwrap();
        let (accepted, said) = check(&text);
        assert!(accepted, "{name}: {said}");
    }
}

/// The check itself.
#[test]
fn a_wrong_field_does_not_pass() {
    let text = fs::read_to_string(root().join("docker/members/member1.toml")).unwrap();
    let (accepted, said) = check(&text.replace("[features]", "[featurs]"));
    assert!(!accepted && said.contains("featurs"), "{said}");
}

/// `celosia config check`, with the paths of the container moved to this machine.
fn check(text: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let here = text
        .replace("\"/keys/", &format!("\"{}/keys/", root().display()))
        .replace("/data", folder.path().join("data").to_str().unwrap());
    let file = folder.path().join("celosia.toml");
    fs::write(&file, here).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_celosia")).args(["config", "check"]).arg(&file).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}
