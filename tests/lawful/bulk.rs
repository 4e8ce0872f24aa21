//! Many payloads, many grants, many who take at once.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use celosia::crypto::kdf;
use celosia::crypto::sign::SigningKey;
use celosia::disclosure::{Bundle, Part, Taking, case_digest, frame_head};
use celosia::enclave::keyfile;
use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::court::{Court, in_minutes};

/// The body with which the auditor of a folder takes its release now.
fn taking(court: &Court, audit: &str, grant: &str) -> String {
    let locked = keyfile::load(court.path(&format!("{audit}/auditor.key")).as_ref()).unwrap();
    let master = locked.unlock(Some(&Zeroizing::new("correct horse".to_owned()))).unwrap();
    let key = SigningKey::from_seed(&kdf::hkdf(&[], master.expose(), &[b"celosia auditor signing 1"]));
    let case = std::fs::read(court.case(0, grant)).unwrap();
    let celosia::disclosure::Frame::Of { head, content } = frame_head(&case).unwrap() else { panic!("a frame") };
    let bundle = Bundle::read(std::str::from_utf8(&case[head..head + content]).unwrap()).unwrap();
    let time = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
    let case = case_digest(&bundle.docket.docket);
    let taking = Taking { network: bundle.request.request.network, case, part: Part::Release, time }.sign(&key);
    serde_json::json!({ "document": BASE64.encode(&taking.encode()) }).to_string()
}

/// Opens a release and reads its first bytes: the rest waits until it is read.
fn begin_release(court: &Court, audit: &str, grant: &str) -> TcpStream {
    let body = taking(court, audit, grant);
    let address = court.admin(0).trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    write!(
        stream,
        "POST /disclosures/{grant}/release HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut first = [0; 512];
    stream.read_exact(&mut first).unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&first));
    stream
}

#[test]
fn a_revocation_is_answered_while_a_release_streams_and_ends_it() {
    let court = Court::begin(&["a", "b"]);
    // More than what fits into the sockets between them.
    let payload = vec![7; 256 << 10];
    for _ in 0..100 {
        court.at(0).sent(&payload, &[court.at(1)]);
    }
    let long = court.grant("long", 0, &["--member", "a"]);
    let other = court.grant("other", 0, &["--member", "a"]);
    let mut stream = begin_release(&court, "long", &long);
    let admin = court.admin(0);
    let begun = Instant::now();
    court.run(&["disclosure", "revoke", "--admin", &admin, &other, "--text", "out of scope"]).well();
    court.collects("other", 0).refused("CEL7116");
    court.run(&["disclosure", "revoke", "--admin", &admin, &long, "--text", "out of scope"]).well();
    assert!(begun.elapsed() < Duration::from_secs(30), "a revocation waited for a release");
    let mut rest = Vec::new();
    let ended = stream.read_to_end(&mut rest);
    assert!(ended.is_err() || !rest.ends_with(b"0\r\n\r\n"), "the release went on to its end");
    assert!(rest.len() < 100 * payload.len(), "{}", rest.len());
}

#[test]
fn many_who_take_at_once_share_the_views_that_were_granted() {
    let court = Court::begin(&["a", "b"]);
    let id = court.at(0).sent(b"x", &[court.at(1)]);
    let grant = court.auditor("audit", "Auditores Unidos");
    court.asks("audit", 0, &in_minutes(60), &["--id", &id, "--views", "2"]).well();
    for officer in [1, 3, 5] {
        court.approves(officer, 0, &grant).well();
    }
    for officer in [1, 3, 5] {
        court.releases(officer, 0, &grant).well();
    }
    let other = court.grant("other", 0, &["--id", &id]);
    let folders: Vec<String> = (0..4).map(|number| format!("audit-{number}")).collect();
    for folder in &folders {
        assert!(
            std::process::Command::new("cp").args(["-a", &court.path("audit"), &court.path(folder)]).status().unwrap().success()
        );
    }
    // The second view waits for the log. Another grant is taken back meanwhile.
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let takers: Vec<_> = folders.iter().map(|folder| scope.spawn(|| court.collects(folder, 0))).collect();
        let admin = court.admin(0);
        court.run(&["disclosure", "revoke", "--admin", &admin, &other, "--text", "out of scope"]).well();
        takers.into_iter().map(|taker| taker.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|said| said.good).count(), 2, "{outcomes:?}");
    for said in outcomes.iter().filter(|said| !said.good) {
        assert!(said.text.contains("CEL7131") || said.text.contains("CEL7147"), "{}", said.text);
    }
    let shown = court.shown(0, &grant);
    assert_eq!((shown["views"]["recorded"].as_u64(), shown["views"]["released"].as_u64()), (Some(2), Some(2)), "{shown}");
}

#[test]
fn a_long_list_is_opened_and_reported_in_pages() {
    let court = Court::begin(&["a", "b"]);
    let count = 1_030_usize;
    for number in 0..count {
        court.at(0).sent(format!("payload {number}").as_bytes(), &[court.at(1)]);
    }
    court.grant("audit", 0, &["--member", "a"]);
    court.collects("audit", 0).well();
    let told = court.audits("audit", "open", &[]).well();
    assert!(told.contains(&format!("{count} payload(s) opened and verified, 0 not opened")), "{told}");
    let report = court.report("audit");
    assert_eq!((report["opened"].as_u64(), report["payloads"].as_array().unwrap().len()), (Some(count as u64), 0));
    let pages = report["pages"].as_array().unwrap();
    assert_eq!(pages.iter().map(|page| page["rows"].as_u64().unwrap()).collect::<Vec<_>>(), [1_000, 30]);
    let last = std::fs::read_to_string(court.out("audit").join(pages[1]["file"].as_str().unwrap())).unwrap();
    let rows: serde_json::Value = serde_json::from_str(&last).unwrap();
    let file = rows[29]["file"].as_str().unwrap();
    assert!(file.starts_with("000002/001030-"), "{file}");
    assert!(std::fs::read(court.out("audit").join(file)).unwrap().starts_with(b"payload "));
    let page = std::fs::read_to_string(court.out("audit").join("report.html")).unwrap();
    assert!(page.contains("payloads-000002.html") && page.len() < 20_000);
    // Those concerned are told of all of it, in several notices, each once.
    let (b, admin) = (court.at(1), court.admin(1));
    let viewed = || {
        let told = court.run(&["disclosure", "notices", "--admin", &admin]).well();
        let of_view = told.lines().filter(|line| line.contains("viewed"));
        of_view.map(|line| line.split_whitespace().nth(3).unwrap().parse::<usize>().unwrap()).collect::<Vec<_>>()
    };
    b.wait_until(|| viewed().iter().sum::<usize>() == count, "b is not told of all");
    assert_eq!(viewed().len(), 3);
}
