//! A QBFT chain over the members, and a private contract of two of them.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::{Value, json};

use super::node::Node;
use crate::cli::network::Network;

/// Keeps 42; called without data it returns its number, called with 32 bytes it keeps those.
const CREATION: &str = "0x602a6000556017601160003960176000f336600f5760005460005260206000f35b60003560005500";

/// Starts a node on each member, deploys from A for B, and asks every node. The nodes, which end when they are dropped.
pub(super) async fn show(geth: &Path, network: &Network) -> anyhow::Result<Vec<Node>> {
    let mut nodes = start(geth, network).await?;
    let b = network.members[1].address;
    let transaction = json!({
        "from": nodes[0].account, "data": CREATION, "gas": "0x47b760", "gasPrice": "0x0", "privateFor": [b],
    });
    let hash = nodes[0].call("eth_sendTransaction", json!([transaction])).await?;
    say!("   A deploys a contract that keeps 42, privateFor B. Transaction {}", hash.as_str().unwrap_or_default());
    for node in &mut nodes {
        node.wait_for("the block", "eth_getTransactionReceipt", json!([hash]), Value::is_object).await?;
    }
    let receipt = nodes[0].call("eth_getTransactionReceipt", json!([hash])).await?;
    let contract = receipt["contractAddress"].as_str().context("a receipt without a contract")?.to_owned();
    for (n, (node, member)) in nodes.iter().zip(&network.members).enumerate() {
        let ledger = node.call("eth_getTransactionByHash", json!([hash])).await?;
        let input = ledger["input"].as_str().unwrap_or_default().to_owned();
        ensure!(input.len() == 2 + 128, "the ledger holds something else than an id: {input}");
        let kept = node.call("eth_call", json!([{ "to": contract }, "latest"])).await?;
        let kept = kept.as_str().and_then(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16).ok());
        ensure!(kept == (n < 2).then_some(42), "{} sees {kept:?}", member.name);
        let kept = kept.map_or("no such contract".to_owned(), |number| number.to_string());
        say!("   {}  on the ledger {}…   in the contract: {kept}", member.name, &input[..18]);
    }
    say!("   JSON-RPC of the nodes: {}", nodes.iter().map(Node::url).collect::<Vec<_>>().join("  "));
    Ok(nodes)
}

async fn start(geth: &Path, network: &Network) -> anyhow::Result<Vec<Node>> {
    let mut nodes = Vec::new();
    for member in &network.members {
        nodes.push(Node::prepare(geth, &member.folder.join("node"))?);
    }
    let genesis = network.path().join("genesis.json");
    fs::write(&genesis, first_block(&nodes)?.to_string())?;
    for (node, member) in nodes.iter_mut().zip(&network.members) {
        node.start(&genesis, member).await?;
    }
    for (n, node) in nodes.iter().enumerate() {
        for other in &nodes[n + 1..] {
            node.meet(other).await?;
        }
    }
    for node in &mut nodes {
        let two = |height: &Value| height.as_str().is_some_and(|height| height.len() > 3 || height > "0x1");
        node.wait_for("the second block", "eth_blockNumber", json!([]), two).await?;
    }
    Ok(nodes)
}

fn first_block(nodes: &[Node]) -> anyhow::Result<Value> {
    Ok(json!({
        "config": {
            "chainId": 10, "isQuorum": true, "txnSizeLimit": 64,
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
        "extraData": format!("0x{}", HEXLOWER_PERMISSIVE.encode(&validators(nodes)?)),
    }))
}

/// QBFT's extra data: vanity, validators in order, no vote, round 0, no seals.
fn validators(nodes: &[Node]) -> anyhow::Result<Vec<u8>> {
    let account = |node: &Node| HEXLOWER_PERMISSIVE.decode(node.account.trim_start_matches("0x").as_bytes());
    let mut accounts = nodes.iter().map(account).collect::<Result<Vec<_>, _>>()?;
    accounts.sort();
    let accounts: Vec<Vec<u8>> = accounts.iter().map(|account| rlp(0x80, account)).collect();
    let parts = [rlp(0x80, &[0; 32]), rlp(0xc0, &accounts.concat()), rlp(0xc0, &[]), rlp(0x80, &[]), rlp(0xc0, &[])];
    Ok(rlp(0xc0, &parts.concat()))
}

/// RLP (Ethereum yellow paper, appendix B) of a string of at least two bytes or none (`0x80`), or of a list's joined items (`0xc0`).
fn rlp(base: u8, bytes: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = bytes.len().to_be_bytes().into_iter().skip_while(|digit| *digit == 0).collect();
    let mut out = match (bytes.len(), digits.as_slice()) {
        (0, _) => vec![base],
        (..56, [length]) => vec![base + length],
        (_, digits) => {
            // A length has at most eight digits.
            let mut head = vec![base + 55 + u8::try_from(digits.len()).unwrap_or(8)];
            head.extend_from_slice(digits);
            head
        }
    };
    out.extend_from_slice(bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rlp_has_short_and_long_forms() {
        assert_eq!(rlp(0x80, &[]), [0x80]);
        assert_eq!(rlp(0x80, b"dog"), b"\x83dog");
        assert_eq!(rlp(0xc0, &[rlp(0x80, b"cat"), rlp(0x80, b"dog")].concat()), b"\xc8\x83cat\x83dog");
        assert_eq!(rlp(0x80, &[7; 56])[..2], [0xb8, 56]);
        assert_eq!(rlp(0xc0, &[7; 1024])[..3], [0xf9, 4, 0]);
    }
}
