//! Forks, rollbacks, edited files, other networks.

use std::fs;

use crate::ground::Ground;

#[test]
fn a_governor_signs_one_document_of_a_version_and_a_fork_is_refused() {
    let (ground, network) = Ground::begun();
    ground.copy("node", "other");
    ground.run("governance propose directory --from node --suspend azul --out ours").well();
    ground.run("governance propose directory --from node --expel azul --out theirs").well();
    ground.sign("ours", &["ana", "ben"]);
    ground.try_sign("theirs", "ana", "node").badly(6061, "signed another document of version 3 already");
    // Signing the same one again changes nothing.
    let before = ground.read("ours");
    ground.sign("ours", &["ana"]);
    assert_eq!(ground.read("ours"), before);
    // Two governors cheat: they throw their records away.
    for name in ["ana", "ben"] {
        fs::remove_file(ground.path(&format!("{name}.key.signed"))).unwrap();
    }
    ground.sign("theirs", &["ana", "ben"]);
    ground.run("governance publish ours --into node").well();
    ground.run("governance publish theirs --into node").badly(6014, "a fork at version 3");
    ground.run("governance publish theirs --into other").well();
    // What follows the other branch shows the fork too.
    ground.run("governance propose directory --from other --readmit azul --out next").well();
    ground.try_sign("next", "cam", "node").badly(6014, "a fork at version 3");
    ground.run(&format!("governance verify node --network {network}")).well();
}

#[test]
fn a_damaged_record_stops_signing() {
    let (ground, _) = Ground::begun();
    ground.run("governance propose directory --from node --suspend azul --out next").well();
    ground.write("ana.key.signed", &format!("{}garbage\n", ground.read("ana.key.signed")));
    ground.try_sign("next", "ana", "node").badly(6069, "ana.key.signed:3");
}

#[test]
fn an_older_version_is_a_rollback_for_who_jumped_over_it() {
    let (ground, network) = Ground::begun();
    ground.copy("node", "jumper");
    ground.directory("--suspend azul", &["ana", "ben"]);
    ground.directory("--readmit azul", &["ana", "ben"]);
    let [third, fourth] = ["node/000003-directory.note", "node/000004-directory.note"];
    ground.run(&format!("governance publish {fourth} --into jumper")).well();
    ground.run(&format!("governance publish {third} --into jumper")).badly(6013, "version 3 is not newer than version 4");
    let told = ground.run(&format!("governance verify jumper --network {network}")).well();
    assert!(told.contains("3 documents up to version 4"), "{told}");
    ground.run("governance show jumper --version 3").badly(6065, "has no version 3");
}

#[test]
fn an_edited_file_is_refused_at_the_next_opening() {
    let (ground, network) = Ground::begun();
    let name = "node/000002-directory.note";
    let text = ground.read(name);
    ground.directory("--suspend azul", &["ana", "ben"]);
    let open = || ground.run(&format!("governance verify node --network {network}"));
    open().well();
    for (what, edited) in [
        ("a state", text.replace("state = \"active\"", "state = \"expelled\"")),
        ("a comment", text.replace("version = 2\n", "version = 2 # two\n")),
        ("a signature", text.replacen("\u{2014} ana ", "\u{2014} ana A", 1)),
        ("a signature line less", text.rsplit_once('\u{2014}').unwrap().0.to_owned()),
        ("nothing left", String::new()),
        ("other line ends", text.replace('\n', "\r\n")),
        ("half a file", text[..text.len() / 2].to_owned()),
    ] {
        ground.write(name, &edited);
        let said = open();
        assert_eq!(said.exit, 2, "{what}: {said:?}");
        assert!(said.err.contains("000002-directory.note is not what the governors signed"), "{what}: {said:?}");
        assert!(said.err.starts_with("error[CEL6052]"), "{what}: {said:?}");
    }
    ground.write(name, &text);
    open().well();
    fs::rename(ground.path(name), ground.path("node/000002-policy.note")).unwrap();
    open().badly(6053, "000002-policy.note is not named after its document");
    fs::rename(ground.path("node/000002-policy.note"), ground.path(name)).unwrap();
    fs::rename(ground.path("node/000001-policy.note"), ground.path("first")).unwrap();
    open().badly(6051, "holds no version 1");
}

#[test]
fn nothing_of_a_test_network_is_taken_by_another() {
    let (ground, network) = Ground::begun();
    // The same governors, another network.
    ground
        .run("governance init --name prueba --governor ana.vkey --governor ben.vkey --governor cam.vkey --threshold 2 --out t1")
        .well();
    ground.run("governance sign t1 --key ana.key --password-file password --yes").well();
    ground.run("governance sign t1 --key ben.key --password-file password --yes").well();
    ground.run("governance publish t1 --into test").well();
    ground.run("governance propose directory --from test --add-member azul-member.toml --out t2").well();
    for name in ["ana", "ben"] {
        ground.try_sign("t2", name, "test").well();
    }
    ground.run("governance publish t2 --into node").badly(6012, &network);
    ground.run("governance publish t1 --into node").badly(6012, &network);
    ground.run(&format!("governance verify test --network {network}")).badly(6054, "holds network");
    ground.run(&format!("governance verify t1 --network {network}")).badly(6012, &network);
    ground.try_sign("t2", "cam", "node").badly(6012, &network);
}
