//! A network of four members: three full ones, of which the third has two keys, and one without enhanced privacy.

use data_encoding::BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Answer;
use crate::keys::random_bytes;
use crate::member::{Maker, Member};

pub(crate) struct Net {
    pub(crate) members: Vec<Member>,
    _folder: TempDir,
}

impl Net {
    pub(crate) fn start(makers: &[Maker]) -> Self {
        Self::start_with(makers, |_, _| {})
    }

    /// `change` may alter each member's configuration, given its place.
    pub(crate) fn start_with(makers: &[Maker], change: impl Fn(usize, &mut Member)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut members: Vec<Member> =
            makers.iter().enumerate().map(|(i, maker)| Member::prepare(*maker, &folder.path().join(format!("m{i}")))).collect();
        let urls: Vec<String> = members.iter().map(Member::url).collect();
        for (place, member) in members.iter_mut().enumerate() {
            member.set_peers(&urls);
            change(place, member);
        }
        for member in &mut members {
            member.spawn(&[]);
        }
        members.iter_mut().for_each(Member::wait);
        let net = Self { members, _folder: folder };
        net.meet();
        net
    }

    /// The network of the table.
    pub(crate) fn of_the_table(makers: [Maker; 4]) -> Self {
        Self::start_with(&makers, |place, member| match place {
            2 => member.add_inline_key(),
            3 => member.config["features"]["enablePrivacyEnhancements"] = json!("false"),
            _ => {}
        })
    }

    /// Until every member can send to every other.
    pub(crate) fn meet(&self) {
        let keys: Vec<&str> = self.members.iter().flat_map(|member| &member.keys).map(|key| key.public.as_str()).collect();
        self.members.iter().for_each(|member| member.wait_for_keys(&keys));
    }

    pub(crate) fn a(&self) -> &Member {
        &self.members[0]
    }

    pub(crate) fn b(&self) -> &Member {
        &self.members[1]
    }

    /// The one with two keys.
    pub(crate) fn c(&self) -> &Member {
        &self.members[2]
    }

    /// The one without enhanced privacy.
    pub(crate) fn d(&self) -> &Member {
        &self.members[3]
    }
}

/// A request of `/send` with a fresh payload.
pub(crate) fn request(from: &Member, to: &[&Member]) -> Value {
    let to: Vec<&str> = to.iter().map(|member| member.key()).collect();
    json!({ "payload": BASE64.encode(&random_bytes(100)), "from": from.key(), "to": to })
}

/// The same with a privacy flag and affected transactions.
pub(crate) fn private_request(from: &Member, to: &[&Member], flag: u8, affected: &[&str]) -> Value {
    let mut request = request(from, to);
    request["privacyFlag"] = json!(flag);
    request["affectedContractTransactions"] = json!(affected);
    if flag == 3 {
        request["execHash"] = json!(BASE64.encode(&random_bytes(32)));
    }
    request
}

/// Sends a request, which must succeed; the id.
#[track_caller]
pub(crate) fn send(from: &Member, request: &Value) -> String {
    id_of(&from.post("/send", request).must(201))
}

#[track_caller]
pub(crate) fn id_of(answer: &Answer) -> String {
    answer.json()["key"].as_str().expect("a key").to_owned()
}

/// `/transaction/…`, percent-encoded as much as may be.
pub(crate) fn path_of(id: &str) -> String {
    format!("/transaction/{}", encode(id))
}

pub(crate) fn encode(id: &str) -> String {
    id.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")
}

/// As GoQuorum writes it: only the slash is encoded.
pub(crate) fn node_path_of(id: &str) -> String {
    format!("/transaction/{}", id.replace('/', "%2F"))
}

/// That member opens that transaction and finds the payload of that request.
#[track_caller]
pub(crate) fn holds(member: &Member, id: &str, request: &Value) -> Value {
    let answer = member.get(&path_of(id)).must(200).json();
    assert_eq!(answer["payload"], request["payload"], "the payload at {}", member.url());
    answer
}

/// That member says that there is nothing under that id.
#[track_caller]
pub(crate) fn lacks(member: &Member, id: &str) {
    let answer = member.get(&path_of(id)).must(404);
    assert_eq!(answer.text(), format!("Message with hash {id} was not found"));
}

/// An id that nobody has.
pub(crate) fn unknown_id() -> String {
    BASE64.encode(&random_bytes(64))
}

pub(crate) fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|text| text.as_str().expect("a text").into()).collect()
}

pub(crate) fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list
}
