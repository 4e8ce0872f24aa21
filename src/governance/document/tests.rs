use proptest::prelude::*;

use super::super::sample::*;
use super::super::*;
use super::*;

fn texts() -> [String; 2] {
    let mut charter = begun();
    let document = Document::Directory(directory(&charter, vec![member("rojo"), member("azul")]));
    charter.accept(&signed(&document, &["a", "b"]), minutes(60)).expect("a directory");
    let scope =
        "members = [\"rojo\", \"azul\"]\nclasses = [\"special\", \"public\"]\nsupervision = \"S0\"\nsupervisors = [\"azul\"]";
    let policy = Policy { scopes: vec![toml::from_str(scope).expect("a scope")], ..policy(&charter) };
    let mut policy = Document::Policy(policy);
    if let Document::Policy(policy) = &mut policy {
        policy.normalise();
    }
    [document.text(), policy.text()]
}

#[test]
fn a_document_has_one_text() {
    for text in texts() {
        let document = Document::parse(&text).expect("a document");
        assert_eq!(document.text(), text);
        assert_eq!(document.hash(), DocumentHash::new(sha256(&[text.as_bytes()])));
        let commented = text.replacen('\n', "\n# by hand\n", 1);
        assert_eq!(Document::from_toml(&commented), Ok(document));
        assert_eq!(Document::parse(&commented), Err(DocumentError::NotCanonical(2)));
        // The library's own TOML reads the same.
        assert!(toml::from_str::<toml::Table>(&text).is_ok());
    }
}

#[test]
fn each_fault_has_its_place_and_code() {
    let [directory, policy] = texts();
    let cases: Vec<(&str, &str, &str, &str, u16)> = vec![
        ("members", "format = \"celosia-directory-1\"", "format = \"celosia-directory-2\"", "first line", 6002),
        ("members", "[[members]]", "[[members]", "line 8", 6003),
        ("members", "version = 2", "version = 02", "line 3", 6003),
        ("members", "version = 2\n", "version  = 2\n", "line 3", 6004),
        ("members", "version = 2\n", "version = 2 # two\n", "line 3", 6004),
        ("members", "\"member\", \"witness\"", "\"witness\", \"member\"", "line 15", 6004),
        ("members", "version = 2\n", "version = 2\ncolour = 1\n", "colour", 6005),
        ("members", "region = \"ES-MD\"", "colour = 1\nregion = \"ES-MD\"", "members[0].colour", 6005),
        ("members", "version = 2\n", "", "version", 6006),
        ("members", "version = 2\n", "version = 0\n", "version", 6006),
        ("members", "version = 2\n", "version = -2\n", "version", 6006),
        ("members", "version = 2\n", "version = 1\n", "version 1", 6006),
        ("members", "policy = 1\n", "policy = 2\n", "policy", 6006),
        ("members", "12:01:00Z", "12:01:00.5Z", "issued", 6006),
        ("members", "12:01:00Z", "24:61:00Z", "issued", 6006),
        ("members", "id = \"azul\"", "id = \"Azul\"", "members[0].id", 6006),
        ("members", "id = \"rojo\"", "id = \"azul\"", "id of \"azul\"", 6007),
        ("members", "\"azul, ", "\"azul\u{202e}, ", "legal-name", 6006),
        ("members", "region = \"ES-MD\"", "region = \"es\"", "region", 6006),
        ("members", "state = \"active\"", "state = \"idle\"", "state", 6006),
        ("members", "roles = [\"member\", \"witness\"]", "roles = []", "roles", 6006),
        ("members", "software = \"celosia\"", "software = \"tessera\"", "signing-key", 6006),
        ("members", "native = \"https://azul", "native = \"http://azul", "native", 6006),
        ("members", "https://azul.", "https://rojo.", "endpoint", 6007),
        ("policy", "[genesis]\nname = ", "[genesis]\ncolour = 1\nname = ", "genesis.colour", 6005),
        ("policy", "threshold = 2", "threshold = 1", "1 of 3", 6008),
        ("policy", "threshold = 2", "threshold = 4", "4 of 3", 6008),
        ("policy", "grace = \"24h\"", "grace = \"soon\"", "grace", 6006),
        ("policy", "[classes.special]", "[classes.secret]", "classes.secret", 6005),
        ("policy", "delivery = \"quiet\"", "delivery = \"prompt\"", "classes.personal.delivery", 6006),
        ("policy", "batch = \"5s\"\n", "", "classes.personal.delivery", 6006),
        ("policy", "batch = \"5s\"\n", "batch = \"2h\"\n", "classes.personal.batch", 6006),
        ("policy", "supervision = \"S0\"", "supervision = \"S3\"", "scopes[0] asks for supervision S3", 6037),
        ("policy", "nonce = \"07", "nonce = \"08", "genesis", 6010),
    ];
    for (which, from, to, told, code) in cases {
        let text = if which == "members" { &directory } else { &policy };
        assert!(text.contains(from), "{from:?} is not in {text}");
        let error = Document::parse(&text.replacen(from, to, 1)).expect_err(to);
        assert_eq!(error.code().0, code, "{to:?}: {error}");
        assert!(error.to_string().contains(told), "{to:?}: {error} does not tell {told:?}");
    }
}

