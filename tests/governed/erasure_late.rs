//! A holder that is away for a week, and beyond the month of art. 12(3): clocks are moved, nobody waits.

use crate::erasure::{admin, case, celosia, certificate, erase, must, quick, wait_for};
use crate::life::clock;
use crate::net::Net;

/// Everybody who runs goes on at another time.
fn at(net: &mut Net, members: &[usize], by: &str) {
    for member in members {
        let member = &mut net.members[*member];
        member.stop();
        member.variables = clock(by);
        member.start();
    }
}

#[test]
fn a_holder_that_is_away_for_a_week_is_named_is_late_after_a_month_and_ends_its_order_when_it_is_back() {
    let mut net = quick(&["a", "b"]);
    let network = net.governors.network().to_string();
    let (id, kept) = (net.at(0).sent(b"about a person", &[net.at(1)]), net.at(0).sent(b"about nobody", &[net.at(1)]));
    net.members[1].kill();
    let name = erase(net.at(0), &["--id", &id]);
    wait_for(net.at(0), &name, "purged");
    let holder = |net: &Net| case(net.at(0), &name)["holders"][1].clone();
    net.at(0).wait_until(|| holder(&net)["error"].is_string(), "nobody asked b");

    at(&mut net, &[0], "+7d");
    let before = holder(&net)["attempts"].as_u64();
    let a = net.at(0);
    a.wait_until(|| holder(&net)["attempts"].as_u64() > before, "b is not asked again after a week");
    let file = certificate(a, &name, &a.folder.join("certificate"));
    let said = must(&["certificate", "verify", "--network", &network, &file]);
    assert!(said.contains("1 x no answer") && said.contains("NOT complete yet"), "{said}");
    let shown = must(&["erase", "show", "--admin", &admin(a), &name]);
    assert!(shown.contains("b (celosia): 1 item(s), no level yet, heard never  last asked in vain"), "{shown}");
    let due = || case(a, &name)["due"].as_u64().unwrap();
    let requested = case(a, &name)["requested"].as_u64().unwrap();
    assert!((28..=31).contains(&((due() - requested) / 86_400_000)), "a month");

    // The clock of whoever asks decides what is late: a timer beside the node, in its time.
    let overdue = |by: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_celosia"));
        let output = command.args(["overdue", "--admin", &admin(net.at(0))]).envs(clock(by)).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(overdue("+7d"), (Some(0), String::new()), "the month is not over");
    let (exit, late) = overdue("+40d");
    assert!(exit == Some(1) && late.contains(&name) && late.contains("no answer from b"), "{exit:?} {late}");

    // It comes back, a week later by its own clock, too.
    net.members[1].variables = clock("+7d");
    net.members[1].start();
    let (a, b) = (net.at(0), net.at(1));
    b.wait_until(|| b.receive(&id).is_none(), "b did not get its order");
    a.wait_until(|| holder(&net)["level"].as_u64() >= Some(2), "b's receipt did not come");
    for member in [a, b] {
        must(&["root", "rotate", "--admin", &admin(member)]);
    }
    wait_for(a, &name, "certified");
    let file = certificate(a, &name, &a.folder.join("certificate"));
    let said = must(&["certificate", "verify", "--network", &network, &file]);
    assert!(said.contains("complete: every holder"), "{said}");
    assert_eq!(b.receive(&kept).as_deref(), Some(&b"about nobody"[..]));
    let (good, none) = celosia(&["overdue", "--admin", &admin(a)]);
    assert!(good && none.is_empty(), "{none}");
}
