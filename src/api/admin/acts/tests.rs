use std::sync::Mutex as StdMutex;

use super::*;
use crate::api::admin::Record;

/// Counts erasures, and keeps what was told.
#[derive(Default)]
struct Bench {
    erased: StdMutex<Vec<PayloadId>>,
    told: StdMutex<Vec<String>>,
}

#[async_trait]
impl Acts for Bench {
    async fn erase_case(&self, _: crate::erasure::CaseId, _: &str) -> Result<Value, Refusal> {
        Err(Refusal::NotApplicable("no cases here"))
    }

    async fn release_hold(&self, _: crate::erasure::HoldId, _: &str) -> Result<Value, Refusal> {
        Err(Refusal::NotApplicable("no holds here"))
    }

    async fn erase(&self, id: PayloadId) -> Result<Value, Refusal> {
        self.erased.lock().unwrap().push(id);
        Ok(json!({}))
    }

    async fn recover(&self, _: crate::disclosure::GrantId, _: &str) -> Result<Value, Refusal> {
        Ok(json!({}))
    }

    async fn accept_rollback(&self, _: &str, _: &str) -> Result<Value, Refusal> {
        Err(Refusal::NotApplicable("nothing was rolled back"))
    }
}

#[async_trait]
impl Record for Bench {
    async fn record(&self, actor: &str, role: Role, act: &str, outcome: &str, _: Value) {
        self.told.lock().unwrap().push(format!("{actor} {role} {act} {outcome}"));
    }
}

fn actor(bench: &Arc<Bench>, name: &str, credential: &str, roles: &[Role]) -> Actor {
    Actor::new(name.to_owned(), roles.to_vec(), credential.to_owned(), Arc::clone(bench) as _)
}

fn erasure() -> Value {
    json!({ "id": PayloadId::new([7; 64]).to_string() })
}

fn code<T>(result: Result<T, Refusal>) -> u16 {
    result.err().map_or(0, |refusal| refusal.code().0)
}

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn another_person_with_a_fitting_role_approves_once() {
    let (bench, folder) = (Arc::new(Bench::default()), tempfile::tempdir().unwrap());
    let acts = PendingActs::open(folder.path(), Arc::clone(&bench) as _, DAY).unwrap();
    let ana = actor(&bench, "ana", "c:1", &[Role::Dpo, Role::Operator]);
    let asked = acts.request(&ana, Act::Erase, erasure(), "her request of today").await.unwrap();
    assert_eq!((&asked["state"], &asked["waits-for"]), (&json!("waiting"), &json!(["operator", "dpo"])));
    assert!(!asked.to_string().contains("c:1"), "credentials are not shown");
    let id = asked["id"].as_str().unwrap();
    for (name, credential, roles, expected) in [
        ("ana", "c:1", &[Role::Dpo][..], 2321),
        ("ANA", "c:2", &[Role::Operator], 2321),
        ("bea", "c:1", &[Role::Operator], 2321),
        ("bea", "c:2", &[Role::Auditor], 2315),
        ("bea", "c:2", &[], 2314),
    ] {
        assert_eq!(code(acts.approve(&actor(&bench, name, credential, roles), id).await), expected, "{name} {credential}");
        assert!(bench.erased.lock().unwrap().is_empty());
    }
    let bea = actor(&bench, "bea", "c:2", &[Role::Operator]);
    assert_eq!(code(acts.approve(&bea, "nobody").await), 2320);
    let done = acts.approve(&bea, id).await.unwrap();
    assert_eq!((&done["state"], &done["approved-by"]["name"]), (&json!("done"), &json!("bea")));
    assert_eq!(code(acts.approve(&bea, id).await), 2323);
    assert_eq!(*bench.erased.lock().unwrap(), [PayloadId::new([7; 64])]);
    let told = bench.told.lock().unwrap().clone();
    for line in ["ana dpo erase requested", "bea auditor erase refused", "bea operator erase approved", "bea operator erase done"]
    {
        assert!(told.iter().any(|known| known == line), "{line} is missing in {told:#?}");
    }
}

