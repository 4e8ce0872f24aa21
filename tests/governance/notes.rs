//! The documents are signed notes to another implementation too: the Go package `golang.org/x/mod/sumdb/note`.

use std::process::Command;

use crate::go;
use crate::ground::Ground;

#[test]
fn another_implementation_verifies_the_documents() {
    let (ground, _) = Ground::begun();
    let keys = ["ana", "ben", "cam"].map(|name| ground.read(&format!("{name}.vkey")).trim().to_owned());
    let check = |file: &str| {
        let output = Command::new(go::program("note")).arg(ground.path(file)).args(&keys).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let history = ground.run("governance history node").well();
    for (line, file) in history.lines().zip(["node/000001-policy.note", "node/000002-directory.note"]) {
        let hash = line.split_whitespace().nth(3).unwrap();
        let signers = line.split("signed by ").nth(1).unwrap().replace(", ", "\n");
        assert_eq!(check(file), (true, format!("{signers}\n{hash}\n")), "{file}");
        ground.write("bad", &ground.read(file).replacen("version = ", "version = 1", 1));
        assert!(!check("bad").0, "{file}");
    }
}
