use super::*;
use crate::types::Coded as _;

const NETWORK: NetworkId = NetworkId::new([7; 32]);

fn policy(policy: u64, network: NetworkId, generations: &[(u64, u64)]) -> Seen {
    let committees = generations.iter();
    let committees =
        committees.map(|(epoch, generation)| InForce { purpose: Purpose::Escrow, epoch: *epoch, generation: *generation });
    Seen { network, policy, committees: committees.collect() }
}

#[test]
fn a_folder_refuses_what_is_older_than_it_saw_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let see = |version, generations: &[(u64, u64)]| Folder::see_again(dir.path(), &policy(version, NETWORK, generations));
    let seen = || Folder::seen_of(dir.path(), &NETWORK).unwrap().unwrap();
    assert_eq!(Folder::seen_of(dir.path(), &NETWORK).unwrap(), None);
    see(3, &[(1, 1)]).unwrap();
    // Generation 2 is made, and not in force yet: the same is still answered.
    see(3, &[(1, 1)]).unwrap();
    see(5, &[(1, 2), (2, 1)]).unwrap();
    assert_eq!((seen().policy, seen().generation(Purpose::Escrow, 1)), (5, Some(2)));
    for (version, generations) in [(3, &[(1, 1)][..]), (9, &[(1, 1), (2, 1)]), (4, &[(1, 2)])] {
        let refused = see(version, generations).unwrap_err();
        assert_eq!(refused.code().0, 7050, "{refused}");
    }
    // An older policy with the same generations is no harm, and nothing new.
    see(4, &[(1, 2), (2, 1)]).unwrap();
    assert_eq!(seen().policy, 5);
    // Another network is another matter.
    Folder::see_again(dir.path(), &policy(1, NetworkId::new([8; 32]), &[(1, 1)])).unwrap();
    assert_eq!(seen().policy, 5);
}

#[test]
fn what_somebody_changed_in_a_folder_is_not_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    Folder::see_again(dir.path(), &policy(3, NETWORK, &[(1, 2)])).unwrap();
    let file = place(dir.path(), &NETWORK);
    for text in ["", "policy = 3", "network = \"x\"\npolicy = 3"] {
        std::fs::write(&file, text).unwrap();
        assert_eq!(Folder::see_again(dir.path(), &policy(3, NETWORK, &[(1, 1)])).unwrap_err().code().0, 7011, "{text:?}");
    }
}
