//! Members of a governed network: what the journal and the acknowledgements say of a payload goes with it, at sender and recipient.

use crate::http::Request;
use crate::member::{Member, percent};
use crate::net::Net;
use crate::support::{letter, parts, scan};

fn needles(member: &Member) -> String {
    member.folder.join("needles").to_str().unwrap().to_owned()
}

fn data(member: &Member) -> String {
    member.folder.join("data").to_str().unwrap().to_owned()
}

#[test]
fn journal_records_and_acknowledgements_go_with_the_next_regular_purge() {
    let mut net = Net::prepare(&["uno", "dos"]);
    for member in &mut net.members {
        member.extra = "[store]\npurge-every = \"1s\"".into();
        member.spawn(&[]);
    }
    net.members.iter_mut().for_each(Member::wait);
    let (uno, dos) = (net.at(0), net.at(1));
    let payload = letter(200);
    let id = uno.sent(&payload, &[dos]);
    assert_eq!(dos.receive(&id), Some(payload));
    for (member, expected) in [
        (uno, &["acknowledgements", "ciphertext", "journal record", "journal salt", "nonce", "sealed head"][..]),
        (dos, &["ciphertext", "journal record", "journal salt", "nonce", "sealed head"]),
    ] {
        // Acknowledgements are written down after the answer.
        let all_there = || {
            // Made by the round before.
            let _ = std::fs::remove_file(needles(member));
            let (exit, report) = scan(&["--for", &id, "--data-dir", &data(member), "--save", &needles(member), &data(member)]);
            let parts = parts(&report);
            exit == 1 && expected.iter().all(|part| parts.contains(&(*part).to_owned()))
        };
        member.wait_until(all_there, "all that a payload leaves");
    }
    for member in [uno, dos] {
        Request::new("DELETE", &format!("/transaction/{}", percent(&id))).send(&member.node).must(204);
    }
    for member in [uno, dos] {
        let log = member.folder.join("log");
        let gone = || {
            let (exit, report) = scan(&["--needles", &needles(member), &data(member), log.to_str().unwrap()]);
            // Shown where the wait ends.
            println!("{report:#}");
            exit == 0
        };
        member.wait_until(gone, "nothing of it is left");
        // Asked without the needles, the erased id says what it can and cannot prove.
        let (exit, report) = scan(&["--for", &id, "--data-dir", &data(member), &data(member)]);
        assert_eq!(exit, 0, "{report:#}");
        assert!(report["notes"].to_string().contains("is erased here: only its index row can be searched for"), "{report:#}");
    }
}
