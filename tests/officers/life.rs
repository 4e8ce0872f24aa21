use crate::officers::{Officers, field};

#[test]
fn five_officers_make_a_key_two_hand_over_one_is_lost_and_the_key_stays() {
    let officers = Officers::new(8);
    let ground = &officers.ground;
    let told = officers.plan("dkg", &[1, 2, 3, 4, 5], 3);
    assert!(told.contains("escrow 1, generation 1: 3 of these open") && told.contains("o5, E5"), "{told}");
    // The first waits for the others, by name.
    let told = officers.step("dkg", "dkg", 1).well();
    assert!(told.contains("round 1 of 3 waits for: o2, o3, o4, o5"), "{told}");
    let file = officers.run("dkg", "dkg", &[1, 2, 3, 4, 5]);
    let first = ground.read(&file);
    let key = field(&first, "key").to_owned();
    assert_eq!(first.matches("[[signatures]]").count(), 5);
    // A complete ceremony says the same, whoever asks again.
    assert!(officers.step("dkg", "dkg", 2).well().contains(&key));
    officers.enact(3, &file);
    let shown = ground.run("governance show node --version 3").well();
    assert!(shown.contains(&key) && shown.contains("generation = 1"), "{shown}");

    // Two leave, two come. One of those who leave is not needed and says nothing.
    let call = "officer handover --ceremony over --committee dkg/committee.toml --remove o4 --remove o5 --add o6/officer.pub --add o7/officer.pub";
    let told = ground.run(call).well();
    assert!(told.contains("generation 2") && told.contains(&key) && told.contains("dealt by"), "{told}");
    let file = officers.run("handover", "over", &[1, 2, 3, 6, 7]);
    let second = ground.read(&file);
    assert_eq!((field(&second, "key"), field(&second, "generation")), (key.as_str(), "2"));
    officers.enact(4, &file);

    // Old shares go: of those who stay, and of those who left.
    for at in [1, 2, 3, 4] {
        let call = format!("officer destroy --folder o{at} --password-file password --committee {file}");
        let told = ground.run(&call).well();
        assert!(told.starts_with("1 share(s) from before generation 2 of escrow 1 destroyed"), "{told}");
    }
    let status = ground.run("officer status --folder o1").well();
    assert!(status.contains("generation 1: 3 of 5, no share here"), "{status}");
    assert!(status.contains("generation 2: 3 of 5, share here"), "{status}");

    // A refresh by three of them; then one is lost, which is told, and replaced.
    ground.run(&format!("officer refresh --ceremony fresh --committee {file} --dealer o1 --dealer o6 --dealer o7")).well();
    let file = officers.run("refresh", "fresh", &[1, 2, 3, 6, 7]);
    officers.enact(5, &file);
    std::fs::remove_dir_all(ground.path("o7")).unwrap();
    let said = ground.run("officer status --folder o1 --lost o7 --lost o6");
    assert!(said.err.contains("one more lost, and nothing opens"), "{said:?}");
    let said = ground.run("officer status --folder o1 --lost o7");
    assert!(!said.err.contains("warning"), "{said:?}");
    ground.run(&format!("officer handover --ceremony lost --committee {file} --remove o7 --add o8/officer.pub")).well();
    let file = officers.run("handover", "lost", &[1, 2, 3, 6, 8]);
    let last = ground.read(&file);
    assert_eq!((field(&last, "key"), field(&last, "generation")), (key.as_str(), "4"));
    officers.enact(6, &file);
    let json = ground.run("officer status --folder o8 --json").well();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["committees"][0]["generation"], 4);
    assert_eq!(json["committees"][0]["share"], true);
}

#[test]
fn what_makes_no_committee_is_refused_before_anybody_says_a_word() {
    let officers = Officers::new(4);
    let ground = &officers.ground;
    let dkg = |threshold: usize, cards: &str| {
        let network = &officers.network;
        ground.run(&format!("officer dkg --ceremony no --network {network} --threshold {threshold} {cards}"))
    };
    dkg(1, "--card o1/officer.pub --card o2/officer.pub").badly(7015, "2 to 32");
    dkg(3, "--card o1/officer.pub --card o2/officer.pub").badly(7015, "2 to 32");
    dkg(2, "--card o1/officer.pub --card o1/officer.pub").badly(7015, "twice");
    ground.run("officer init --folder twin --name twin --entity E1 --password-file password --argonconfig argon.json").well();
    dkg(2, "--card o1/officer.pub --card twin/officer.pub").badly(7015, "entities");
    ground.write("forged.pub", &ground.read("o2/officer.pub").replace("\"o2\"", "\"o3\""));
    dkg(2, "--card o1/officer.pub --card forged.pub").badly(7013, "not of its key");
    // It needs a yes.
    officers.plan("asked", &[1, 2], 2);
    ground.run("officer dkg --ceremony asked --folder o1 --password-file password").badly(7036, "nobody said yes");
    // k never falls, and fewer than k deal nothing.
    officers.plan("dkg", &[1, 2, 3, 4], 3);
    let file = officers.run("dkg", "dkg", &[1, 2, 3, 4]);
    ground.run(&format!("officer refresh --ceremony no --committee {file} --threshold 2")).badly(7015, "never lowered");
    ground
        .run(&format!("officer refresh --ceremony no --committee {file} --dealer o1 --dealer o2"))
        .badly(7015, "at least the threshold");
    // A plan is never overwritten.
    let network = &officers.network;
    ground
        .run(&format!("officer dkg --ceremony dkg --network {network} --threshold 2 --card o1/officer.pub --card o2/officer.pub"))
        .badly(7010, "plan.toml");
}
