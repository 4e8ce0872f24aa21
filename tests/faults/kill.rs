use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tempfile::tempdir;

use crate::http::{self, JSON};
use crate::member::{Member, network, payload};

/// An acknowledged send: who sent it, who received it, the payload's seed, the id.
struct Acked {
    from: usize,
    to: usize,
    seed: u64,
    id: String,
}

/// Kills of one run: 200, or as many as `CELOSIA_TEST_KILLS` says.
fn kills() -> u64 {
    std::env::var("CELOSIA_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}

#[test]
fn every_acknowledged_payload_survives_kill_9_on_both_sides() {
    let folder = tempdir().expect("a folder");
    let mut members = network(folder.path(), 3);
    members.iter_mut().for_each(Member::start);
    for member in &members {
        let others: Vec<&str> = members.iter().map(|other| other.key.as_str()).collect();
        member.meet(&others);
    }
    let acked = load_while(&mut members, |members| {
        let mut dice = payload(4711, usize::try_from(kills()).expect("small") * 2).into_iter();
        for _ in 0..kills() {
            let victim = usize::from(dice.next().expect("enough")) % members.len();
            members[victim].kill();
            // Some are down only for an instant, some long enough that sends to them fail.
            std::thread::sleep(std::time::Duration::from_millis(u64::from(dice.next().expect("enough")) / 4));
            members[victim].start();
        }
    });
    assert!(acked.len() > 100, "only {} sends were acknowledged: this proves nothing", acked.len());
    for Acked { from, to, seed, id } in &acked {
        let expected = payload(*seed, length(*seed));
        for holder in [from, to] {
            assert_eq!(members[*holder].receive(id), (200, expected.clone()), "{id} at member {holder}");
        }
    }
    println!("{} kills, {} acknowledged sends, all there on both sides", kills(), acked.len());
    for member in &mut members {
        assert_eq!(member.stop(), Some(0), "{}", member.log());
        let fsck = member.fsck();
        assert!(fsck.status.success(), "{}{}", String::from_utf8_lossy(&fsck.stdout), String::from_utf8_lossy(&fsck.stderr));
    }
}

/// Sends from every member to the next while `work` runs; what was acknowledged.
fn load_while(members: &mut [Member], work: impl FnOnce(&mut [Member])) -> Vec<Acked> {
    let (stop, seeds, acked) = (AtomicBool::new(false), AtomicU64::new(1), Mutex::new(Vec::new()));
    let places: Vec<_> = members.iter().map(|member| (member.socket.clone(), member.key.clone())).collect();
    std::thread::scope(|scope| {
        for client in 0..places.len() * 2 {
            let (from, to) = (client % places.len(), (client + 1) % places.len());
            let (stop, seeds, acked, places) = (&stop, &seeds, &acked, &places);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let seed = seeds.fetch_add(1, Ordering::Relaxed);
                    let body = data_encoding::BASE64.encode(&payload(seed, length(seed)));
                    let body = serde_json::json!({ "payload": body, "to": [places[to].1] }).to_string();
                    match http::unix(&places[from].0, "POST", "/send", JSON, body.as_bytes()) {
                        Some(answer) if answer.status == 201 => {
                            let id = answer.json()["key"].as_str().expect("a key").to_owned();
                            acked.lock().expect("the list").push(Acked { from, to, seed, id });
                        }
                        _ => std::thread::sleep(std::time::Duration::from_millis(2)),
                    }
                }
            });
        }
        work(members);
        stop.store(true, Ordering::Relaxed);
    });
    acked.into_inner().expect("the list")
}

/// Small ones mostly, some of many blocks.
fn length(seed: u64) -> usize {
    if seed.is_multiple_of(37) { 150_000 } else { 100 + usize::try_from(seed % 2_000).expect("small") }
}
