use crate::officers::Officers;

#[test]
fn a_relay_that_alters_drops_and_replays_changes_nothing() {
    let officers = Officers::new(3);
    let ground = &officers.ground;
    officers.plan("one", &[1, 2, 3], 2);
    officers.plan("two", &[1, 2, 3], 2);
    for ceremony in ["one", "two"] {
        (1..=3).for_each(|at| drop(officers.step("dkg", ceremony, at).well()));
    }
    let file = officers.message("one", 2, 1);
    let good = std::fs::read_to_string(&file).unwrap();
    let body = good.find("\"body\": \"").unwrap() + 20;
    let other = if good.as_bytes()[body] == b'A' { "B" } else { "A" };
    let altered = format!("{}{other}{}", &good[..body], &good[body + 1..]);
    std::fs::write(&file, &altered).unwrap();
    // A word of another ceremony, under the name that is waited for.
    std::fs::copy(officers.message("two", 2, 1), ground.path("one").join("replayed.json")).unwrap();
    let said = officers.step("dkg", "one", 1);
    assert!(said.out.contains("waits for: o2"), "{said:?}");
    assert!(said.err.contains("error[CEL7019]") && said.err.contains("error[CEL7017]"), "{said:?}");
    // Dropped: its author says it again.
    std::fs::remove_file(&file).unwrap();
    officers.step("dkg", "one", 2).well();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), good);
    officers.run("dkg", "one", &[1, 2, 3]);
}

#[test]
fn a_dealer_that_says_two_things_is_named_and_the_rest_go_on_without() {
    let officers = Officers::new(4);
    let ground = &officers.ground;
    officers.plan("dkg", &[1, 2, 3, 4], 2);
    officers.copy("o2", "o2-twin");
    officers.copy("dkg", "dkg-twin");
    (1..=4).for_each(|at| drop(officers.step("dkg", "dkg", at).well()));
    // 1 sees one word of 2, and repeats it; the others get a second one, as good.
    officers.step("dkg", "dkg", 1).well();
    let first = officers.message("dkg", 2, 1);
    ground.run("officer dkg --ceremony dkg-twin --folder o2-twin --password-file password --yes").well();
    let second = officers.message("dkg-twin", 2, 1);
    assert_ne!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    officers.copy("dkg", "dkg-others");
    std::fs::copy(&second, ground.path("dkg-others").join(first.file_name().unwrap())).unwrap();
    for at in [3, 4] {
        officers.step("dkg", "dkg-others", at).well();
    }
    // By now the second o2 has everybody's echo, and finds itself out.
    ground
        .run("officer dkg --ceremony dkg-others --folder o2-twin --password-file password --yes")
        .badly(7020, "o2 signed two different messages");
    officers.step("dkg", "dkg-others", 3).badly(7020, "o2 signed two different messages");
    std::fs::copy(&second, ground.path("dkg").join("second.json")).unwrap();
    officers.step("dkg", "dkg", 4).badly(7020, "o2 signed two different messages");
    // Again, without.
    officers.plan("without", &[1, 3, 4], 2);
    officers.run("dkg", "without", &[1, 3, 4]);
}

#[test]
fn a_folder_that_was_put_back_is_found_out_and_gives_nothing() {
    let officers = Officers::new(4);
    let ground = &officers.ground;
    officers.plan("dkg", &[1, 2, 3], 2);
    officers.copy("o1", "o1-before");
    (1..=3).for_each(|at| drop(officers.step("dkg", "dkg", at).well()));
    officers.copy("o1", "o1-good");
    officers.copy("o1-before", "o1");
    officers.step("dkg", "dkg", 1).badly(7031, "restored from an older copy");
    officers.copy("o1-good", "o1");
    let file = officers.run("dkg", "dkg", &[1, 2, 3]);
    // Behind the committee: it would deal a share that is none any more.
    officers.copy("o1", "o1-first");
    ground.run(&format!("officer refresh --ceremony fresh --committee {file}")).well();
    let file = officers.run("refresh", "fresh", &[1, 2, 3]);
    officers.copy("o1-first", "o1");
    ground.run(&format!("officer handover --ceremony next --committee {file} --remove o3 --add o4/officer.pub")).well();
    officers.step("handover", "next", 1).badly(7032, "restored from an older copy");
    ground.run(&format!("officer destroy --folder o1 --password-file password --committee {file}")).badly(7033, "generation 2");
    // And who is up to date deals no more from the committee of before.
    ground.run("officer refresh --ceremony back --committee dkg/committee.toml").well();
    officers.step("refresh", "back", 2).badly(7035, "generation 2");
}

#[test]
fn governors_take_no_committee_that_its_officers_did_not_all_sign() {
    let officers = Officers::new(6);
    let ground = &officers.ground;
    officers.plan("dkg", &[1, 2, 3], 2);
    let file = officers.run("dkg", "dkg", &[1, 2, 3]);
    let good = ground.read(&file);
    let take = |text: &str| {
        ground.write("taken.toml", text);
        ground.run("governance propose policy --from node --committee taken.toml --out no")
    };
    let at = good.rfind("[[signatures]]").unwrap();
    take(&good[..at]).badly(7028, "lacks signatures");
    take(&good.replace("\"o1\"", "\"oo\"")).badly(7028, "lacks signatures");
    take(&good.replace("threshold = 2", "threshold = 3")).badly(7028, "lacks signatures");
    take("x").badly(7027, "not the file of a committee");
    take(&good.replace(&officers.network, &"0".repeat(64))).badly(7029, "another network");
    officers.enact(3, &file);
    // A committee of the same place that another ceremony made: another key.
    officers.plan("other", &[4, 5, 6], 2);
    let other = officers.run("dkg", "other", &[4, 5, 6]);
    take(&ground.read(&other)).badly(7029, "key is another");
    // Who has a share of it makes no second one in its place.
    officers.plan("again", &[1, 5, 6], 2);
    officers.step("dkg", "again", 1).badly(7037, "a new key is a new epoch");
}

#[test]
fn without_the_password_nothing_opens() {
    let officers = Officers::new(2);
    let ground = &officers.ground;
    officers.plan("dkg", &[1, 2], 2);
    ground.write("wrong", "not it\n");
    ground.run("officer dkg --ceremony dkg --folder o1 --password-file wrong --yes").badly(4207, "does not unlock");
    ground.write("empty", "\n");
    ground.run("officer init --folder o9 --name a --entity b --password-file empty").badly(7012, "locked");
    ground
        .run("officer init --folder o1 --name a --entity b --password-file password --argonconfig argon.json")
        .badly(4201, "exists");
    ground.run("officer dkg --ceremony dkg --folder nobody --password-file password").badly(7010, "officer.pub");
    // The folder's root is the other half: another's opens nothing.
    std::fs::copy(ground.path("o2").join("root-1.key"), ground.path("o1").join("root-1.key")).unwrap();
    officers.step("dkg", "dkg", 1).badly(7011, "damaged");
}
