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

/// 64 clients want 8 places: the application surface says 503 and when to come again, memory stays within its bound, nothing breaks.
#[test]
fn overload_is_refused_with_retry_after_and_memory_stays_bounded() {
    let folder = tempdir().expect("a folder");
    let ports = ports(2);
    let place = Place { advertised: ports[0], bound: ports[0], application: ports[1] };
    let mut member = Member::prepare(folder.path(), &place, &[], "[limits]\nqueue = 8\n");
    member.start();
    let body = serde_json::json!({ "payload": BASE64.encode(&payload(1, 1 << 20)) }).to_string();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| {
                    (0..8)
                        .filter_map(|_| http::tcp(&member.application, "POST", "/storeraw", "application/json", body.as_bytes()))
                        .map(|answer| {
                            let retry = answer.head.to_lowercase().contains("retry-after:");
                            assert_eq!(answer.status == 503, retry, "{}", answer.head);
                            answer.status
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    });
    let count = |status| statuses.iter().filter(|seen| **seen == status).count();
    assert_eq!(count(200) + count(503), statuses.len(), "{statuses:?}");
    assert!(count(200) > 0, "nobody was served");
    assert!(count(503) > 0, "nobody was refused: this proves nothing");
    let resident = resident_kib(member.pid());
    assert!(resident < 200 * 1024, "{resident} KiB after an overload");
    assert_eq!(member.call("GET", "/upcheck", b"").expect("it answers").status, 200);
    assert_eq!(member.stop(), Some(0), "{}", member.log());
}
