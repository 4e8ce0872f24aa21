use std::sync::Arc;

use super::super::sample::*;
use super::super::*;
use super::*;
use crate::types::Coded as _;

fn policy_of(scopes: &[&str]) -> Policy {
    let scopes = scopes.iter().map(|scope| toml::from_str(scope).expect("a scope")).collect();
    let committees = vec![escrow(1, 1), escrow(2, 1)];
    let mut policy = Policy { scopes, committees, ..genesis() };
    policy.normalise();
    policy
}

fn members(change: impl Fn(&mut Member)) -> Arc<Members> {
    let mut supervisor = member("cnmv");
    supervisor.roles = vec![Role::Member, Role::Supervisor];
    change(&mut supervisor);
    let mut charter = begun();
    let document = Document::Directory(directory(&charter, vec![member("azul"), member("rojo"), supervisor]));
    charter.accept(&signed(&document, &["a", "b"]), minutes(60)).expect("a directory");
    Arc::clone(charter.members())
}

fn id(name: &str) -> MemberId {
    name.parse().expect("a name")
}

const CONTRACT: &str = "0x00000000000000000000000000000000000000aa";

#[test]
fn a_capsule_is_asked_for_wherever_a_contract_could_need_one() {
    let only_one = format!("contracts = [\"{CONTRACT}\"]\nsupervision = \"S2\"\nclasses = [\"business\"]");
    let policy = policy_of(&["members = [\"rojo\"]\nsupervision = \"S0\"", &only_one, "supervision = \"S0\""]);
    let asks = |sender, class| policy.escrow_of(&id(sender), class).map(|committee| committee.epoch);
    assert_eq!(asks("azul", Class::Business), Some(2), "of the highest epoch");
    assert_eq!(asks("azul", Class::Special), None);
    assert_eq!(asks("rojo", Class::Business), None, "the first scope decides");
    let contract: Contract = CONTRACT.parse().expect("an address");
    let scope = |contract| policy.supervision(&id("azul"), contract, Class::Business).map(|scope| scope.supervision);
    assert_eq!((scope(Some(&contract)), scope(None)), (Some(Supervision::S2), Some(Supervision::S0)));
    assert!(policy_of(&[]).escrow_of(&id("azul"), Class::Special).is_none());
}

#[test]
fn supervisors_are_active_or_nothing_is_sent() {
    let policy = policy_of(&["supervision = \"S3\"\nsupervisors = [\"cnmv\"]"]);
    let ask = |members: &Members| {
        let found = policy.supervisors(members, &id("azul"), None, Class::Personal);
        found.map(|(mode, all)| (mode, all.len())).map_err(|violation| violation.code().0)
    };
    assert_eq!(ask(&members(|_| {})), Ok((Supervision::S3, 1)));
    assert_eq!(ask(&members(|cnmv| cnmv.state = State::Suspended)), Err(6045));
    assert_eq!(ask(&members(|cnmv| cnmv.roles = vec![Role::Member])), Err(6045));
    assert_eq!(ask(&Members::default()), Err(6045));
    let optional = policy_of(&["supervision = \"S2\"\nsupervisors = [\"cnmv\"]"]);
    let nobody = Members::default();
    let found = optional.supervisors(&nobody, &id("azul"), None, Class::Personal).expect("S2 needs none");
    assert_eq!((found.0, found.1.len()), (Supervision::S2, 0));
}

