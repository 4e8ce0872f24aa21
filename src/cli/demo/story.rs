//! The steps of the demo. Each does what it says through the same surfaces that a node and an operator use, and fails if it is not so.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use data_encoding::BASE64;
use hyper::StatusCode;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::json;

use super::contract;
use super::disk::Disk;
use super::node::Node;
use crate::cli::http::{Answer, Place};
use crate::cli::network::{Member, Network};
use crate::types::PayloadId;

/// What A sends.
pub(super) const PLAINTEXT: &str = "Offer 17: 1,250,000 EUR, valid until Friday.";
/// What a path segment escapes, as GoQuorum does.
const SEGMENT: &AsciiSet = &CONTROLS.add(b'/').add(b'+').add(b'=');

/// Tells the story; with `geth`, the nodes that now run over the members.
pub(super) async fn tell(network: &mut Network, geth: Option<&Path>) -> anyhow::Result<Vec<Node>> {
    introduce(network);
    let id = send(1, network).await?;
    read_everywhere(2, network, &id, |member| member < 2).await?;
    show_disks(network, &id)?;
    erase(network, &id).await?;
    let Some(geth) = geth else {
        invite(5, network, &id);
        return Ok(Vec::new());
    };
    heading(5, "GoQuorum on each member, and a private contract");
    let nodes = contract::show(geth, network).await?;
    invite(6, network, &id);
    Ok(nodes)
}

/// Who is there.
pub(super) fn introduce(network: &Network) {
    say!("\nmember  public key                                    process  folder");
    for member in &network.members {
        let pid = member.pid().map(|pid| pid.to_string()).unwrap_or_default();
        say!("{:6}  {}  {pid:7}  {}", member.name, member.address, member.folder.display());
    }
}

/// A to B; on the way the members get to know each other.
pub(super) async fn send(step: usize, network: &Network) -> anyhow::Result<PayloadId> {
    let (a, b) = (&network.members[0], &network.members[1]);
    let body = json!({ "payload": BASE64.encode(PLAINTEXT.as_bytes()), "from": a.address, "to": [b.address] });
    heading(step, "A sends to B, through A's node socket");
    say!("   payload  {PLAINTEXT:?}");
    let mut answer = node(a).call("POST", "/send", Some(&body)).await?;
    for _ in 0..100 {
        if answer.status.is_success() {
            break;
        }
        // The keys are announced in the first moments.
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = node(a).call("POST", "/send", Some(&body)).await?;
    }
    let status = answer.status;
    let id: PayloadId = answer.json()?["key"].as_str().context("an answer without a key")?.parse()?;
    say!("   POST /send  {}", status.as_u16());
    say!("   id       {id}");
    say!("            The ledger holds this id and nothing else; A answered when it lay durably at A and at B.");
    Ok(id)
}

/// Asks every member; `may_read` says who must get the payload. All others must get 404.
pub(super) async fn read_everywhere(
    step: usize,
    network: &Network,
    id: &PayloadId,
    may_read: impl Fn(usize) -> bool,
) -> anyhow::Result<()> {
    heading(step, "Who can read it: GET /transaction/{id} on each node socket");
    for (n, member) in network.members.iter().enumerate() {
        expect(&read(member, id).await?, member, may_read(n))?;
    }
    Ok(())
}

fn show_disks(network: &Network, id: &PayloadId) -> anyhow::Result<()> {
    heading(3, "What lies on the disks");
    let mut example = None;
    for member in &network.members {
        let disk = Disk::read(&member.folder)?;
        let (files, bytes) = disk.size();
        let plaintext = disk.find_plaintext(PLAINTEXT.as_bytes());
        ensure!(plaintext.is_none(), "the plaintext lies on the disk of {}", member.name);
        let ciphertext = disk.find_ciphertext(id, PLAINTEXT.len());
        let found =
            ciphertext.as_ref().map_or("nowhere".to_owned(), |spot| format!("{} at {}", spot.file.display(), spot.offset));
        say!("   {}  {files:3} files, {bytes:7} bytes   plaintext: nowhere   ciphertext: {found}", member.name);
        example = example.or(ciphertext.map(|spot| (member.name.clone(), spot)));
    }
    if let Some((name, spot)) = example {
        say!(
            "   The ciphertext at {name}; its SHA3-512 is the id. The key to it lies sealed under the key tree, never in the clear."
        );
        say_part!("{}", spot.dump());
    }
    Ok(())
}

