use std::fs;

use data_encoding::BASE64;
use tempfile::tempdir;

use crate::http;
use crate::member::{Member, Place, payload, ports};

fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

/// 160 clients want the application surface's 64 places and 8 in the queue: it says 503 and when to come again, memory stays within its
/// bound, nothing breaks.
#[test]
fn overload_is_refused_with_retry_after_and_memory_stays_bounded() {
    let folder = tempdir().expect("a folder");
    let ports = ports(2);
    let place = Place { advertised: ports[0], bound: ports[0], application: ports[1] };
    let mut member = Member::prepare(folder.path(), &place, &[], "[limits]\nqueue = 8\n");
    member.start();
    // A large body that is refused unread may cost its caller the answer: the connection is reset under it.
    let large = storm(&member, 1 << 20, 3);
    assert!(large.iter().all(|status| [200, 503].contains(status)), "{large:?}");
    assert!(large.contains(&200), "nobody was served");
    let small = storm(&member, 16 << 10, 20);
    assert!(small.iter().all(|status| [200, 503].contains(status)), "{small:?}");
    assert!(small.contains(&200), "nobody was served");
    assert!(small.contains(&503), "nobody was refused: this proves nothing");
    let after_one = resident_kib(member.pid());
    storm(&member, 1 << 20, 3);
    let after_two = resident_kib(member.pid());
    assert!(after_two < 200 * 1024, "{after_two} KiB after an overload");
    assert!(after_two < after_one * 2, "{after_one} KiB after the first storm, {after_two} KiB after the second");
    assert_eq!(member.call("GET", "/upcheck", b"").expect("it answers").status, 200);
    assert_eq!(member.stop(), Some(0), "{}", member.log());
}

/// The statuses that 160 clients get for as many payloads each as there are rounds.
fn storm(member: &Member, size: usize, rounds: usize) -> Vec<u16> {
    let body = serde_json::json!({ "payload": BASE64.encode(&payload(1, size)) }).to_string();
    let call = || http::tcp(&member.application, "POST", "/storeraw", "application/json", body.as_bytes());
    let client = || {
        let answers = (0..rounds).filter_map(|_| call());
        answers
            .map(|answer| {
                let retry = answer.head.to_lowercase().contains("retry-after:");
                assert_eq!(answer.status == 503, retry, "{}", answer.head);
                answer.status
            })
            .collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..160).map(|_| scope.spawn(client)).collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    })
}
