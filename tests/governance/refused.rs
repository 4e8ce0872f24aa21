//! Bad documents, each with its code, through the program.

use crate::ground::Ground;

#[test]
fn a_bad_document_is_refused_by_its_code() {
    let (ground, network) = Ground::begun();
    let [policy, directory] = ["node/000001-policy.note", "node/000002-directory.note"].map(|name| ground.read(name));
    let cases: Vec<(&str, &str, &str, u16, &str)> = vec![
        (&policy, "\n\n\u{2014} ana ", "\n\u{2014} ana ", 6003, "not TOML"),
        (&policy, "\u{2014} ben ", "- ben ", 6001, "not a signed note"),
        (&policy, "celosia-policy-1", "celosia-policy-9", 6002, "first line"),
        (&policy, "[genesis]", "[genesis", 6003, "not TOML"),
        (&policy, "grace = \"24h\"", "grace = '24h'", 6004, "not in canonical form"),
        (&policy, "grace = \"24h\"", "grace = \"24h\"\nhaste = 1", 6005, "haste"),
        (&policy, "grace = \"24h\"", "grace = \"24\"", 6006, "grace"),
        (&policy, "threshold = 2", "threshold = 1", 6008, "1 of 3"),
        (&policy, "name = \"prueba\"", "name = \"prueb\"", 6010, "genesis"),
        (&policy, "log-reads = false", "log-reads = true", 6015, "0 valid signatures"),
        (&directory, "state = \"active\"", "state = \"active\" ", 6004, "line 13"),
        (&directory, "", "", 6011, "begins with version 1"),
    ];
    for (text, from, to, code, told) in cases {
        assert!(text.contains(from), "{from:?} is not in {text}");
        ground.write("bad", &text.replacen(from, to, 1));
        println!("{from:?} -> {to:?}");
        ground.run(&format!("governance verify bad --network {network}")).badly(code, told);
    }
    ground.run(&format!("governance verify nowhere --network {network}")).badly(6060, "nowhere");
}

#[test]
fn a_clock_that_is_an_hour_off_is_named() {
    let (ground, _) = Ground::begun();
    ground.run("governance propose directory --from node --suspend azul --out next").well();
    let text = ground.read("next");
    let issued = text.lines().find_map(|line| line.strip_prefix("issued = \"")?.strip_suffix('"')).unwrap().to_owned();
    let later = issued.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_hours(1);
    ground.write("next", &text.replace(&issued, &later.to_string()));
    ground.try_sign("next", "ana", "node").badly(6021, "in the future: this clock or the governors' is wrong");
}
