//! A QBFT chain of three validators, each with its own member.

use std::fs;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::geth::Geth;
use super::rlp;
use crate::member::Maker;
use crate::net::Net;

pub(super) struct Chain {
    // Nodes end before the members that they need.
    pub(super) nodes: Vec<Geth>,
    pub(super) net: Net,
    _folder: TempDir,
}

impl Chain {
    /// The third node hides its private transactions behind marker transactions.
    pub(super) fn start(makers: [Maker; 3]) -> Self {
        Self::over(Net::start(&makers), [&[], &[], &["--privacymarker.enable"]], false)
    }

    /// Every member serves resident groups, the first one two: each of its keys has a private state of its own.
    pub(super) fn with_private_states(makers: [Maker; 3]) -> Self {
        let net = Net::start_with(&makers, |place, member| {
            if place == 0 {
                member.add_inline_key();
            }
            member.config["features"]["enableMultiplePrivateStates"] = json!("true");
            let groups = member.keys.iter().zip(["private", "second"]);
            member.config["residentGroups"] =
                groups.map(|(key, name)| json!({ "name": name, "description": name, "members": [key.public] })).collect();
        });
        Self::over(net, [&[]; 3], true)
    }

    fn over(net: Net, options: [&[&str]; 3], has_private_states: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut nodes: Vec<Geth> = options
            .iter()
            .enumerate()
            .map(|(place, options)| Geth::prepare(&folder.path().join(format!("n{place}")), options))
            .collect();
        let genesis = folder.path().join("genesis.json");
        fs::write(&genesis, first_block(&nodes, has_private_states).to_string()).expect("the first block");
        for (node, member) in nodes.iter_mut().zip(&net.members) {
            node.init(&genesis, member);
            node.start(member);
        }
        let mut chain = Self { nodes, net, _folder: folder };
        chain.connect();
        chain
    }

    fn connect(&mut self) {
        for (place, node) in self.nodes.iter().enumerate() {
            self.nodes.iter().skip(place + 1).for_each(|other| node.add_peer(other));
        }
        self.nodes.iter_mut().for_each(|node| node.wait_until("blocks are made", |node| node.height() >= 2));
    }
}

fn first_block(nodes: &[Geth], has_private_states: bool) -> Value {
    json!({
        "config": {
            "chainId": 10, "isQuorum": true, "isMPS": has_private_states, "txnSizeLimit": 64,
            "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0,
            "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0,
            "privacyEnhancementsBlock": 0, "privacyPrecompileBlock": 0,
            "qbft": {
                "epochlength": 30000, "blockperiodseconds": 1, "requesttimeoutseconds": 4, "policy": 0, "ceil2Nby3Block": 0,
                "validatorcontractaddress": "0x0000000000000000000000000000000000000000",
            },
        },
        "nonce": "0x0", "timestamp": "0x0", "gasLimit": "0xE0000000", "difficulty": "0x1", "alloc": {},
        "mixHash": "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365",
        "coinbase": "0x0000000000000000000000000000000000000000",
        "extraData": format!("0x{}", HEXLOWER.encode(&validators(nodes))),
    })
}

/// Vanity, validators, no vote, no round, no seals.
fn validators(nodes: &[Geth]) -> Vec<u8> {
    let mut accounts: Vec<Vec<u8>> = nodes.iter().map(|node| address(&node.account)).collect();
    accounts.sort();
    let accounts: Vec<Vec<u8>> = accounts.iter().map(|account| rlp::string(account)).collect();
    rlp::list(&[rlp::string(&[0; 32]), rlp::list(&accounts), rlp::list(&[]), rlp::string(&[]), rlp::list(&[])])
}

fn address(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.trim_start_matches("0x").to_lowercase().as_bytes()).expect("an address")
}
