use super::super::sample::*;
use super::super::*;
use super::*;

#[test]
fn the_policy_judges_members_by_state_software_and_region() {
    let policy = genesis();
    let (sender, fine) = (member("azul"), member("rojo"));
    let tessera = Member { software: Software::Tessera, ..member("vieja") };
    let abroad = |region: &str| Member { region: region.parse().expect("a region"), ..member("lejos") };
    let in_state = |state| Member { state, ..member("roja") };
    let cases: Vec<(Member, Class, Option<u16>)> = vec![
        (fine.clone(), Class::Special, None),
        (in_state(State::Suspended), Class::Public, Some(6031)),
        (in_state(State::Expelled), Class::Public, Some(6031)),
        (tessera.clone(), Class::Business, None),
        (tessera.clone(), Class::Personal, Some(6032)),
        (abroad("DE-BE"), Class::Personal, None),
        (abroad("DE"), Class::Personal, Some(6033)),
        (abroad("DE-BE"), Class::Special, Some(6033)),
        (abroad("US"), Class::Business, None),
    ];
    for (recipient, class, code) in cases {
        let judged = Judged { sender: &sender, recipients: &[&fine, &recipient], class };
        let violation = policy.judge(&judged).err();
        assert_eq!(violation.as_ref().map(|violation| violation.code().0), code, "{} {class}", recipient.id);
        assert!(violation.is_none_or(|violation| violation.to_string().contains(recipient.id.as_str())));
    }
    let suspended = in_state(State::Suspended);
    let judged = Judged { sender: &suspended, recipients: &[&fine], class: Class::Public };
    assert_eq!(policy.judge(&judged).map_err(|violation| violation.code().0), Err(6030));
}

#[test]
fn a_superseded_policy_has_its_grace() {
    let mut charter = begun();
    let changed = Policy { grace: "2h".parse().expect("a span"), ..policy(&charter) };
    charter.accept(&signed(&Document::Policy(changed), &["a", "b"]), minutes(60)).expect("a policy");
    // Version 2 is issued at 12:01.
    for (named, dated, now, code) in [
        (2, minutes(5), minutes(5), None),
        (2, minutes(0), minutes(100_000), None),
        (1, minutes(0), minutes(120), None),
        (1, minutes(0), minutes(121), Some(6034)),
        (3, minutes(5), minutes(5), Some(6035)),
        (0, minutes(5), minutes(5), Some(6035)),
        (2, minutes(15), minutes(5), None),
        (2, minutes(16), minutes(5), Some(6036)),
    ] {
        let told = charter.policy_acceptable(named, dated, now).err().map(|error| error.code().0);
        assert_eq!(told, code, "version {named} at {now}");
    }
}

#[test]
fn the_first_scope_that_fits_covers() {
    let (azul, rojo) = (member("azul").id, member("rojo").id);
    let contract = Contract::new([1; 20]);
    let scope: Scope = toml::from_str(
        "members = [\"azul\"]\ncontracts = [\"0x0101010101010101010101010101010101010101\"]\nclasses = []\nsupervision = \"S0\"",
    )
    .expect("a scope");
    assert!(scope.covers(&azul, Some(&contract), Class::Public));
    assert!(!scope.covers(&rojo, Some(&contract), Class::Public));
    assert!(!scope.covers(&azul, None, Class::Public));
    assert!(!scope.covers(&azul, Some(&Contract::new([2; 20])), Class::Public));
}
