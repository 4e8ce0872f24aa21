use super::super::sample::*;
use super::super::*;
use super::*;
use crate::types::Coded as _;

fn scope(mode: &str, supervisors: &str) -> Scope {
    toml::from_str(&format!("supervision = \"{mode}\"\nsupervisors = [{supervisors}]")).expect("a scope")
}

fn text(committees: Vec<Committee>, scopes: Vec<Scope>) -> String {
    let mut policy = Policy { scopes, committees, ..genesis() };
    policy.normalise();
    Document::Policy(policy).text()
}

fn fault(committees: Vec<Committee>, scopes: Vec<Scope>) -> (u16, String) {
    let error = Document::parse(&text(committees, scopes)).expect_err("a fault");
    (error.code().0, error.to_string())
}

#[test]
fn committees_stand_in_the_policy_and_read_the_same() {
    let mut shuffled = escrow(2, 1);
    shuffled.officers.reverse();
    let all = vec![committee(Purpose::Hold, 1, 1, 2, 3), shuffled, escrow(1, 4)];
    let text = text(all, vec![scope("S2", "")]);
    let Document::Policy(policy) = Document::parse(&text).expect("a policy") else { panic!("a policy") };
    assert_eq!(policy.escrow().map(|committee| committee.epoch), Some(2), "the highest epoch is used");
    assert_eq!(policy.committee(Purpose::Escrow, 1), Some(&escrow(1, 4)), "an earlier one still opens");
    assert_eq!(policy.committees.iter().map(Committee::title).collect::<Vec<_>>(), ["escrow 1", "escrow 2", "hold 1"]);
    let alone: Table = toml::from_str(&escrow(1, 4).to_toml()).expect("a table");
    assert_eq!(alone.committees, [escrow(1, 4)], "what a key generation writes is what governors lay over the policy");
}

#[derive(Deserialize)]
struct Table {
    committees: Vec<Committee>,
}

#[test]
fn each_fault_of_a_committee_has_its_code() {
    type Change = fn(&mut Committee);
    let with = |change: &dyn Fn(&mut Committee)| {
        let mut committee = escrow(1, 1);
        change(&mut committee);
        fault(vec![committee], vec![])
    };
    let cases: Vec<(Change, u16, &str)> = vec![
        (|c| c.epoch = 0, 6006, "committees[0].epoch"),
        (|c| c.generation = 0, 6006, "committees[0].generation"),
        (|c| c.officers[1].name = "a\u{202e}b".into(), 6006, "committees[0].officers[1].name"),
        (|c| c.officers[1].entity = String::new(), 6006, "officers[1].entity"),
        (|c| c.officers[0].index = 0, 6006, "officers[0].index"),
        (|c| c.officers[1].index = 1, 6007, "officer index"),
        (|c| c.officers[1].name = c.officers[0].name.clone(), 6007, "officer name"),
        (|c| c.officers[1].signing_key = c.officers[0].signing_key, 6007, "officer signing key"),
        (|c| c.officers[1].box_key = c.officers[0].box_key, 6007, "officer box key"),
        (|c| c.threshold = 1, 6039, "1 of 5 officers"),
        (|c| c.threshold = 6, 6039, "6 of 5 officers"),
        (|c| c.officers.truncate(2), 6039, "3 of 2 officers"),
        (
            |c| {
                let names = ["Banco Azul", "BANCO AZUL", "banco  azul", "Ｂanco Azul", "Otro"];
                c.officers.iter_mut().zip(names).for_each(|(officer, name)| officer.entity = name.into());
            },
            6039,
            "of 2 entities",
        ),
        (|c| c.threshold = 2, 6048, "escrow 1"),
        (|c| c.key = escrow(2, 1).key, 6048, "escrow 1"),
        (|c| c.officers[4].share = escrow(1, 2).officers[4].share, 6048, "escrow 1"),
        (|c| c.officers[0].share = escrow(1, 2).officers[0].share, 6048, "escrow 1"),
    ];
    for (change, code, told) in cases {
        let (got, said) = with(&change);
        assert!(got == code && said.contains(told), "{got} {said}, wanted {code} {told}");
    }
    let houses = |c: &mut Committee| c.officers[1..].iter_mut().for_each(|officer| officer.entity = "one house".into());
    let (code, said) = with(&houses);
    assert!(code == 6039 && said.contains("2 entities"), "{said}");
    assert_eq!(fault(vec![escrow(1, 1), escrow(1, 2)], vec![]).0, 6007, "one epoch twice");
    let again = Committee { epoch: 2, ..escrow(1, 1) };
    assert_eq!(fault(vec![escrow(1, 1), again], vec![]).0, 6007, "an old key as a new epoch");
    let broken = text(vec![escrow(1, 1)], vec![]).replacen("key = \"", "key = \"A", 1);
    assert_eq!(Document::parse(&broken).expect_err("no key").code().0, 6006);
}

