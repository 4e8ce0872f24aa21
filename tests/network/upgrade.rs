//! A network moves from Tessera to Celosia, one member after another, with the same key files and configuration.

use serde_json::Value;

use crate::lacks_tessera;
use crate::member::Maker;
use crate::net::{Net, holds, private_request, request, send};

/// What was sent, and between whom.
struct Sent {
    id: String,
    members: [usize; 2],
    request: Value,
}

#[test]
fn upgrade_one_member_at_a_time() {
    if lacks_tessera() {
        return;
    }
    let mut net = Net::start(&[Maker::Tessera; 3]);
    let mut history = exchange(&net);
    for place in 0..net.members.len() {
        replace(&mut net, place);
        net.meet();
        history.extend(exchange(&net));
        for sent in &history {
            sent.members.iter().for_each(|member| drop(holds(&net.members[*member], &sent.id, &sent.request)));
        }
    }
}

/// Celosia reads no Tessera database: it fetches from the peers what belongs to its keys.
fn replace(net: &mut Net, place: usize) {
    let member = &mut net.members[place];
    member.stop();
    member.maker = Maker::Celosia;
    member.spawn(&["--recover"]);
    let status = member.wait_end();
    assert!(status.success(), "{status}: {}", member.log_tail());
    member.start();
}

/// A standard and a protected payload in every direction.
fn exchange(net: &Net) -> Vec<Sent> {
    let mut history = Vec::new();
    for (from, to) in [(0, 1), (1, 0), (1, 2), (2, 1), (2, 0), (0, 2)] {
        let (sender, recipient) = (&net.members[from], &net.members[to]);
        for request in [request(sender, &[recipient]), private_request(sender, &[recipient], 1, &[])] {
            let id = send(sender, &request);
            holds(recipient, &id, &request);
            history.push(Sent { id, members: [from, to], request });
        }
    }
    history
}
