//! The life of a network under k of n.

use crate::ground::Ground;

#[test]
fn members_come_are_suspended_expelled_and_admitted_again() {
    let (ground, network) = Ground::begun();
    ground.member("rojo");
    ground.directory("--add-member rojo-member.toml", &["ana", "ben"]);
    for (change, state) in [
        ("--suspend rojo", "suspended"),
        ("--readmit rojo", "active"),
        ("--expel rojo", "expelled"),
        ("--readmit rojo", "active"),
    ] {
        ground.directory(change, &["ben", "cam"]);
        let told = ground.run("governance show node").well();
        let rojo = told.lines().find(|line| line.trim_start().starts_with("rojo")).unwrap();
        assert!(rojo.contains(state) && rojo.contains("rojo Málaga, S.A. (ES-rojo)"), "{told}");
    }
    let told = ground.run(&format!("governance verify node --network {network}")).well();
    assert!(told.contains("7 documents up to version 7"), "{told}");
    let history = ground.run("governance history node").well();
    assert_eq!(history.lines().count(), 7, "{history}");
    assert!(history.lines().last().unwrap().ends_with("signed by ben, cam"), "{history}");
    // What was in force while rojo was expelled.
    let issued = history.lines().nth(5).unwrap().split_whitespace().nth(2).unwrap().to_owned();
    let then = ground.run(&format!("governance history node --at {issued} --text")).well();
    assert!(then.contains("version = 1") && then.contains("id = \"azul\""), "{then}");
    let before = ground.run("governance history node --at 2020-01-01T00:00:00Z").well();
    assert!(before.contains("no policy was in force") && before.contains("no directory was in force"), "{before}");
}

#[test]
fn one_signature_is_too_few_and_strangers_do_not_count() {
    let (ground, _) = Ground::begun();
    ground.governor("eve");
    ground.run("governance propose directory --from node --suspend azul --out next").well();
    ground.try_sign("next", "eve", "node").badly(6062, "no governor's key");
    ground.run("governance publish next --into node").badly(6015, "0 valid signatures of the 3 governors in force, 2 are needed");
    ground.sign("next", &["ana"]);
    ground.run("governance publish next --into node").badly(6015, "1 valid signatures");
    // Each signs a copy of its own; together they are enough.
    ground.write("of-ben", ground.read("next").split("\n\n\u{2014} ").next().unwrap());
    let unsigned = format!("{}\n", ground.read("of-ben"));
    ground.write("of-ben", &unsigned);
    ground.sign("of-ben", &["ben"]);
    let line = ground.read("of-ben").lines().last().unwrap().to_owned();
    ground.write("next", &format!("{}{line}\n", ground.read("next")));
    assert!(ground.run("governance publish next --into node").well().contains("in force"));
    assert!(ground.run("governance publish next --into node").well().contains("known already"));
    ground.sign("next", &["cam"]);
    assert!(ground.run("governance publish next --into node").well().contains("its new signatures were added"));
    assert!(ground.run("governance history node").well().ends_with("signed by ana, ben, cam\n"));
}

#[test]
fn a_lost_governor_is_replaced_by_the_others() {
    let (ground, network) = Ground::begun();
    let dan = ground.governor("dan");
    assert!(dan.starts_with("dan+"), "{dan}");
    ground.run("governance propose policy --from node --remove-governor cam --add-governor dan.vkey --out 3").well();
    ground.sign("3", &["ana"]);
    ground.run("governance publish 3 --into node").badly(6015, "1 valid signatures");
    ground.sign("3", &["ben"]);
    ground.run("governance publish 3 --into node").well();
    ground.run("governance propose directory --from node --suspend azul --out 4").well();
    ground.try_sign("4", "cam", "node").badly(6062, "no governor's key");
    ground.sign("4", &["ana", "dan"]);
    ground.run("governance publish 4 --into node").well();
    ground.run(&format!("governance verify node --network {network}")).well();
}

#[test]
fn a_threshold_falls_by_the_old_quorum_alone() {
    let (ground, _) = Ground::begun();
    ground.run("governance propose policy --from node --set threshold=1 --out low").badly(6008, "1 of 3 governors");
    ground.run("governance propose policy --from node --set threshold=3 --out high").well();
    ground.sign("high", &["ana", "ben"]);
    ground.run("governance publish high --into node").badly(6017, "signed by 2 of its own 3 governors, 3 are needed");
    ground.sign("high", &["cam"]);
    ground.run("governance publish high --into node").well();
    ground.run("governance propose policy --from node --set threshold=2 --out low").well();
    ground.sign("low", &["ana", "ben"]);
    ground.run("governance publish low --into node").badly(6016, "2 of the 3 governors in force sign where 3 are needed");
    ground.sign("low", &["cam"]);
    ground.run("governance publish low --into node").well();
}

#[test]
fn two_who_name_themselves_governors_take_nothing_over() {
    let (ground, _) = Ground::begun();
    ground.governor("eve");
    ground.governor("mal");
    let call = "governance propose policy --from node --remove-governor ana --remove-governor ben --remove-governor cam --add-governor eve.vkey --add-governor mal.vkey --out coup";
    ground.run(call).well();
    ground.sign("coup", &["eve", "mal"]);
    ground.run("governance publish coup --into node").badly(6016, "0 of the 3 governors in force sign where 2 are needed");
}