#[test]
fn scopes_need_whom_they_name() {
    for mode in ["S2", "S3", "S4"] {
        assert_eq!(fault(vec![], vec![scope("S0", ""), scope(mode, "\"azul\"")]).0, 6037, "{mode}");
        let hold = committee(Purpose::Hold, 1, 1, 2, 3);
        assert_eq!(fault(vec![hold], vec![scope(mode, "\"azul\"")]).0, 6037, "{mode}: another purpose");
    }
    for mode in ["S1", "S3", "S4"] {
        let (code, said) = fault(vec![escrow(1, 1)], vec![scope("S0", ""), scope(mode, "")]);
        assert!(code == 6038 && said.contains("scopes[1]"), "{mode}: {said}");
    }
    for (mode, supervisors) in [("S1", "\"azul\""), ("S2", ""), ("S2", "\"azul\""), ("S3", "\"azul\""), ("S4", "\"azul\"")] {
        assert!(Document::parse(&text(vec![escrow(1, 1)], vec![scope(mode, supervisors)])).is_ok(), "{mode}");
    }
}

#[test]
fn a_committee_goes_forward_only() {
    let after = |before: Vec<Committee>, after: Vec<Committee>| {
        let mut charter = begun();
        let accept = |charter: &mut Charter, committees: Vec<Committee>| {
            let mut next = Policy { committees, ..policy(charter) };
            next.normalise();
            charter.accept(&signed(&Document::Policy(next), &["a", "b"]), minutes(60)).map(drop).map_err(|why| why.code().0)
        };
        accept(&mut charter, before).expect("the policy before");
        accept(&mut charter, after)
    };
    let first = || escrow(1, 1);
    assert_eq!(after(vec![first()], vec![first()]), Ok(()));
    assert_eq!(after(vec![first()], vec![escrow(1, 2)]), Ok(()), "a refresh");
    assert_eq!(after(vec![first()], vec![first(), escrow(2, 1)]), Ok(()), "a new key");
    assert_eq!(after(vec![first()], vec![committee(Purpose::Escrow, 1, 2, 4, 6)]), Ok(()), "a higher threshold");
    assert_eq!(after(vec![first()], vec![]), Err(6025));
    assert_eq!(after(vec![first()], vec![escrow(2, 1)]), Err(6025), "a new key does not end the old one");
    assert_eq!(after(vec![first()], vec![Committee { epoch: 1, generation: 2, ..escrow(2, 1) }]), Err(6024), "another key");
    assert_eq!(after(vec![escrow(1, 2)], vec![first()]), Err(6024), "an earlier generation");
    assert_eq!(after(vec![first()], vec![committee(Purpose::Escrow, 1, 2, 2, 5)]), Err(6024), "a lower threshold");
    let mut renamed = first();
    renamed.officers[0].name = "Somebody else".into();
    assert_eq!(after(vec![first()], vec![renamed]), Err(6024), "another officer within a generation");
}
