//! Tessera configurations as they are found in the field: each is taken, says the same warnings, and converts to the same TOML.

use std::fs;

use celosia::config::{Format, load_text};

use crate::bench_of_files::{Bench, golden, project};

const FILES: [&str; 8] =
    ["acceptance", "minimal", "separate-enclave", "seven-nodes", "single-elements", "tls", "version-0.6", "version-0.8"];

fn text_of(name: &str) -> String {
    fs::read_to_string(project(&format!("tests/config/tessera/{name}.json"))).unwrap()
}

#[test]
fn every_file_is_listed() {
    let count = fs::read_dir(project("tests/config/tessera")).unwrap().count();
    assert_eq!(count, FILES.len());
}

#[test]
fn each_is_taken_by_the_binary() {
    let bench = Bench::new();
    for name in FILES {
        let file = format!("{name}.json");
        bench.write(&file, &text_of(name));
        let said = bench.run(&["config", "check", &file]);
        assert_eq!(said.exit, 0, "{name}: {said:?}");
        assert!(said.out.starts_with(&format!("{file}: a Tessera configuration that can be run (")), "{name}: {said:?}");
        golden(&format!("tests/config/golden/{name}.warnings"), &said.err);
    }
}

#[test]
fn each_converts_to_an_equal_configuration() {
    let bench = Bench::new();
    for name in FILES {
        let file = format!("{name}.json");
        bench.write(&file, &text_of(name));
        let said = bench.run(&["config", "convert", "--with-secrets", &file]);
        assert_eq!(said.exit, 0, "{name}: {said:?}");
        golden(&format!("tests/config/golden/{name}.toml"), &said.out);
        if name != "acceptance" && name != "version-0.6" {
            // The two others depend on the home directory and on a file beside them.
            let first = load_text(&file, &text_of(name), &[]).unwrap();
            let second = load_text("converted.toml", &said.out, &[]).unwrap();
            assert_eq!(first.format, Format::Tessera);
            assert_eq!(second.format, Format::Celosia);
            assert_eq!(first.config, second.config, "{name}");
        }
        bench.write("converted.toml", &said.out);
        let again = bench.run(&["config", "convert", "--with-secrets", "converted.toml"]);
        assert_eq!((again.exit, &again.out), (0, &said.out), "{name}: {}", again.err);
    }
}

#[test]
fn secrets_are_printed_only_when_asked_for() {
    let bench = Bench::new();
    let secrets = [("seven-nodes", "Wl+xSyXV"), ("single-elements", "nDFwJNHS"), ("version-0.6", "hush")];
    for (name, secret) in secrets {
        let file = format!("{name}.json");
        bench.write(&file, &text_of(name));
        let said = bench.run(&["config", "convert", &file]);
        assert_eq!((said.exit, said.out.as_str()), (2, ""), "{name}");
        assert!(said.err.contains("--with-secrets") && !said.err.contains(secret), "{name}: {}", said.err);
        let config = load_text(&file, &text_of(name), &[]).map(|loaded| loaded.config);
        assert!(!format!("{config:?}").contains(secret), "{name}");
    }
}