#[test]
fn no_key_or_address_belongs_to_two() {
    let charter = begun();
    let fault = |change: &dyn Fn(&mut Member, &Member)| {
        let (azul, mut rojo) = (member("azul"), member("rojo"));
        change(&mut rojo, &azul);
        let text = Document::Directory(directory(&charter, vec![azul, rojo])).text();
        Document::parse(&text).expect_err("a duplicate").to_string()
    };
    assert!(fault(&|rojo, azul| rojo.addresses.clone_from(&azul.addresses)).starts_with("the address of \"rojo\""));
    assert!(fault(&|rojo, azul| rojo.signing_key = azul.signing_key).starts_with("the signing key of \"rojo\""));
    assert!(fault(&|rojo, azul| rojo.tls_pin = azul.tls_pin).starts_with("the TLS pin of \"rojo\""));
    assert!(fault(&|rojo, azul| rojo.https.clone_from(&azul.native)).starts_with("the endpoint of \"rojo\""));
}

/// Whatever byte of a signed document is changed, it is refused: no panic, no other reading.
#[test]
fn a_changed_byte_is_never_taken() {
    let mut charter = begun();
    let document = Document::Directory(directory(&charter, vec![member("azul")]));
    let note = signed(&document, &["a", "b"]).to_string();
    for at in 0..note.len() {
        for flip in [0x01, 0x20] {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= flip;
            let Some(changed) = String::from_utf8(bytes).ok().and_then(|text| Note::parse(&text).ok()) else { continue };
            let taken = charter.clone().accept(&changed, minutes(60));
            assert!(taken.is_err(), "byte {at}: {changed}");
        }
    }
    assert!(charter.accept(&Note::parse(&note).expect("a note"), minutes(60)).is_ok());
}

proptest! {
    #[test]
    fn any_names_read_and_print_the_same(name in "\\PC{1,40}", id in "[a-z0-9]{1,20}", version in 2_u64..1_000_000) {
        prop_assume!(is_printable(&name));
        let charter = begun();
        let named = Member { legal_name: name, ..member(&id) };
        let mut directory = directory(&charter, vec![member("azul-0"), named]);
        directory.head.version = version;
        let document = Document::Directory(directory);
        prop_assert_eq!(Document::parse(&document.text()), Ok(document));
    }

    #[test]
    fn no_text_panics(head in prop::sample::select(vec!["format = \"celosia-policy-1\"\n", "format = \"celosia-directory-1\"\n"]), rest in "\\PC{0,200}") {
        let _ = Document::parse(&format!("{head}{rest}"));
    }
}
