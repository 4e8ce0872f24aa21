//! `celosia demo` and `celosia health` as a stranger runs them. The demo checks each of its steps itself and fails if one is not so.

use std::process::{Command, Output};

#[test]
fn the_demo_keeps_its_word() {
    let output = celosia(&["demo"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let (before, after) = told.split_once("B erases it").unwrap();
    for line in ["   A  200", "   B  200", "   C  404"] {
        assert!(before.contains(line), "{line:?} is missing before the erasure:\n{told}");
    }
    assert!(after.contains("   A  200") && !after.contains("   B  200"), "after the erasure:\n{told}");
    let folder = told.lines().find_map(|line| line.strip_prefix("A ")?.split_whitespace().last()).unwrap();
    assert!(!std::path::Path::new(folder).exists(), "{folder} is left behind");
}

/// The program checks each step of it; here, that nothing of it was left out, and that what it prints to be run holds.
#[test]
fn the_demo_shows_lawful_sight_and_what_it_leaves_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let output = celosia(&["demo", "--lawful", "--keep", folder.path().to_str().unwrap()]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let order = [
        "complete: ",
        "CEL7132",
        "NOT seen: there is no record of it",
        "1 share(s) for view 1",
        "1 payload(s) opened and verified, 0 not opened",
        "Offer 17",
        "approved: Ben Bloch",
        "viewed",
        "erased since",
    ];
    let mut rest = told.as_str();
    for part in order {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part:?} is missing, or out of order:\n{told}")).1;
    }
    // Those of them that need no node.
    let commands = rest.lines().filter_map(|line| line.strip_prefix("   celosia ")).filter(|line| !line.contains("--admin"));
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands.len(), 4, "{rest}");
    for command in commands {
        let mut celosia = Command::new(env!("CARGO_BIN_EXE_celosia"));
        let output = celosia.current_dir(folder.path()).args(command.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_demo_runs_a_private_contract_on_goquorum() {
    let Some(geth) = std::env::var("CELOSIA_TEST_GETH").ok().filter(|path| !path.is_empty()) else {
        println!("skipped: CELOSIA_TEST_GETH is not set");
        return;
    };
    let output = celosia(&["demo", "--geth", &geth]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(told.matches("in the contract: 42").count(), 2, "{told}");
    assert_eq!(told.matches("in the contract: no such contract").count(), 1, "{told}");
}

#[test]
fn health_of_nobody_is_1_with_a_reason() {
    let output = celosia(&["health", "--admin", "unix:/nowhere/admin.ipc"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no answer from unix:/nowhere/admin.ipc"));
}

fn celosia(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_celosia")).args(arguments).output().unwrap()
}