#[test]
fn recipients_demand_capsule_and_supervisors() {
    let members = members(|_| {});
    let address = members.by_id(&id("cnmv")).expect("listed").addresses[0];
    let azul = id("azul");
    let payload = |capsule, proved| Supervised { sender: &azul, class: Class::Personal, capsule, proved };
    let judge = |policy: &Policy, payload| policy.check_supervised(&members, &payload).map_err(|violation| violation.code().0);
    let (shown, another) = ([address], [Address::new([9; 32])]);
    let s2 = policy_of(&["supervision = \"S2\""]);
    assert_eq!(judge(&s2, payload(Some(2), &[])), Ok(()));
    assert_eq!(judge(&s2, payload(None, &[])), Err(6043));
    assert_eq!(judge(&s2, payload(Some(1), &[])), Err(6044), "of an earlier epoch");
    let s3 = policy_of(&["supervision = \"S3\"\nsupervisors = [\"cnmv\"]"]);
    assert_eq!(judge(&s3, payload(Some(2), &shown)), Ok(()));
    assert_eq!(judge(&s3, payload(Some(2), &[])), Err(6046));
    assert_eq!(judge(&s3, payload(Some(2), &another)), Err(6046), "somebody else");
    assert_eq!(judge(&s3, payload(None, &shown)), Err(6043));
    let none = policy_of(&["supervision = \"S0\""]);
    assert_eq!(judge(&none, payload(None, &[])), Ok(()));
    assert_eq!(judge(&none, payload(Some(1), &[])), Ok(()), "more than is asked; that it matches was seen before");
    let unproved = |policy: &Policy| policy.check_unproved(&azul, None, Class::Personal).map_err(|violation| violation.code().0);
    assert_eq!((unproved(&s2), unproved(&s3), unproved(&none)), (Ok(()), Err(6047), Ok(())));
}

#[test]
fn recipients_demand_the_word_of_supervisors_where_they_can_know_whose() {
    let (here, azul) = (members(|_| {}), id("azul"));
    let first = format!("contracts = [\"{CONTRACT}\"]\nsupervision = ");
    let demanded = |members: &Members, sender: &MemberId, scopes: &[&str]| {
        let policy = policy_of(scopes);
        let all = policy.demanded(members, sender, Class::Personal);
        all.iter().map(|demand| (demand.mode, demand.supervisors.len())).collect::<Vec<_>>()
    };
    let [s1, s2, s3] = ["S1", "S2", "S3"].map(|mode| format!("supervision = \"{mode}\"\nsupervisors = [\"cnmv\"]"));
    let ask = |scopes: &[&str]| demanded(&here, &azul, scopes);
    assert_eq!(ask(&[&s1]), [(Supervision::S1, 1)]);
    assert_eq!(ask(&[&s2]), [(Supervision::S2, 1)]);
    assert_eq!(ask(&[&s3]), [(Supervision::S3, 1)]);
    let s4 = s3.replace("S3", "S4");
    for nothing in ["supervision = \"S0\"", "supervision = \"S2\"", &s4] {
        assert_eq!(ask(&[nothing]), [], "{nothing}");
    }
    assert_eq!(ask(&[]), []);
    // A contract may be the reason why another scope decides.
    let free = format!("{first}\"S0\"");
    let other = format!("{first}\"S4\"\nsupervisors = [\"cnmv\"]");
    assert_eq!(ask(&[&free, &s1]), []);
    assert_eq!(ask(&[&other, &s1]), [(Supervision::S4, 1), (Supervision::S1, 1)]);
    assert_eq!(ask(&[&free, &s3]), [(Supervision::S3, 1)], "as of who is addressed");
    assert_eq!(ask(&[&other]), [], "no scope for all contracts");
    // A supervisor's own payloads, and those of a supervisor that does not take part.
    assert_eq!(demanded(&here, &id("cnmv"), &[&s1]), []);
    let suspended = members(|cnmv| cnmv.state = State::Suspended);
    assert_eq!(demanded(&suspended, &azul, &[&s1]), [(Supervision::S1, 1)], "nothing is taken");
    assert_eq!(demanded(&suspended, &azul, &[&s2]), [], "it is sent without");
}

#[test]
fn a_supervisor_proves_to_nobody_that_it_receives_its_own_payloads() {
    let (members, cnmv) = (members(|_| {}), id("cnmv"));
    let policy = policy_of(&["supervision = \"S3\"\nsupervisors = [\"cnmv\"]"]);
    let payload = Supervised { sender: &cnmv, class: Class::Personal, capsule: Some(2), proved: &[] };
    assert_eq!(policy.check_supervised(&members, &payload), Ok(()));
}
