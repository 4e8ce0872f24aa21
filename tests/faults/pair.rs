use std::fs;
use std::process::Command;

use tempfile::tempdir;

use crate::member::{CELOSIA, Member, network};

/// A run that must be refused: what it says.
fn refused(member: &Member) -> String {
    let run = Command::new(CELOSIA).args(["run", "--config"]).arg(member.config()).output().expect("it runs");
    assert!(!run.status.success());
    String::from_utf8_lossy(&run.stderr).into_owned()
}

#[test]
fn store_and_key_folder_start_together_or_not_at_all() {
    let folder = tempdir().expect("a folder");
    let mut members = network(folder.path(), 1);
    let member = &mut members[0];
    member.start();
    let key = member.key.clone();
    let id = member.send(b"kept", &[&key]).expect("sent");
    assert_eq!(member.stop(), Some(0));
    for (part, code) in [("enclave", "CEL1313"), ("store", "CEL1312")] {
        let (here, away) = (member.data.join(part), member.folder.join("away"));
        fs::rename(&here, &away).expect("moved away");
        let text = refused(member);
        assert!(text.contains(code), "{text}");
        // The refused start may have made an empty folder in its place.
        let _ = fs::remove_dir_all(&here);
        fs::rename(&away, &here).expect("put back");
    }
    member.start();
    assert_eq!(member.receive(&id), (200, b"kept".to_vec()));
}
