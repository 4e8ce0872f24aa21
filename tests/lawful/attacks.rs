//! What a disclosure refuses at real processes, each for its stated reason.

use crate::court::{Court, in_minutes, in_seconds};
use crate::member::Member;

fn tampered(court: &Court, file: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = std::fs::read(file).unwrap();
    change(&mut bytes);
    let altered = court.path("altered");
    std::fs::write(&altered, bytes).unwrap();
    altered
}

/// Copies each holder's whole store from one place of its folder to another, while nothing runs.
fn stores(court: &mut Court, from: &str, to: &str) {
    court.members.iter_mut().for_each(Member::stop);
    for member in &court.members {
        let (from, to) = (member.folder.join(from), member.folder.join(to));
        let _ = std::fs::remove_dir_all(&to);
        assert!(std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    }
}

fn start(court: &mut Court) {
    court.members.iter_mut().for_each(|member| member.spawn(&[]));
    court.members.iter_mut().for_each(Member::wait);
}

#[test]
fn an_erased_payload_opens_for_nobody_with_every_share_and_every_backup() {
    let mut court = Court::begin(&["a", "b"]);
    let id = court.at(0).sent(b"about a person", &[court.at(1)]);
    let grants = [court.grant("audit", 0, &["--id", &id]), court.grant("audit-b", 1, &["--id", &id])];
    // All five officers have given their shares to both holders, and somebody has a copy of each holder's whole store.
    for (at, grant) in grants.iter().enumerate() {
        for officer in [2, 4] {
            court.releases(officer, at, grant).well();
        }
    }
    stores(&mut court, "data/store", "saved");
    start(&mut court);
    let admin = court.admin(0);
    court.run(&["erase", "request", "--admin", &admin, "--ground", "consent-withdrawn", "--now", "--id", &id]).well();
    for member in &court.members {
        member.wait_until(|| member.receive(&id).is_none(), "it is not erased");
    }
    for (at, audit) in ["audit", "audit-b"].into_iter().enumerate() {
        court.collects(audit, at).well();
        let told = court.audits(audit, "open", &[]).refused("CEL7130");
        assert!(told.contains("erased since"), "{told}");
        // The holder's signed word, for others too; a word that somebody put in its place is not.
        let (release, network) = (court.path(&format!("{audit}/release.cbor")), court.network());
        let verify = |file: &str| court.run(&["disclosure", "verify", file, "--network", &network]);
        assert!(verify(&release).well().contains("payloads: 0 given, 1 not, of 1"));
        let altered = tampered(&court, &release, |bytes| {
            let at = bytes.windows(12).rposition(|words| words == b"erased since").unwrap();
            bytes[at..at + 12].copy_from_slice(b"never lawful");
        });
        verify(&altered).refused("CEL7134");
    }
    // The stores of before, with the key trees of now.
    stores(&mut court, "saved", "data/store");
    for member in &court.members {
        let data = member.folder.join("data");
        let data = data.to_str().unwrap();
        court.run(&["journal", "accept-rollback", "--data-dir", data, "--actor", "ana", "--reason", "disk lost"]).well();
    }
    start(&mut court);
    for (at, audit) in ["audit", "audit-b"].into_iter().enumerate() {
        assert_eq!(court.at(at).receive(&id), None);
        let said = court.collects(audit, at);
        assert!(!said.good || !court.audits(audit, "open", &[]).good, "it was opened from a backup");
        // A new request for it is answered by reference, and there is nothing to approve.
        let again = format!("again-{at}");
        let next = court.auditor(&again, "Auditores Unidos");
        court.asks(&again, at, &in_minutes(5), &["--id", &id]).well();
        assert_eq!(court.shown(at, &next)["state"], "refused");
        court.approves(1, at, &next).refused("CEL7132");
    }
}

#[test]
fn the_requesters_entity_two_of_one_entity_and_a_revoked_or_expired_grant_get_nothing() {
    let court = Court::begin(&["a", "b"]);
    let id = court.at(0).sent(b"x", &[court.at(1)]);
    let own = court.auditor("own", "ENTITY  2");
    court.asks("own", 0, &in_minutes(5), &["--id", &id]).well();
    court.approves(2, 0, &own).refused("CEL7110");

    // A second approval of the same officer, made anew, counts for nothing.
    court.approves(1, 0, &own).well();
    std::thread::sleep(std::time::Duration::from_millis(5));
    court.approves(1, 0, &own).refused("CEL7111");
    // Nor does an officer refuse more than once: what those concerned are told of has an end.
    let (case, verdict, admin) = (court.case(0, &own), court.path("no.json"), court.admin(0));
    let refuses =
        |text: &str| court.officer(3, "approve", &[&case, "--refuse", "--text", text, "--out", &verdict, "--admin", &admin]);
    refuses("no").well();
    refuses("no, once more").refused("CEL7135");
    assert_eq!(court.shown(0, &own)["verdicts"].as_array().unwrap().len(), 2);

    let grant = court.grant("audit", 0, &["--id", &id]);
    let (revocation, network, admin) = (court.path("revocation.json"), court.network(), court.admin(0));
    court.officer(4, "revoke", &["--network", &network, &grant, "--text", "out of mandate", "--out", &revocation]).well();
    // Of another grant it is none.
    court.run(&["disclosure", "revoke", "--admin", &admin, &own, &revocation]).refused("CEL7114");
    court.run(&["disclosure", "revoke", "--admin", &admin, &grant, &revocation]).well();
    court.collects("audit", 0).refused("CEL7116");
    court.releases(2, 0, &grant).refused("CEL7116");

    let short = court.auditor("short", "Auditores Unidos");
    court.asks("short", 0, &in_seconds(40), &["--id", &id]).well();
    for officer in [1, 2, 3] {
        court.approves(officer, 0, &short).well();
    }
    let a = court.at(0);
    a.wait_until(|| court.shown(0, &short)["state"] == "expired", "it does not expire");
    court.releases(1, 0, &short).refused("CEL7115");
    court.collects("short", 0).refused("CEL7115");
}

#[test]
fn what_passes_through_other_hands_is_not_altered_dropped_or_replayed_unseen() {
    let court = Court::begin(&["a", "b"]);
    let (a, b) = (court.at(0), court.at(1));
    let ids = [a.sent(b"one", &[b]), a.sent(b"two", &[b])];
    let grant = court.auditor("audit", "Auditores Unidos");
    court.asks("audit", 0, &in_minutes(60), &["--id", &ids[0], "--id", &ids[1]]).well();
    let case = court.case(0, &grant);
    let verdict = court.path("v.json");
    let approve = |file: &str| court.officer(1, "approve", &[file, "--text", "yes", "--out", &verdict]);
    // The last item is dropped, an item is altered: the officer's client sees both.
    let dropped = tampered(&court, &case, |bytes| bytes.truncate(bytes.len() - 10));
    approve(&dropped).refused("CEL7100");
    let altered = tampered(&court, &case, |bytes| {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    });
    let said = approve(&altered);
    assert!(!said.good && ["CEL7105", "CEL7107", "CEL7100"].iter().any(|code| said.text.contains(code)), "{}", said.text);

    for officer in [1, 3, 5] {
        court.approves(officer, 0, &grant).well();
        court.releases(officer, 0, &grant).well_or("CEL7117");
    }
    for officer in [1, 3, 5] {
        court.releases(officer, 0, &grant).well();
    }
    // Shares of one grant are none of another.
    let other = court.grant("other", 0, &["--id", &ids[0]]);
    let admin = court.admin(0);
    let shares = court.path(&format!("{grant}-1.shares"));
    court.run(&["disclosure", "submit", "--admin", &admin, &other, &shares]).refused("CEL7114");
    let damaged = tampered(&court, &shares, |bytes| {
        let middle = bytes.len() - 40;
        bytes[middle] ^= 1;
    });
    court.run(&["disclosure", "submit", "--admin", &admin, &grant, &damaged]).refused("CEL7120");

    // On the way to the auditor, too.
    court.collects("audit", 0).well();
    let release = court.path("audit/release.cbor");
    let good = std::fs::read(&release).unwrap();
    let cut = tampered(&court, &release, |bytes| bytes.truncate(bytes.len() - 10));
    std::fs::copy(&cut, &release).unwrap();
    court.audits("audit", "open", &[]).refused("CEL7100");
    let flipped = {
        let mut bytes = good.clone();
        let at = bytes.len() - 900;
        bytes[at] ^= 1;
        bytes
    };
    std::fs::write(&release, flipped).unwrap();
    let told = court.audits("audit", "open", &[]);
    assert!(told.text.contains("1 not opened") || !told.good, "{}", told.text);
    std::fs::write(&release, good).unwrap();
    // The release of another grant under this one's name.
    court.collects("other", 0).well();
    let foreign = std::fs::read(court.path("other/release.cbor")).unwrap();
    let kept = std::fs::read(&release).unwrap();
    std::fs::write(&release, foreign).unwrap();
    court.audits("audit", "open", &[]).refused("CEL7114");
    std::fs::write(&release, kept).unwrap();
    court.audits("audit", "open", &[]).well();
}

#[test]
fn a_request_of_a_time_to_come_is_not_taken() {
    use celosia::crypto::hpke::BoxKey;
    use celosia::crypto::secret::Secret;
    use celosia::crypto::sign::SigningKey;
    use celosia::disclosure::{By, GrantId, Request, Scope, Secrecy, to_json};
    let court = Court::begin(&["a", "b"]);
    court.at(0).sent(b"x", &[court.at(1)]);
    let (key, now) = (SigningKey::from_seed(&Secret::random()), u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap());
    let day = 24 * 60 * 60 * 1000;
    let text = || "yearly audit".to_owned();
    let asks = |time: u64, grant: u8| {
        let request = Request {
            network: court.network().parse().unwrap(),
            grant: GrantId([grant; 16]),
            name: text(),
            entity: text(),
            mandate: text(),
            purpose: text(),
            basis: text(),
            scope: Scope { by: By::Member("a".parse().unwrap()), made: None },
            from: now,
            until: now + day,
            views: 1,
            secrecy: Some(Secrecy { reference: text(), until: time + 365 * day }),
            renews: None,
            key: key.verify_key(),
            box_key: BoxKey::of(&Secret::random()),
            time,
        };
        let file = court.path("request.json");
        std::fs::write(&file, to_json("celosia-disclosure-request-1", &[request.sign(&key).encode()])).unwrap();
        court.run(&["disclosure", "ask", "--admin", &court.admin(0), &file])
    };
    asks(now + 170 * 365 * day, 1).refused("CEL7103");
    asks(now - 8 * day, 2).refused("CEL7103");
    asks(now, 3).well();
}
