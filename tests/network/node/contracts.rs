//! What applications do with private contracts.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::chain::Chain;
use super::geth::Geth;
use crate::http::{JSON, Request};
use crate::member::Maker;
use crate::net::id_of;

/// Keeps 42; called without data it returns the number that it keeps, called with 32 bytes it keeps those.
const CREATION: &str = "0x602a6000556017601160003960176000f3";
const RUNTIME: &str = "36600f5760005460005260206000f35b60003560005500";

type Story = (&'static str, fn(&mut Chain));

const STORIES: &[Story] = &[
    ("standard_private", standard_private),
    ("party_protection", party_protection),
    ("mandatory_recipients", mandatory_recipients),
    ("state_validation", state_validation),
    ("unknown_recipient", unknown_recipient),
    ("signed_elsewhere", signed_elsewhere),
    ("marker_transactions", marker_transactions),
    ("many_contracts", many_contracts),
    ("contract_extension", contract_extension),
    ("manager_restarted_during_blocks", manager_restarted_during_blocks),
    ("erased_and_imported_again", erased_and_imported_again),
];

pub(super) fn run(makers: [Maker; 3]) {
    let only = std::env::var("CELOSIA_TEST_ONLY").unwrap_or_default();
    let mut chain = Chain::start(makers);
    let mut failed = Vec::new();
    for (name, story) in STORIES.iter().filter(|(name, _)| name.contains(&only)) {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| story(&mut chain)));
        println!("{} {name} {makers:?}", if result.is_ok() { "passed" } else { "FAILED" });
        if result.is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "{makers:?}: {failed:?} failed");
}

pub(super) fn creation() -> String {
    format!("{CREATION}{RUNTIME}")
}

pub(super) fn word(number: u64) -> String {
    format!("0x{number:064x}")
}

/// A private transaction of one node for others, by the members' keys.
struct Private<'a> {
    chain: &'a Chain,
    flag: u8,
    from: usize,
    mandatory: &'a [usize],
    to: &'a [usize],
}

impl Private<'_> {
    fn keys(&self, places: &[usize]) -> Vec<String> {
        places.iter().map(|place| self.chain.net.members[*place].key().to_owned()).collect()
    }

    fn options(&self) -> Value {
        let mut options = json!({ "privateFor": self.keys(self.to), "privacyFlag": self.flag });
        if !self.mandatory.is_empty() {
            options["mandatoryFor"] = json!(self.keys(self.mandatory));
        }
        options
    }

    fn transaction(&self, to: Option<&str>, data: &str) -> Value {
        let mut transaction = self.options();
        transaction["from"] = json!(self.node().account);
        transaction["data"] = json!(data);
        transaction["gas"] = json!("0x47b760");
        transaction["gasPrice"] = json!("0x0");
        if let Some(to) = to {
            transaction["to"] = json!(to);
        }
        transaction
    }

    fn node(&self) -> &Geth {
        &self.chain.nodes[self.from]
    }

    /// The hash of the transaction.
    #[track_caller]
    fn send(&self, to: Option<&str>, data: &str) -> String {
        let hash = self.node().call("eth_sendTransaction", &json!([self.transaction(to, data)]));
        hash.as_str().expect("a hash").to_owned()
    }

    #[track_caller]
    fn deploy(&self) -> String {
        let hash = self.send(None, &creation());
        self.chain.everyone_has(&hash);
        let receipt = self.chain.receipt(self.from, &hash);
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt["contractAddress"].as_str().expect("an address").to_owned()
    }

    #[track_caller]
    fn set(&self, contract: &str, number: u64) {
        let hash = self.send(Some(contract), &word(number));
        self.chain.everyone_has(&hash);
        assert_eq!(self.chain.receipt(self.from, &hash)["status"], "0x1");
    }
}

impl Chain {
    fn private<'a>(&'a self, from: usize, to: &'a [usize], flag: u8) -> Private<'a> {
        Private { chain: self, flag, from, mandatory: &[], to }
    }

