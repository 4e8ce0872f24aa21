use crate::app::{accept_loss, accept_rollback};

use super::Acceptances;

#[test]
fn a_node_that_lost_everything_begins_behind_the_logs_that_witnesses_saw() {
    let dir = tempfile::tempdir().unwrap();
    let (data, journal) = (dir.path().join("data"), dir.path().join("data/journal"));
    let told = |data: &std::path::Path, logs| accept_loss(data, logs, "ana", "disk lost").map_err(|error| error.to_string());
    assert!(told(&data, 1).unwrap_err().contains("no folder"));
    std::fs::create_dir(&data).unwrap();
    let refused = accept_rollback(&data, "ana", "disk lost").unwrap_err().to_string();
    assert!(refused.contains("--empty"), "{refused}");
    assert_eq!(told(&data, 2).unwrap(), 3);
    let accepted = Acceptances::read(&journal).unwrap();
    assert_eq!((accepted.number(), accepted.last().unwrap().reason.as_str()), (3, "disk lost"));
    assert_eq!(accepted.folder(&journal), (true, journal.join("log-3")));
    // What is there is never passed over, and goes on in the usual way.
    assert!(told(&data, 1).unwrap_err().contains("without a journal"));
    assert_eq!(accept_rollback(&data, "ana", "again").unwrap(), 4);
}
