//! The shipped examples load, and the commented one names every field.

use std::fs;

use celosia::config::{Surface, load_text};

use crate::bench_of_files::{Bench, project};

fn example() -> String {
    fs::read_to_string(project("config/celosia.toml")).unwrap()
}

/// `#field = …` without a space behind `#` is a field; sentences begin with `# `.
fn uncommented(text: &str) -> String {
    let bare = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(bare).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_commented_example_loads() {
    let loaded = load_text("celosia.toml", &example(), &[]).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.config.servers_of(Surface::Node).count(), 1);
    assert_eq!(loaded.config.keys.len(), 1);
}

#[test]
fn its_commented_fields_load_and_show_the_defaults() {
    // With TLS on, the peer address must say so.
    let text = uncommented(&example())
        .replace("http://member1.example", "https://member1.example")
        .replace("http://127.0.0.1:9090", "https://127.0.0.1:9090");
    let full = load_text("celosia.toml", &text, &[]).unwrap().config;
    let plain = load_text("celosia.toml", &example(), &[]).unwrap().config;
    assert!(full.servers.iter().any(|server| server.tls.is_some()) && full.servers.iter().any(|server| server.cors.is_some()));
    assert_eq!((&full.limits, &full.log, full.features), (&plain.limits, &plain.log, plain.features));
    assert_eq!((full.peers.discovery, full.peers.budget), (plain.peers.discovery, plain.peers.budget));
    assert_eq!(full.peers.poll_interval, plain.peers.poll_interval);
}

/// serde names the fields of a table when it meets one that it does not know.
#[test]
fn it_names_every_field_of_every_table() {
    let text = uncommented(&example())
        .replace("http://member1.example", "https://member1.example")
        .replace("http://127.0.0.1:9090", "https://127.0.0.1:9090");
    for table in [
        "",
        "[features]",
        "[peers]",
        "[peers.tls]",
        "[enclave]",
        "[root]",
        "[root.vault]",
        "[root.pkcs11]",
        "[erasure]",
        "[holds]",
        "[limits]",
        "[log]",
        "[governance]",
        "[access]",
        "[[access.certificate]]",
        "[access.oidc]",
        "[[webhook]]",
        "[[server]]",
        "[server.tls]",
        "[server.cors]",
        "[[resident-groups]]",
        "[[keys]]",
    ] {
        let wrong = if table.is_empty() {
            format!("nothing = 1\n{text}")
        } else {
            text.replacen(&format!("\n{table}"), &format!("\n{table}\nnothing = 1"), 1)
        };
        let error = load_text("f", &wrong, &[]).unwrap_err().to_string();
        assert!(error.contains("CEL1004"), "{table}: {error}");
        let names: Vec<&str> = error.split('`').skip(1).step_by(2).skip(1).collect();
        assert!(names.len() > 1, "{table}: {error}");
        for name in names {
            let is_shown = text
                .lines()
                .any(|line| line.starts_with(name) || line.contains(&format!("[{name}]")) || line.contains(&format!(".{name}]")));
            // Inline secrets are told of in a comment, not shown.
            let is_told = example().contains(&format!("`{name}`"));
            assert!(is_shown || is_told, "{table}: {name} is not in config/celosia.toml");
        }
    }
}

#[test]
fn schema_prints_the_example() {
    let said = Bench::new().run(&["config", "schema"]);
    assert_eq!((said.exit, said.out), (0, example()));
}

#[test]
fn the_tessera_example_loads() {
    let text = fs::read_to_string(project("config/tessera.json")).unwrap();
    let loaded = load_text("tessera.json", &text, &[]).unwrap();
    assert_eq!(loaded.config.servers.len(), 3);
}