    /// Until every node has the block of that transaction.
    #[track_caller]
    pub(super) fn everyone_has(&self, hash: &str) {
        let deadline = Instant::now() + Duration::from_mins(2);
        let has = |node: &Geth| node.call("eth_getTransactionReceipt", &json!([hash])).is_object();
        while !self.nodes.iter().all(has) {
            assert!(Instant::now() < deadline, "not every node has {hash}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn receipt(&self, node: usize, hash: &str) -> Value {
        self.nodes[node].call("eth_getTransactionReceipt", &json!([hash]))
    }

    /// The number that a contract keeps, as that node sees it; empty if it has no such contract.
    fn number(&self, node: usize, contract: &str) -> String {
        let answer = self.nodes[node].call("eth_call", &json!([{ "to": contract }, "latest"]));
        answer.as_str().expect("bytes").to_owned()
    }

    #[track_caller]
    fn sees(&self, contract: &str, numbers: [Option<u64>; 3]) {
        for (node, number) in numbers.iter().enumerate() {
            let expected = number.map_or_else(|| "0x".to_owned(), word);
            assert_eq!(self.number(node, contract), expected, "at node {node}");
        }
    }
}

fn life_of_a_contract(chain: &Chain, flag: u8, mandatory: &[usize]) {
    let deploy = Private { chain, flag, from: 0, mandatory, to: &[1] };
    let contract = deploy.deploy();
    chain.sees(&contract, [Some(42), Some(42), None]);
    deploy.set(&contract, 5);
    chain.sees(&contract, [Some(5), Some(5), None]);
    let back = Private { chain, flag, from: 1, mandatory, to: &[0] };
    back.set(&contract, 7);
    chain.sees(&contract, [Some(7), Some(7), None]);
}

fn standard_private(chain: &mut Chain) {
    life_of_a_contract(chain, 0, &[]);
    // The payload is there for parties alone.
    let private = chain.private(0, &[1], 0);
    let hash = private.send(None, &creation());
    chain.everyone_has(&hash);
    let id = chain.nodes[2].call("eth_getTransactionByHash", &json!([hash]))["input"].clone();
    let payload = |node: &Geth| node.call("eth_getQuorumPayload", &json!([id])).as_str().expect("bytes").to_owned();
    assert_eq!(chain.nodes.iter().map(payload).collect::<Vec<_>>(), [creation(), creation(), "0x".into()]);
    // A party may leave out the other: their states part.
    let contract = chain.receipt(0, &hash)["contractAddress"].as_str().expect("an address").to_owned();
    chain.private(0, &[], 0).set(&contract, 9);
    chain.sees(&contract, [Some(9), Some(42), None]);
}

fn party_protection(chain: &mut Chain) {
    life_of_a_contract(chain, 1, &[]);
    let contract = chain.private(0, &[1], 1).deploy();
    let stranger = chain.private(2, &[0], 1);
    let transaction = stranger.transaction(Some(&contract), &word(1));
    let refusal = chain.nodes[2].refusal("eth_sendTransaction", &json!([transaction]));
    assert!(refusal.contains("contract not found"), "{refusal}");
}

fn mandatory_recipients(chain: &mut Chain) {
    if !chain.net.members[..2].iter().all(|member| member.speaks("4.0")) {
        return println!("skipped: not every member knows mandatory recipients");
    }
    life_of_a_contract(chain, 2, &[0, 1]);
    let contract = Private { chain, flag: 2, from: 0, mandatory: &[1], to: &[1] }.deploy();
    let wrong = Private { chain, flag: 2, from: 0, mandatory: &[0], to: &[1] };
    let transaction = wrong.transaction(Some(&contract), &word(1));
    let refusal = chain.nodes[0].refusal("eth_sendTransaction", &json!([transaction]));
    assert!(refusal.contains("Privacy metadata mismatched"), "{refusal}");
}

fn state_validation(chain: &mut Chain) {
    life_of_a_contract(chain, 3, &[]);
    let contract = chain.private(0, &[1], 3).deploy();
    let transaction = chain.private(0, &[1, 2], 3).transaction(Some(&contract), &word(1));
    let refusal = chain.nodes[0].refusal("eth_sendTransaction", &json!([transaction]));
    assert!(refusal.contains("Recipients mismatched for Affected Txn"), "{refusal}");
}

fn unknown_recipient(chain: &mut Chain) {
    let mut transaction = chain.private(0, &[], 0).transaction(None, &creation());
    transaction["privateFor"] = json!([crate::keys::KeyPair::random().public]);
    let refusal = chain.nodes[0].refusal("eth_sendTransaction", &json!([transaction]));
    assert!(refusal.contains("Recipient not found for key"), "{refusal}");
}

/// The payload goes to the application surface, the signed hash to the node.
fn signed_elsewhere(chain: &mut Chain) {
    for flag in [0, 1, 3] {
        let private = chain.private(0, &[1], flag);
        let bytes = data_encoding::HEXLOWER.decode(&creation().as_bytes()[2..]).expect("hexadecimal");
        let body = json!({ "payload": data_encoding::BASE64.encode(&bytes) }).to_string();
        let stored = Request::post("/storeraw", JSON, body.as_bytes()).send(&chain.net.members[0].third_party).must(200);
        let id = data_encoding::BASE64.decode(id_of(&stored).as_bytes()).expect("base64");
        let mut transaction = private.transaction(None, &format!("0x{}", data_encoding::HEXLOWER.encode(&id)));
        transaction["nonce"] = chain.nodes[0].call("eth_getTransactionCount", &json!([chain.nodes[0].account, "pending"]));
        let signed = chain.nodes[0].call("eth_signTransaction", &json!([transaction]))["raw"].clone();
        let hash = chain.nodes[0].call("eth_sendRawPrivateTransaction", &json!([signed, private.options()]));
        let hash = hash.as_str().expect("a hash");
        chain.everyone_has(hash);
        let receipt = chain.receipt(0, hash);
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        chain.sees(receipt["contractAddress"].as_str().expect("an address"), [Some(42), Some(42), None]);
    }
}

/// On the chain there is only a public transaction that names the private one.
fn marker_transactions(chain: &mut Chain) {
    let private = chain.private(2, &[1], 0);
    let hash = private.send(None, &creation());
    chain.everyone_has(&hash);
    let marker = chain.nodes[0].call("eth_getTransactionByHash", &json!([hash]));
    assert_eq!(marker["to"], "0x000000000000000000000000000000000000007a", "{marker}");
    let inner = |node: usize| chain.nodes[node].try_call("eth_getPrivateTransactionReceipt", &json!([hash])).unwrap_or_default();
    let receipt = inner(1);
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    assert!(inner(0).is_null());
    let contract = receipt["contractAddress"].as_str().expect("an address").to_owned();
    chain.sees(&contract, [None, Some(42), Some(42)]);
    let hash = private.send(Some(&contract), &word(8));
    chain.everyone_has(&hash);
    chain.sees(&contract, [None, Some(8), Some(8)]);
}

fn many_contracts(chain: &mut Chain) {
    let private = chain.private(0, &[1], 0);
    let hashes: Vec<String> = (0..40).map(|_| private.send(None, &creation())).collect();
    for hash in &hashes {
        chain.everyone_has(hash);
        let contract = chain.receipt(0, hash)["contractAddress"].as_str().expect("an address").to_owned();
        chain.sees(&contract, [Some(42), Some(42), None]);
    }
}

/// The third node becomes a party of a contract that exists.
fn contract_extension(chain: &mut Chain) {
    for flag in [0, 1] {
        extend(chain, flag);
    }
}

fn extend(chain: &Chain, flag: u8) {
    let contract = chain.private(0, &[1], flag).deploy();
    chain.private(0, &[1], flag).set(&contract, 6);
    let invite = chain.private(0, &[2], flag);
    let mut options = invite.options();
    options["from"] = json!(chain.nodes[0].account);
    let recipient = (chain.net.members[2].key(), &chain.nodes[2].account);
    let hash = chain.nodes[0].call("quorumExtension_extendContract", &json!([contract, recipient.0, recipient.1, options]));
    chain.everyone_has(hash.as_str().expect("a hash"));
    let active = || {
        let list = chain.nodes[2].call("quorumExtension_activeExtensionContracts", &json!([]));
        list.as_array().into_iter().flatten().find(|entry| same(&entry["contractExtended"], &contract)).cloned()
    };
    let management = wait_for("the invitation arrives", active)["managementContractAddress"].clone();
    let accept = chain.private(2, &[0], flag);
    let mut options = accept.options();
    options["from"] = json!(chain.nodes[2].account);
    chain.nodes[2].call("quorumExtension_approveExtension", &json!([management, true, options]));
    let arrived = || (chain.number(2, &contract) == word(6)).then_some(());
    wait_for("the state arrives", arrived);
    chain.private(0, &[1, 2], flag).set(&contract, 11);
    chain.sees(&contract, [Some(11), Some(11), Some(11)]);
}

fn same(address: &Value, other: &str) -> bool {
    address.as_str().is_some_and(|address| address.eq_ignore_ascii_case(other))
}

#[track_caller]
fn wait_for<T>(what: &str, probe: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A payload is erased at both parties; then a party's node imports the whole chain once more. It passes over what was erased, as at a
/// node that is no party, executes all the rest, and does not end itself (exit 112).
fn erased_and_imported_again(chain: &mut Chain) {
    let private = chain.private(0, &[1], 0);
    let contract = private.deploy();
    let hash = private.send(Some(&contract), &word(21));
    chain.everyone_has(&hash);
    chain.sees(&contract, [Some(21), Some(21), None]);
    let input = chain.nodes[0].call("eth_getTransactionByHash", &json!([hash]))["input"].as_str().expect("bytes").to_owned();
    let id = data_encoding::HEXLOWER.decode(&input.as_bytes()[2..]).expect("hexadecimal");
    let path =
        format!("/transaction/{}", data_encoding::BASE64.encode(&id).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
    for member in &chain.net.members[..2] {
        assert_eq!(Request::new("DELETE", &path).send(&member.q2t).status, 204);
        assert_eq!(Request::get(&path).send(&member.q2t).status, 404);
    }
    let later = chain.private(0, &[1], 0).deploy();
    chain.private(0, &[1], 0).set(&later, 22);
    let height = chain.nodes[0].height();
    let (others, again) = (chain.nodes[0].enode(), &mut chain.nodes[1]);
    again.begin_again(&chain.net.members[1]);
    again.connect_to(&others);
    again.wait_until("all blocks are imported", |node| node.height() >= height);
    // The node at which nobody imported anything anew still has what it executed: its private state is its own.
    chain.sees(&contract, [Some(21), Some(42), None]);
    chain.sees(&later, [Some(22), Some(22), None]);
    for node in &mut chain.nodes {
        assert!(node.has_ended().is_none(), "a node ended");
    }
}

/// A node gives its manager five seconds before it ends itself.
fn manager_restarted_during_blocks(chain: &mut Chain) {
    if chain.net.members[2].maker == Maker::Tessera {
        return println!("skipped: it starts too slowly for a node to survive");
    }
    let contract = chain.private(0, &[1], 0).deploy();
    let hash = chain.private(0, &[1], 0).send(Some(&contract), &word(12));
    chain.net.members[2].stop();
    let during = chain.private(0, &[1], 0).send(Some(&contract), &word(13));
    std::thread::sleep(Duration::from_secs(1));
    chain.net.members[2].start();
    chain.everyone_has(&hash);
    chain.everyone_has(&during);
    chain.sees(&contract, [Some(13), Some(13), None]);
    for node in &mut chain.nodes {
        assert!(node.has_ended().is_none(), "a node ended");
    }
}
