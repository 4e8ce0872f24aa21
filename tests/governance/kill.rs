//! The program is killed while it publishes: the folder can be read whatever moment it was, and what was announced is there.

use std::process::Stdio;
use std::time::Duration;

use crate::ground::Ground;

#[test]
fn a_publication_that_is_killed_leaves_a_readable_folder() {
    let (ground, network) = Ground::begun();
    ground.copy("node", "fresh");
    ground.directory("--suspend azul", &["ana", "ben"]);
    let next = "node/000003-directory.note";
    let (mut killed, mut done) = (0, 0);
    for round in 0..40 {
        ground.copy("fresh", "target");
        let mut command = ground.command();
        command.args(["governance", "publish", next, "--into", "target"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_micros(500 * round));
        let _ = child.kill();
        if child.wait().unwrap().success() {
            done += 1;
        } else {
            killed += 1;
        }
        let told = ground.run(&format!("governance verify target --network {network}")).well();
        let is_in = ground.path("target/000003-directory.note").exists();
        assert!(told.contains(if is_in { "3 documents" } else { "2 documents" }), "round {round}: {told}");
        ground.run(&format!("governance publish {next} --into target")).well();
        std::fs::remove_dir_all(ground.path("target")).unwrap();
    }
    assert!(killed > 0, "{killed} were killed, {done} were not");
}

#[test]
fn what_a_stopped_write_leaves_behind_is_no_document() {
    let (ground, network) = Ground::begun();
    let half = ground.read("node/000002-directory.note")[..100].to_owned();
    ground.write("node/.celosia-document-Ab12Cd", &half);
    let told = ground.run(&format!("governance verify node --network {network}")).well();
    assert!(told.contains("2 documents"), "{told}");
}
