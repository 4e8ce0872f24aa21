//! Whole networks of real processes, spoken to only over HTTP: what an application or a node sees.
//!
//! The same table of behaviour runs over a network of Celosia, over one of real Tessera, which proves the table, and over
//! mixed ones. `CELOSIA_TEST_TESSERA` is a command line that takes `-configfile FILE`; `CELOSIA_TEST_GETH` the path of a
//! GoQuorum node with `bootnode` beside it. A test whose program is not there says that it is skipped.

#[path = "../support/http.rs"]
mod http;
#[path = "../support/keys.rs"]
mod keys;
#[path = "../support/member.rs"]
mod member;
mod net;
mod node;
#[path = "../support/ports.rs"]
mod ports;
mod suite;
mod upgrade;

use member::Maker::{self, Celosia, Tessera};

/// True, and a word about it, if there is no Tessera to test with.
fn lacks_tessera() -> bool {
    let is_missing = member::tessera().is_none();
    if is_missing {
        println!("skipped: CELOSIA_TEST_TESSERA is not set");
    }
    is_missing
}

/// The table over each of these networks.
fn run(networks: &[[Maker; 4]]) {
    let failed: Vec<String> = networks.iter().flat_map(|makers| suite::run(*makers)).collect();
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn celosia_network() {
    run(&[[Celosia; 4]]);
}

/// The control: the table states what Tessera does.
#[test]
fn tessera_network() {
    if !lacks_tessera() {
        run(&[[Tessera; 4]]);
    }
}

#[test]
fn mixed_network() {
    if !lacks_tessera() {
        run(&[[Celosia, Tessera, Celosia, Tessera], [Tessera, Celosia, Tessera, Celosia]]);
    }
}
