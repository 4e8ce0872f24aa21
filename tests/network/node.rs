//! Real GoQuorum nodes over the members: contracts live and die with what the private transaction manager answers.
//!
//! `CELOSIA_TEST_GETH` names the node's program; `bootnode` has to be beside it.

mod chain;
mod contracts;
mod geth;
mod rlp;
mod states;

use crate::lacks_tessera;
use crate::member::Maker::{self, Celosia, Tessera};

/// True, and a word about it, if there is no node to test with.
fn lacks_node() -> bool {
    let is_missing = geth::program().is_none();
    if is_missing {
        println!("skipped: CELOSIA_TEST_GETH is not set");
    }
    is_missing
}

fn run(makers: [Maker; 3]) {
    contracts::run(makers);
}

#[test]
fn goquorum_over_celosia() {
    if !lacks_node() {
        run([Celosia; 3]);
    }
}

#[test]
fn private_states_over_celosia() {
    if !lacks_node() {
        states::run([Celosia; 3]);
    }
}

/// The control: the same with the original.
#[test]
fn goquorum_over_tessera() {
    if !lacks_node() && !lacks_tessera() {
        run([Tessera; 3]);
    }
}

#[test]
fn goquorum_over_mixed_members() {
    if !lacks_node() && !lacks_tessera() {
        run([Celosia, Tessera, Celosia]);
    }
}
