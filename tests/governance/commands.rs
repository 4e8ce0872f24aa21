//! What the commands print and refuse apart from the life of a network.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use crate::ground::Ground;

#[test]
fn keys_are_locked_private_and_never_overwritten() {
    let ground = Ground::new();
    let line = ground.governor("ana");
    assert_eq!(ground.read("ana.vkey"), line);
    let key = ground.read("ana.key");
    assert!(key.contains("argon2sbox") && !key.contains("unlocked"), "{key}");
    assert_eq!(ground.path("ana.key").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    ground
        .run("governance keygen --name ana --password-file password --argonconfig argon.json")
        .badly(4201, "ana.key exists already");
    ground.run("governance keygen --name a+b --password-file password").badly(6063, "a governor's name");
    ground.write("empty", "\n");
    ground.run("governance keygen --name ben --password-file empty --argonconfig argon.json").badly(6070, "kept locked");
    ground.write("wrong", "not it\n");
    ground.run("governance init --name n --governor ana.vkey --threshold 1 --out 1").well();
    ground.run("governance sign 1 --key ana.key --password-file wrong --yes").badly(4207, "does not unlock");
    ground.run("governance init --name n --governor ana.vkey --threshold 1 --out 1").badly(6060, "1");
    ground.run("governance init --name n --governor ana.vkey --threshold 2 --out 2").badly(6008, "2 of 1 governors");
    ground.run("governance init --name n --governor ana+1+2 --threshold 1 --out 2").badly(6063, "not a verifier key");
}

#[test]
fn a_signature_needs_a_yes() {
    let ground = Ground::new();
    ground.governor("ana");
    ground.run("governance init --name n --governor ana.vkey --threshold 1 --out 1").well();
    let answer = |word: &str| {
        let words = ["governance", "sign", "1", "--key", "ana.key", "--password-file", "password"];
        let mut child =
            ground.command().args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(word.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for word in ["no\n", "\n", "", "y\n"] {
        let (exit, out, err) = answer(word);
        assert_eq!(exit, Some(2), "{word:?}");
        assert!(err.starts_with("error[CEL6068]"), "{err}");
        assert!(out.contains("+ threshold: 1") && out.contains("classes.personal.tessera: false"), "{out}");
    }
    assert!(!ground.read("1").contains('\u{2014}'));
    let (exit, out, _) = answer("yes\n");
    assert_eq!(exit, Some(0));
    assert!(out.contains("signed by ana; 1 signature lines now"), "{out}");
}

#[test]
fn a_proposal_changes_what_it_is_told_and_shows_it() {
    let (ground, _) = Ground::begun();
    ground.write(
        "edit.toml",
        "# a year is enough\ngrace = \"2h\"\n[classes.personal]\nretention = \"365d\"\nregions = [\"AR\", \"ES\"]\n[[scopes]]\nmembers = [\"azul\"]\nsupervision = \"S0\"\n",
    );
    let told =
        ground.run("governance propose policy --from node --edit edit.toml --set classes.special.log-reads=false --out 3").well();
    for line in [
        "~ classes.personal.retention: \"1825d\" -> \"365d\"",
        "+ classes.personal.regions: \"AR\"",
        "- classes.personal.regions: \"FR\"",
        "~ classes.special.log-reads: true -> false",
        "~ grace: \"24h\" -> \"2h\"",
        "+ scopes.0.members: \"azul\"",
        "~ version: 1 -> 3",
    ] {
        assert!(told.lines().any(|found| found == line), "{line:?} is missing:\n{told}");
        let diff = ground.run("governance diff node 3").well();
        assert!(diff.lines().any(|found| found == line), "{line:?} is missing:\n{diff}");
    }
    assert!(ground.run("governance show 3").well().contains("signature lines of nobody yet"));

    ground.write("members.toml", "[[members]]\nid = \"azul\"\ncompatible = \"http://azul.example:9000\"\n");
    let told = ground.run("governance propose directory --from node --edit members.toml --out 4").well();
    assert!(told.contains("+ members.azul.compatible: \"http://azul.example:9000/\"\n"), "{told}");
    assert!(ground.run("governance show node --version 2").well().contains("id = \"azul\""));
}

#[test]
fn what_cannot_be_proposed_is_refused_with_its_reason() {
    let (ground, _) = Ground::begun();
    ground.write("version.toml", "version = 9\n");
    ground.write("broken.toml", "grace = \n");
    ground.write("unknown.toml", "colour = \"red\"\n");
    ground.write("mode.toml", "[[scopes]]\nsupervision = \"S4\"\n");
    ground.write("twin.toml", &ground.read("azul-member.toml").replace("id = \"azul\"", "id = \"gemelo\""));
    for (call, code, told) in [
        ("policy --from node --edit version.toml", 6063, "version is filled in"),
        ("policy --from node --edit broken.toml", 6063, "broken.toml:1: not TOML"),
        ("policy --from node --edit unknown.toml", 6005, "colour"),
        ("policy --from node --edit mode.toml", 6037, "supervision S4"),
        ("policy --from node --edit nowhere.toml", 6060, "nowhere.toml"),
        ("policy --from node --set grace=soon", 6006, "grace"),
        ("policy --from node --set genesis.name=x", 6063, "no field that can be set"),
        ("policy --from node --remove-governor dan", 6063, "no governor dan"),
        ("policy --from node --remove-governor cam --add-governor ana.vkey", 6007, "governor name"),
        ("policy --from nowhere", 6050, "nowhere"),
        ("directory --from node --suspend rojo", 6064, "rojo"),
        ("directory --from node --add-member azul-member.toml", 6063, "azul is a member already"),
        ("directory --from node --add-member twin.toml", 6007, "of \"gemelo\" is that of \"azul\""),
        ("directory --from node --add-member unknown.toml", 6005, "members[1].colour"),
    ] {
        let said = ground.run(&format!("governance propose {call} --out out"));
        assert!(!ground.path("out").exists(), "{call}");
        println!("{call}");
        said.badly(code, told);
    }
}

#[test]
fn a_dry_run_says_what_would_have_been_refused() {
    let (ground, _) = Ground::begun();
    ground.member("rojo");
    ground.write("rojo-member.toml", &ground.read("rojo-member.toml").replace("ES-MD", "US"));
    ground.directory("--add-member rojo-member.toml", &["ana", "ben"]);
    let event = |kind: &str, class: &str, to: &str| {
        format!(
            "{{\"time\":\"2026-01-31T12:00:00Z\",\"kind\":\"{kind}\",{class}\"sender\":\"azul\",\"recipients\":[\"{to}\"],\"more\":1}}\n"
        )
    };
    let lines = [
        event("sent", "\"class\":\"public\",", "rojo"),
        event("sent", "\"class\":\"personal\",", "rojo"),
        event("sent", "", "rojo"),
        event("refused", "\"class\":\"special\",", "rojo"),
        event("read", "", "rojo"),
        event("sent", "", "gris"),
    ];
    ground.write("export.jsonl", &lines.concat());
    ground.run("governance propose policy --from node --set grace=1h --out next").well();
    let told = ground.run("governance dry-run --policy next --journal export.jsonl --folder node").well();
    assert!(
        told.contains("export.jsonl:2: 2026-01-31T12:00:00Z: from azul, was sent: [CEL6033] rojo keeps its data in US"),
        "{told}"
    );
    assert!(told.contains("export.jsonl:6: "), "{told}");
    assert!(told.ends_with("5 sends, 1 of them refused then; 3 would be refused, 1 not judged\n  CEL6033  3\n"), "{told}");
    let quiet = ground.run("governance dry-run --quiet --policy next --journal export.jsonl --folder node").well();
    assert_eq!(quiet.lines().count(), 2, "{quiet}");
    ground.write("export.jsonl", "{\"time\":1}\n");
    ground
        .run("governance dry-run --policy next --journal export.jsonl --folder node")
        .badly(6066, "export.jsonl:1: not an event");
    ground.run("governance dry-run --policy 2 --journal export.jsonl --folder node").badly(6063, "2 is no policy");
}

#[test]
fn a_members_entry_names_its_keys() {
    let ground = Ground::new();
    ground.member("azul");
    let entry = ground.read("azul-member.toml");
    assert!(entry.starts_with("[[members]]\nid = \"azul\"\n") && entry.contains("legal-name = \"azul Málaga, S.A.\""), "{entry}");
    for (name, mode) in [("azul-sign.key", 0o600), ("azul-tls.key", 0o600), ("azul-tls.crt", 0o644)] {
        assert_eq!(ground.path(name).metadata().unwrap().permissions().mode() & 0o777, mode, "{name}");
    }
    let said = ground.run(
        "governance member-keygen --member azul --legal-name x --legal-id x --region ES --native https://a/ --address nokey --password-file password",
    );
    said.badly(4201, "exists already");
}
