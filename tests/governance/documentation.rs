//! Every command of `docs/governance.md` works as it stands there, in its order.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::ground::Ground;

#[test]
fn the_commands_of_the_document_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/governance.md")).unwrap();
    let ground = Ground::new();
    let event = document.split("```json\n").nth(1).unwrap().lines().next().unwrap().to_owned();
    ground.write("export.jsonl", &format!("{event}\n"));
    let commands: Vec<&str> = document
        .split("```sh\n")
        .skip(1)
        .flat_map(|block| block.split("```").next().unwrap().lines())
        .filter(|line| !line.is_empty())
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    let folder = Path::new(env!("CARGO_BIN_EXE_celosia")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    for command in commands {
        // Keys of tests are locked in no time.
        let quick = command.replace("keygen --", "keygen --argonconfig argon.json --");
        let output = Command::new("sh").args(["-ec", &quick]).env("PATH", &path).current_dir(ground.path("")).output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&told));
    }
}
