//! Orders that name what a holder does not have.

use crate::documents::{base64, get, putted};
use crate::erasure::{case, erase};
use crate::http::Request;
use crate::keys::random_bytes;
use crate::member::Member;
use crate::net::Net;

fn figure(of: &Member, name: &str) -> u64 {
    let figures = Request::get("/metrics").send(&of.admin).must(200).text();
    let line = figures.lines().find_map(|line| line.strip_prefix(name).filter(|rest| rest.starts_with(' ')));
    line.unwrap_or_else(|| panic!("{name} is missing in\n{figures}")).trim().parse().unwrap()
}

#[test]
fn a_member_orders_no_more_absent_items_than_it_may() {
    let mut net = Net::prepare(&["a", "b"]);
    for member in &mut net.members {
        member.extra = "[erasure]\nnode-cache = \"0s\"\nmax-guards = 2\n".into();
        member.spawn(&[]);
    }
    net.members.iter_mut().for_each(Member::wait);
    net.members[1].stop();
    // On their way to b, and erased before they come there.
    let a = net.at(0);
    let ids: Vec<String> = (0..3).map(|_| putted(a, &random_bytes(100), &[net.at(1)], "eventual")).collect();
    let cases: Vec<String> = ids.iter().map(|id| erase(a, &["--id", &base64(id)])).collect();
    net.members[1].start();
    let (a, b) = (net.at(0), net.at(1));
    let done = |name: &String| case(a, name)["holders"][1]["done"] == 1;
    a.wait_until(|| cases.iter().filter(|name| done(name)).count() == 2, "two orders are taken");
    b.wait_until(|| figure(b, "celosia_erasure_orders_refused_total") > 0, "the third is not refused");
    assert_eq!(figure(b, "celosia_erasure_guards"), 2);
    let refused = cases.iter().find(|name| !done(name)).unwrap();
    a.wait_until(|| case(a, refused)["holders"][1]["error"].is_string(), "the case does not say so");
    // The number outlives the process, and the order of more is tried again.
    net.members[1].kill();
    net.members[1].start();
    let (a, b) = (net.at(0), net.at(1));
    b.wait_until(|| figure(b, "celosia_erasure_orders_refused_total") > 0, "it is not refused again");
    assert_eq!(figure(b, "celosia_erasure_guards"), 2);
    let refused = refused.clone();
    assert_ne!(case(a, &refused)["holders"][1]["done"], 1);
    net.members[1].stop();
    net.members[1].extra = "[erasure]\nnode-cache = \"0s\"\nmax-guards = 3\n".into();
    net.members[1].start();
    let (a, b) = (net.at(0), net.at(1));
    a.wait_until(|| case(a, &refused)["holders"][1]["done"] == 1, "the order is not tried again");
    assert_eq!(figure(b, "celosia_erasure_guards"), 3);
    assert!(ids.iter().all(|id| get(b, id).status == 404));
}
