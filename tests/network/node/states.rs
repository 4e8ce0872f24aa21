//! Several private states on one node: tenants that do not see each other's contracts.

use serde_json::{Value, json};

use super::chain::Chain;
use super::contracts::{creation, word};
use crate::http::{JSON, Request};
use crate::member::Maker;
use crate::net::texts;

pub(super) fn run(makers: [Maker; 3]) {
    let chain = Chain::with_private_states(makers);
    groups_are_listed(&chain);
    let keys: Vec<String> = chain.net.members[0].keys.iter().map(|key| key.public.clone()).collect();
    // From the second tenant to another node: its neighbour sees nothing.
    let contract = deploy(&chain, "second", &keys[1], &[chain.net.members[1].key()]);
    assert_eq!(number(&chain, 0, "second", &contract), word(42));
    assert_eq!(number(&chain, 0, "private", &contract), "0x");
    assert_eq!(number(&chain, 1, "private", &contract), word(42));
    assert_eq!(number(&chain, 2, "private", &contract), "0x");
    // From one tenant to its neighbour on the same node.
    let contract = deploy(&chain, "private", &keys[0], &[&keys[1]]);
    assert_eq!(number(&chain, 0, "second", &contract), word(42));
    assert_eq!(number(&chain, 0, "private", &contract), word(42));
    assert_eq!(number(&chain, 1, "private", &contract), "0x");
}

fn groups_are_listed(chain: &Chain) {
    for member in &chain.net.members {
        let answer = Request::get("/groups/resident").header("Accept", JSON).send(&member.q2t).must(200).json();
        let groups = answer.as_array().expect("a list");
        assert_eq!(groups.len(), member.keys.len());
        for (key, name) in member.keys.iter().zip(["private", "second"]) {
            let group = groups.iter().find(|group| group["name"] == name).expect("the group");
            assert_eq!(group["type"], "RESIDENT");
            assert_eq!(group["privacyGroupId"], data_encoding::BASE64.encode(name.as_bytes()));
            assert_eq!(texts(&group["members"]), [key.public.as_str()]);
        }
    }
}

fn deploy(chain: &Chain, state: &str, from: &str, to: &[&str]) -> String {
    let node = &chain.nodes[0];
    let transaction = json!([{
        "from": node.account, "data": creation(), "gas": "0x47b760", "gasPrice": "0x0", "privateFrom": from, "privateFor": to,
    }]);
    let hash = node.call_in(state, "eth_sendTransaction", &transaction);
    let hash = hash.as_str().expect("a hash");
    chain.everyone_has(hash);
    let receipt: Value = node.call_in(state, "eth_getTransactionReceipt", &json!([hash]));
    receipt["contractAddress"].as_str().expect("an address").to_owned()
}

fn number(chain: &Chain, node: usize, state: &str, contract: &str) -> String {
    let answer = chain.nodes[node].call_in(state, "eth_call", &json!([{ "to": contract }, "latest"]));
    answer.as_str().expect("bytes").to_owned()
}