/// B erases, and is asked again: at once, after a restart, and after A has offered it anew.
async fn erase(network: &mut Network, id: &PayloadId) -> anyhow::Result<()> {
    heading(4, "B erases it: DELETE /transaction/{id}");
    let answer = node(&network.members[1]).call("DELETE", &path(id), None).await?;
    say!("   B  {}", answer.status.as_u16());
    ensure!(answer.status == StatusCode::NO_CONTENT, "the erasure failed: {}", answer.text());
    expect(&read(&network.members[1], id).await?, &network.members[1], false)?;
    say!("   B stops and starts again.");
    network.members[1].stop();
    network.members[1].start()?;
    network.members[1].wait()?;
    expect(&read(&network.members[1], id).await?, &network.members[1], false)?;
    let again = offer_again(network, id).await?;
    say!("   A's copy is offered to B once more: POST /push  {again}");
    expect(&read(&network.members[1], id).await?, &network.members[1], false)?;
    say!("   A still has its own:");
    expect(&read(&network.members[0], id).await?, &network.members[0], true)?;
    let left = Disk::read(&network.members[1].folder)?.find_ciphertext(id, PLAINTEXT.len());
    let left = left.map_or("is gone".to_owned(), |spot| format!("still lies in {}", spot.file.display()));
    say!("   On B's disk the ciphertext {left}; its key has been destroyed: copies of the store, backups too, stay shut.");
    say!("   (A copy of the key folder from before would open it: keep that folder out of backups.)");
    Ok(())
}

/// Takes the payload from A's peer surface, as B may, and pushes it to B. The status.
async fn offer_again(network: &Network, id: &PayloadId) -> anyhow::Result<u16> {
    let (a, b) = (&network.members[0], &network.members[1]);
    let ask = json!({ "type": "INDIVIDUAL", "publicKey": b.address, "key": id });
    let from: Place = a.peer.parse().map_err(anyhow::Error::msg)?;
    let to: Place = b.peer.parse().map_err(anyhow::Error::msg)?;
    let resent = from.call("POST", "/resend", Some(&ask)).await?;
    ensure!(resent.status.is_success(), "A does not resend: {}", resent.text());
    Ok(to.push(resent.body).await?.status.as_u16())
}

fn invite(step: usize, network: &Network, id: &PayloadId) {
    let [a, b, c] = [0, 1, 2].map(|n| &network.members[n]);
    let body = format!(r#"{{"payload":"{}","to":["{}"]}}"#, BASE64.encode(b"hello"), b.address);
    heading(step, "Try it (while the members run: --stay)");
    say!("   curl --unix-socket {} http://c/version/api", a.node_socket.display());
    say!("   curl --unix-socket {} -H 'Content-Type: application/json' -d '{body}' http://c/send", a.node_socket.display());
    say!("   curl --unix-socket {} http://c{}", a.node_socket.display(), path(id));
    say!("   curl --unix-socket {} http://c{}", c.node_socket.display(), path(id));
    say!("   curl --unix-socket {} -X DELETE http://c{}", a.node_socket.display(), path(id));
    say!("   curl {}/keys; curl {}/partyinfo/keys", a.application, a.application);
    say!("   curl {}/metrics", a.admin);
    say!("   celosia status --admin {}", a.admin);
}

fn expect(answer: &Answer, member: &Member, may_read: bool) -> anyhow::Result<()> {
    let status = answer.status.as_u16();
    if may_read {
        let payload = answer.json()?["payload"].as_str().context("an answer without a payload")?.to_owned();
        ensure!(crate::types::base64(payload.as_bytes())? == PLAINTEXT.as_bytes(), "{} got another payload", member.name);
        say!("   {}  {status}  {PLAINTEXT:?}", member.name);
    } else {
        ensure!(answer.status == StatusCode::NOT_FOUND, "{} must get 404, got {status}: {}", member.name, answer.text());
        say!("   {}  {status}  {}", member.name, shortened(&answer.text()));
    }
    Ok(())
}

/// Asks a member for a payload, as a node does.
pub(super) async fn read(member: &Member, id: &PayloadId) -> anyhow::Result<Answer> {
    node(member).get(&path(id)).await
}

fn node(member: &Member) -> Place {
    Place::Socket(member.node_socket.clone())
}

fn path(id: &PayloadId) -> String {
    format!("/transaction/{}", utf8_percent_encode(&id.to_string(), SEGMENT))
}

/// An id in a message, by its first characters.
fn shortened(text: &str) -> String {
    let short = |word: &str| if word.len() > 60 { format!("{}…", &word[..8]) } else { word.to_owned() };
    text.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// Begins a step.
pub(super) fn heading(step: usize, text: &str) {
    say!("\n{step}. {text}");
}
