//! Orders to stop and lifts that a member hears of late.

use celosia::governance::{Role, Scope, State, Supervision};
use celosia::services::native_path as path;
use celosia::supervision::{StopNumber, StopOrder, StopScope};

use crate::net::Net;
use crate::outsider::{Outsider, now, rows};
use crate::supervision::{active, lift, lifted, not_taken, order, refused, scope, signed, supervised};

/// While a member was away an order was lifted by a supervisor that has lost its scope since. The one of today lifts it again.
#[test]
fn a_lift_by_a_supervisor_of_before_is_given_again_by_one_of_today() {
    let two = Scope { supervisors: vec!["x".parse().unwrap(), "cnmv".parse().unwrap()], ..scope(Supervision::S0, &[], "x") };
    let mut net = supervised(&["a", "x", "cnmv"], vec![two]);
    let note = net.governors.change("x", |member| member.roles.push(Role::Supervisor));
    net.members[0].start();
    net.members[2].start();
    assert!(net.at(0).publish(&note).status < 300 && net.at(2).publish(&note).status < 300);
    let all = order(net.governors.network(), "cnmv", StopScope::All);
    let cnmv = net.at(2).signing();
    let tell = |net: &Net, to: usize, bytes: Vec<u8>| {
        Outsider::of(net, net.at(1)).call_bytes(net.at(to), path::SUPERVISION_TELL, bytes).unwrap();
    };
    for member in [0, 2] {
        tell(&net, member, signed(all.clone(), &cnmv));
    }
    net.members[0].kill();
    let by_x = lifted(&all, "x", &net.at(1).signing());
    tell(&net, 2, by_x);
    let note = net.governors.policy(|policy| policy.scopes = vec![scope(Supervision::S0, &[], "cnmv")]);
    assert!(net.at(2).publish(&note).status < 300);
    net.members[0].give(net.governors.network(), &net.governors.notes);
    net.members[0].start();
    let (a, cnmv) = (net.at(0), net.at(2));
    a.wait_until(|| rows(a, "CEL7203") > 0, "the lift of before is not heard");
    refused(&a.send(b"still", &[cnmv], None));
    let number = all.number.to_string();
    let (good, said) = lift(cnmv, &number);
    assert!(good, "{said}");
    assert_eq!(active(a), 0);
    let (good, said) = lift(cnmv, &number);
    assert!(!good && said.contains("CEL7207"), "{said}");
}

/// Orders and lifts of a supervisor that lost its scope while a member was away.
#[test]
fn what_was_ordered_in_its_time_is_heard_late_and_what_is_its_own_is_lifted_for_ever() {
    let mut net = supervised(&["a", "b", "cnmv"], vec![scope(Supervision::S0, &[], "cnmv")]);
    net.members[0].start();
    let network = net.governors.network();
    let numbered = |number: u8, issued: u64| {
        let order = order(network, "cnmv", StopScope::All);
        StopOrder { number: StopNumber([number; 16]), issued, ..order }
    };
    let (known, missed, made_up) = (numbered(1, now()), numbered(2, now()), numbered(3, now() - 86_400_000_000));
    let tell = |net: &Net, from: usize, bytes: Vec<u8>| {
        Outsider::of(net, net.at(from)).call_bytes(net.at(0), path::SUPERVISION_TELL, bytes)
    };
    tell(&net, 1, signed(known.clone(), &net.at(2).signing())).unwrap();
    let note = net.governors.policy(|policy| policy.scopes.clear());
    assert!(net.at(0).publish(&note).status < 300);
    not_taken(tell(&net, 2, signed(missed.clone(), &net.at(2).signing())));
    not_taken(tell(&net, 1, signed(made_up, &net.at(2).signing())));
    tell(&net, 1, signed(missed.clone(), &net.at(2).signing())).unwrap();
    assert_eq!(active(net.at(0)), 2);
    let note = net.governors.change("cnmv", |member| member.state = State::Expelled);
    assert!(net.at(0).publish(&note).status < 300);
    not_taken(tell(&net, 1, signed(numbered(4, now()), &net.at(2).signing())));
    for order in [known, missed] {
        tell(&net, 1, lifted(&order, "cnmv", &net.at(2).signing())).unwrap();
    }
    assert_eq!(active(net.at(0)), 0);
}