#[tokio::test]
async fn two_approvals_at_once_do_it_once() {
    let (bench, folder) = (Arc::new(Bench::default()), tempfile::tempdir().unwrap());
    let acts = PendingActs::open(folder.path(), Arc::clone(&bench) as _, DAY).unwrap();
    let asked = acts.request(&actor(&bench, "ana", "c:1", &[Role::Dpo]), Act::Erase, erasure(), "x").await.unwrap();
    let id = asked["id"].as_str().unwrap();
    let people: Vec<Actor> = (2..20).map(|n| actor(&bench, &format!("p{n}"), &format!("c:{n}"), &[Role::Operator])).collect();
    let results = futures_util::future::join_all(people.iter().map(|person| acts.approve(person, id))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(bench.erased.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn acts_expire_and_survive_a_restart() {
    let (bench, folder) = (Arc::new(Bench::default()), tempfile::tempdir().unwrap());
    let (ana, bea) = (actor(&bench, "ana", "c:1", &[Role::Dpo]), actor(&bench, "bea", "c:2", &[Role::Operator]));
    let acts = PendingActs::open(folder.path(), Arc::clone(&bench) as _, Duration::ZERO).unwrap();
    let asked = acts.request(&ana, Act::Erase, erasure(), "x").await.unwrap();
    assert_eq!(asked["state"], "expired");
    assert_eq!(code(acts.approve(&bea, asked["id"].as_str().unwrap()).await), 2322);

    let acts = PendingActs::open(folder.path(), Arc::clone(&bench) as _, DAY).unwrap();
    let waiting = acts.request(&ana, Act::Erase, erasure(), "x").await.unwrap();
    let cut = acts.request(&ana, Act::Erase, erasure(), "y").await.unwrap();
    acts.begin(&bea, cut["id"].as_str().unwrap()).await.unwrap();
    std::fs::write(folder.path().join("torn.json"), "{\"id\":").unwrap();
    drop(acts);

    let acts = PendingActs::open(folder.path(), Arc::clone(&bench) as _, DAY).unwrap();
    assert_eq!(code(acts.approve(&bea, cut["id"].as_str().unwrap()).await), 2323, "what was interrupted is not run again");
    assert!(bench.erased.lock().unwrap().is_empty());
    acts.approve(&bea, waiting["id"].as_str().unwrap()).await.unwrap();
    assert_eq!(bench.erased.lock().unwrap().len(), 1);

    let acts = PendingActs::open(folder.path(), Arc::clone(&bench) as _, DAY).unwrap();
    assert_eq!(code(acts.approve(&bea, waiting["id"].as_str().unwrap()).await), 2323, "done stays done");
    let states: Vec<Value> = acts.list().await.as_array().unwrap().iter().map(|act| act["state"].clone()).collect();
    for state in ["expired", "interrupted", "done"] {
        assert!(states.iter().any(|known| known == state), "{state} is missing in {states:?}");
    }
}

#[tokio::test]
async fn a_failed_act_says_why_and_is_over() {
    let (bench, folder) = (Arc::new(Bench::default()), tempfile::tempdir().unwrap());
    let acts = PendingActs::open(folder.path(), Arc::clone(&bench) as _, DAY).unwrap();
    let ana = actor(&bench, "ana", "c:1", &[Role::Operator]);
    let asked = acts.request(&ana, Act::AcceptRollback, json!({}), "restored from the snapshot of May").await.unwrap();
    let id = asked["id"].as_str().unwrap();
    let gov = actor(&bench, "gov", "c:3", &[Role::Governor]);
    assert_eq!(code(acts.approve(&gov, id).await), 2325);
    assert_eq!(code(acts.approve(&gov, id).await), 2323);
    assert!(bench.told.lock().unwrap().contains(&"gov governor accept-rollback failed".to_owned()));
}

#[tokio::test]
async fn what_is_no_act_is_not_kept() {
    let (bench, folder) = (Arc::new(Bench::default()), tempfile::tempdir().unwrap());
    let acts = PendingActs::open(folder.path(), Arc::clone(&bench) as _, DAY).unwrap();
    let ana = actor(&bench, "ana", "c:1", &[Role::Dpo, Role::Operator]);
    let long = "a".repeat(MAX_REASON + 1);
    for (act, arguments, reason) in [
        (Act::Erase, json!({}), "x"),
        (Act::Erase, json!({"id": "AA=="}), "x"),
        (Act::Erase, json!({"id": erasure()["id"], "more": 1}), "x"),
        (Act::Erase, json!([]), "x"),
        (Act::Erase, erasure(), ""),
        (Act::Erase, erasure(), " "),
        (Act::Erase, erasure(), "a\nb"),
        (Act::Erase, erasure(), &long),
        (Act::AcceptRollback, json!({"force": true}), "x"),
        (Act::ReadStatus, json!({}), "x"),
    ] {
        assert_eq!(code(acts.request(&ana, act, arguments.clone(), reason).await), 2319, "{act} {arguments} {reason:?}");
    }
    let eve = actor(&bench, "eve", "c:9", &[Role::Operator, Role::Observer]);
    assert_eq!(code(acts.request(&eve, Act::Erase, erasure(), "x").await), 2315);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn one_person_fills_a_tenth_of_the_waiting_room_and_acts_are_taken_back() {
    let (bench, folder) = (Arc::new(Bench::default()), tempfile::tempdir().unwrap());
    let acts = PendingActs::open(folder.path(), Arc::clone(&bench) as _, DAY).unwrap();
    let person = |number: usize| actor(&bench, &format!("p{number}"), &format!("c:{number}"), &[Role::Dpo]);
    let ana = person(0);
    let mut ids = Vec::new();
    for _ in 0..MOST_OF_ONE {
        let asked = acts.request(&ana, Act::Erase, erasure(), "x").await.unwrap();
        ids.push(asked["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(code(acts.request(&ana, Act::Erase, erasure(), "x").await), 2329);
    let guise = actor(&bench, "P\u{200b}0", "c:x", &[Role::Dpo]);
    assert_eq!(code(acts.request(&guise, Act::Erase, erasure(), "x").await), 2329, "the same person");
    for number in 1..MOST_WAITING / MOST_OF_ONE {
        for _ in 0..MOST_OF_ONE {
            acts.request(&person(number), Act::Erase, erasure(), "x").await.unwrap();
        }
    }
    assert_eq!(code(acts.request(&person(99), Act::Erase, erasure(), "x").await), 2324);
    // Her own, and another's by a role that could approve it; nobody else.
    let other = |role| actor(&bench, "oto", "c:o", &[role]);
    assert_eq!(code(acts.withdraw(&other(Role::Observer), &ids[0]).await), 2315);
    assert_eq!(acts.withdraw(&ana, &ids[0]).await.unwrap()["state"], "withdrawn");
    acts.withdraw(&other(Role::Operator), &ids[1]).await.unwrap();
    assert_eq!(code(acts.withdraw(&ana, &ids[0]).await), 2323, "twice");
    assert_eq!(code(acts.approve(&other(Role::Operator), &ids[0]).await), 2323, "it is over");
    assert!(bench.told.lock().unwrap().contains(&"p0 dpo erase withdrawn".to_owned()));
    acts.request(&person(99), Act::Erase, erasure(), "x").await.unwrap();
    // Over a restart, too.
    drop(acts);
    let acts = PendingActs::open(folder.path(), Arc::clone(&bench) as _, DAY).unwrap();
    assert_eq!(code(acts.withdraw(&ana, &ids[1]).await), 2323);
}
