//! Privacy groups over the node surface, and their way to the other members.

use data_encoding::BASE64;
use serde_json::Value;

use crate::http::{Connection, JSON, OCTETS, V3, get, post};
use crate::network::Network;

async fn ask(node: &mut Connection, path: &str, body: &str) -> Value {
    let answer = node.send(&post(path, JSON, body)).await;
    assert_eq!((answer.status, answer.media()), (200, JSON), "{path}: {answer:?}");
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_known_to_every_member_until_it_is_deleted() {
    let network = Network::start().await;
    let (mut a, mut b) = (network.a.node().await, network.b.node().await);
    let members = format!(r#""addresses":["{}","{}"]"#, network.a.key(), network.b.key());
    let made =
        ask(&mut a, "/createPrivacyGroup", &format!(r#"{{{members},"name":"trade","description":null,"seed":"c2VlZA=="}}"#))
            .await;
    assert_eq!((&made["name"], &made["type"], &made["description"]), (&"trade".into(), &"PANTHEON".into(), &"".into()));
    let id = made["privacyGroupId"].as_str().unwrap();
    assert_eq!(BASE64.decode(id.as_bytes()).unwrap().len(), 32);
    let named = format!(r#"{{"privacyGroupId":"{id}"}}"#);
    for node in [&mut a, &mut b] {
        assert_eq!(ask(node, "/retrievePrivacyGroup", &named).await, made);
        assert_eq!(ask(node, "/findPrivacyGroup", &format!("{{{members}}}")).await, Value::from(vec![made.clone()]));
        let listed = node.send(&get("/groups/Pantheon").with("Accept", JSON)).await;
        assert_eq!((listed.media(), listed.json()), (JSON, Value::from(vec![made.clone()])));
    }
    let sent = a.send(&post("/send", V3, format!(r#"{{"payload":"c2VjcmV0","privacyGroupId":"{id}"}}"#))).await;
    assert_eq!(sent.status, 201, "{sent:?}");
    let path = format!("/transaction/{}", sent.member("key").replace('/', "%2F"));
    assert_eq!(b.send(&get(&path)).await.json()["privacyGroupId"], id);
    assert_eq!(ask(&mut a, "/deletePrivacyGroup", &named).await, id);
    for node in [&mut a, &mut b] {
        let gone = node.send(&post("/retrievePrivacyGroup", JSON, named.clone())).await;
        assert_eq!((gone.status, gone.text()), (404, format!("Privacy group {id} not found").as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_refused_to_strangers() {
    let network = Network::start().await;
    let mut node = network.a.node().await;
    let others = format!(r#"{{"addresses":["{}"]}}"#, network.b.key());
    let refused = node.send(&post("/createPrivacyGroup", JSON, others)).await;
    assert_eq!((refused.status, refused.header("celosia-error")), (403, Some("CEL2010")));
    let resident = node.send(&get("/groups/resident").with("Accept", JSON)).await;
    assert_eq!(
        (resident.status, resident.text()),
        (503, "Multiple private state feature is not available on this privacy manager")
    );
    let garbage = network.a.peers().await.send(&post("/pushPrivacyGroup", OCTETS, "secret")).await;
    assert_eq!((garbage.status, garbage.header("celosia-error")), (400, Some("CEL2005")), "{garbage:?}");
}
