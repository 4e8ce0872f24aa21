//! `celosia scan` on files of every kind.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use serde_json::json;

use crate::support::{celosia, letter, parts, scan};

/// A needle file with one data key, as `--save` writes it.
fn needle_file(folder: &std::path::Path, secret: &[u8]) -> String {
    let path = folder.join("needles");
    let file = json!({ "celosia_needles": 1, "needles": [{ "what": "data key", "bytes": BASE64.encode(secret) }] });
    fs::write(&path, file.to_string()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_encoding_is_found_and_nothing_of_it_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut secret = [0; 24];
    getrandom::fill(&mut secret).unwrap();
    let needles = needle_file(folder.path(), &secret);
    let around = |before: usize| [&vec![7; before][..], &secret, &[9; 5]].concat();
    let files = folder.path().join("files");
    fs::create_dir_all(files.join("deep/deeper")).unwrap();
    let mut cases = vec![
        ("raw".to_owned(), "raw", around(3)),
        ("deep/deeper/lower".to_owned(), "hex", HEXLOWER.encode(&around(1)).into_bytes()),
        ("upper".to_owned(), "hex", HEXUPPER.encode(&around(1)).into_bytes()),
    ];
    for before in 0..3 {
        cases.push((format!("base64-{before}"), "base64", BASE64.encode(&around(before)).into_bytes()));
        cases.push((format!("base64url-{before}"), "base64", BASE64URL.encode(&around(before)).into_bytes()));
    }
    for (name, _, bytes) in &cases {
        fs::write(files.join(name), bytes).unwrap();
    }
    fs::write(files.join("innocent"), letter(1000)).unwrap();
    let place = files.to_str().unwrap();
    let (exit, report) = scan(&["--needles", &needles, place]);
    assert_eq!((exit, parts(&report)), (1, vec!["data key".to_owned()]));
    let found = report["found"].as_array().unwrap();
    assert_eq!(found.len(), cases.len(), "{report:#}");
    for (name, encoding, _) in &cases {
        let hit = found.iter().find(|found| found["file"].as_str().unwrap().ends_with(&format!("/{name}")));
        assert_eq!(hit.unwrap()["encoding"], *encoding, "{name}");
    }
    assert_eq!(found.iter().find(|found| found["file"].as_str().unwrap().ends_with("/raw")).unwrap()["offset"], 3);
    // People's form; the needles' own folder, whose needle file is passed over.
    let output = celosia(&["scan", "--needles", &needles, folder.path().to_str().unwrap()]);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("FOUND  data key") && !shown.contains("/needles"), "{shown}");
    for form in [BASE64.encode(&secret), HEXLOWER.encode(&secret), HEXUPPER.encode(&secret)] {
        assert!(!shown.contains(&form) && !report.to_string().contains(&form));
    }
    fs::remove_dir_all(files.join("deep")).unwrap();
    cases.iter().filter(|(name, ..)| !name.starts_with("deep")).for_each(|(name, ..)| fs::remove_file(files.join(name)).unwrap());
    assert_eq!(scan(&["--needles", &needles, place]).0, 0, "the control");
}

#[test]
fn plaintext_is_found_in_pieces_and_in_wide_letters() {
    let folder = tempfile::tempdir().unwrap();
    let text = letter(500);
    let plain = folder.path().join("plain");
    fs::write(&plain, &text).unwrap();
    let plain = plain.to_str().unwrap();
    let wide: Vec<u8> = std::str::from_utf8(&text).unwrap().encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (name, content, expected) in
        [("half", &text[text.len() / 2..], 1), ("wide", &wide[..], 1), ("other", &letter(500)[..], 0)]
    {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let (exit, report) = scan(&["--plaintext", plain, path.to_str().unwrap()]);
        assert_eq!(exit, expected, "{name}: {report:#}");
    }
    let zeros = folder.path().join("zeros");
    fs::write(&zeros, [0; 5000]).unwrap();
    let refused = celosia(&["scan", "--plaintext", zeros.to_str().unwrap(), plain]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("CEL1360"));
}

#[test]
fn what_cannot_be_read_is_named_and_makes_the_answer_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let secret = letter(3);
    let needles = needle_file(folder.path(), &secret[..24]);
    let place = folder.path().join("place");
    fs::create_dir(&place).unwrap();
    let path = place.to_str().unwrap();
    // A file of 5 GiB with a hole, and the secret behind it; a link that leads to it from elsewhere.
    let mut sparse = fs::File::create(place.join("sparse")).unwrap();
    sparse.write_all(b"begin").unwrap();
    sparse.seek(SeekFrom::Start(5 << 30)).unwrap();
    sparse.write_all(&secret).unwrap();
    let (exit, report) = scan(&["--needles", &needles, path]);
    assert_eq!((exit, &report["found"][0]["offset"]), (1, &json!(5_u64 << 30)), "{report:#}");
    let (linked, link) = (folder.path().join("linked"), folder.path().join("link"));
    fs::create_dir(&linked).unwrap();
    symlink(&place, linked.join("inner")).unwrap();
    symlink(&place, &link).unwrap();
    let (exit, report) = scan(&["--needles", &needles, linked.to_str().unwrap()]);
    assert_eq!((exit, &report["passed-over"]), (0, &json!(1)), "links inside are not followed");
    assert_eq!(scan(&["--needles", &needles, link.to_str().unwrap()]).0, 1, "one that is named is");
    let (exit, report) = scan(&["--needles", &needles, linked.to_str().unwrap(), "/nowhere/at/all"]);
    assert_eq!((exit, &report["complete"], &report["unreadable"][0]["file"]), (2, &json!(false), &json!("/nowhere/at/all")));
    fs::set_permissions(&needles, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = celosia(&["scan", "--needles", &needles, path]);
    assert!(refused.status.code() == Some(2) && String::from_utf8_lossy(&refused.stderr).contains("CEL1365"));
}
