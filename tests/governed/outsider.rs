//! A member that keeps no rule: what it can make others do, write down, and tell.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use celosia::crypto::hash::sha256;
use celosia::crypto::padme::Padding;
use celosia::crypto::secret::Secret;
use celosia::net::native::{Admission, NativePool, NativeTls, Pin, pin_of};
use celosia::seal::celosia1::{Content, Pair, Parcel, Sealing, Statement, pair, parcel};
use celosia::services::{NativeAddress, NativePeers, PeerError, native_path as path};
use celosia::supervision::SupervisionCopy;
use celosia::types::{Address, Class, MemberId, PayloadId, Privacy};
use celosia::wire::ack::SignedAck;
use celosia::wire::header::day_of;
use celosia::wire::native::{Answer, Answers, Batch, Documents, Item, Message, Standing, Witness};
use celosia::wire::{Audience, Delivery, EpochKey, Header, header};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::http::Request;
use crate::member::{Member, percent};
use crate::net::Net;

const PATIENCE: Duration = Duration::from_secs(20);

struct Anybody;

impl Admission for Anybody {
    fn admitted(&self, _: &Pin) -> Option<MemberId> {
        None
    }
}

/// How a delivery differs from an honest one.
#[derive(Default)]
pub struct Forging<'a> {
    pub class: Option<Class>,
    /// What its capsule is made with.
    pub escrow: Option<Sealing<'a>>,
    /// What the box holds beside the data key.
    pub sigma: Option<&'a Secret<32>>,
    /// Recipients besides, and whether the recipient is shown that they are.
    pub also: &'a [Address],
    pub shown: bool,
    /// Done to the header before it is signed.
    pub alter: Option<&'a dyn Fn(&mut Header)>,
}

/// What was made for one recipient, and what a supervisor may be told of it.
pub struct Made {
    pub batch: Batch,
    pub header: Vec<u8>,
    pub signature: [u8; 64],
    pub seed: [u8; 32],
    pub recipients: Vec<Address>,
    pub id: PayloadId,
}

impl Made {
    /// The copy that is honest.
    pub fn copy(&self) -> SupervisionCopy {
        let Self { header, signature, seed, recipients, .. } = self;
        let (header, recipients) = (header.clone(), recipients.clone());
        SupervisionCopy { header, signature: *signature, seed: *seed, recipients, sealed: Vec::new() }
    }
}

/// A member of the network, spoken for by this test.
pub struct Outsider<'a> {
    net: &'a Net,
    runtime: Runtime,
    pool: Arc<NativePool>,
}

impl<'a> Outsider<'a> {
    /// Speaks for a member that does not run, or beside it.
    pub fn of(net: &'a Net, me: &Member) -> Self {
        let runtime = Runtime::new().unwrap();
        let tls = NativeTls::load(&me.folder.join("node.crt"), &me.folder.join("node.key"), Arc::new(Anybody)).unwrap();
        let pool = runtime.block_on(async { NativePool::new(tls) });
        Self { net, runtime, pool }
    }

    pub fn call(&self, to: &Member, path: &'static str, body: &impl Message) -> Result<Bytes, PeerError> {
        self.call_bytes(to, path, body.to_bytes())
    }

    /// The same with a body that is no message.
    pub fn call_bytes(&self, to: &Member, path: &'static str, body: Vec<u8>) -> Result<Bytes, PeerError> {
        let certificate = CertificateDer::from_pem_file(to.folder.join("node.crt")).unwrap();
        let endpoint = format!("https://127.0.0.1:{}/", to.native_port).parse().unwrap();
        let address = NativeAddress { member: to.id.parse().unwrap(), endpoint, pin: pin_of(&certificate).unwrap() };
        self.runtime.block_on(self.pool.call(&address, path, body.into(), PATIENCE))
    }

    /// The signed epoch key of a member, and its private half.
    pub fn epoch(&self, of: &Member) -> (EpochKey, [u8; 32]) {
        // The same at every call: boxes are made with it.
        let private = sha256(&[b"epoch", &of.seed]);
        let (network, member) = (self.net.governors.network(), of.id.parse().unwrap());
        let mut key = EpochKey { network, member, day: day_of(now()), public: pair::public(&private), signature: [0; 64] };
        key.signature = of.signing().sign(&key.statement());
        (key, private)
    }

    /// A ciphertext for one member, under the header and in the name of any other.
    pub fn addressed(&self, content: &Content, by: &Member, to: &Member) -> Batch {
        self.forged(content, by, to, &Forging::default())
    }

    /// The same, as a sender makes it that keeps no rule.
    pub fn forged(&self, content: &Content, by: &Member, to: &Member, forging: &Forging<'_>) -> Batch {
        self.made(content, by, to, forging).batch
    }

    /// The same, with what a supervisor is told of.
    pub fn made(&self, content: &Content, by: &Member, to: &Member, forging: &Forging<'_>) -> Made {
        let recipient: Address = to.keys.public.parse().unwrap();
        let mut made = self.stated(content, by, [&[recipient], forging.also].concat(), forging);
        let proved = if forging.shown { &made.recipients[..] } else { &made.recipients[..1] };
        let delivery = self.parcel((content, &made), by, to, &content.data_key, forging.sigma, proved);
        let item = Item { suite: 1, body: delivery.encode().to_vec().into(), upload: None };
        made.batch = Batch { epoch: self.epoch(by).0.encode().into(), items: vec![item], filler: Vec::new().into() };
        made
    }

    /// A signed header alone.
    pub fn stated(&self, content: &Content, by: &Member, recipients: Vec<Address>, forging: &Forging<'_>) -> Made {
        let (network, member) = (self.net.governors.network(), by.id.parse::<MemberId>().unwrap());
        let statement = Statement {
            network: &network,
            member: &member,
            sender: by.keys.public.parse().unwrap(),
            policy: self.net.governors.charter.policy_version(),
            class: forging.class.unwrap_or_default(),
            time: now(),
            privacy: &Privacy::default(),
            recipients: &recipients,
            escrow: forging.escrow,
        };
        let seed = Secret::random();
        let (mut header, _, _) = statement.about(content, &seed).unwrap();
        if let Some(alter) = forging.alter {
            let mut altered = Header::decode(&header).unwrap();
            alter(&mut altered);
            header = altered.encode();
        }
        let signature = by.signing().sign(&header::signed(&network, &header));
        let batch = Batch { epoch: Vec::new().into(), items: Vec::new(), filler: Vec::new().into() };
        Made { batch, header, signature, seed: *seed.expose(), recipients, id: content.id }
    }

    /// What was made, in a box for a member.
    pub fn parcel(
        &self,
        (content, made): (&Content, &Made),
        by: &Member,
        to: &Member,
        data_key: &Secret<32>,
        sigma: Option<&Secret<32>>,
        proved: &[Address],
    ) -> Delivery {
        let (network, member) = (self.net.governors.network(), by.id.parse::<MemberId>().unwrap());
        let (epoch, private) = self.epoch(by);
        let theirs = EpochKey::decode(&self.call(to, path::EPOCH, &None::<u8>).unwrap()).unwrap();
        let keys = Pair::agree(&network, &private, &epoch.public, &theirs.public).unwrap();
        let audience = Audience::new(&Secret::from_slice(&made.seed).unwrap(), made.recipients.iter()).unwrap();
        let openings: Vec<_> = proved.iter().map(|address| audience.opening(address).unwrap()).collect();
        let parcel = Parcel { data_key, sigma, openings: &openings, signature: &made.signature, header: &made.header };
        let (from, to, day, box_nonce) = (epoch.public, theirs.public, epoch.day, [9; 24]);
        let sealed = parcel.seal(keys.sending.expose(), &box_nonce, parcel::Route { from: &from, to: &to, day, id: &made.id });
        let (nonce, ciphertext, sealed) = (content.nonce, content.ciphertext.clone(), sealed.unwrap());
        Delivery { member, from, day, to, box_nonce, sealed, nonce, ciphertext }
    }

    pub fn deliver(&self, to: &Member, batch: &Batch) -> Vec<Answer> {
        Answers::from_bytes(&self.call(to, path::DELIVER, batch).unwrap()).unwrap().items
    }
}

pub fn now() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis().try_into().unwrap()
}

/// Rows of a journal that hold a text.
pub fn rows(of: &Member, text: &str) -> usize {
    let export = Request::get("/journal/export").send(&of.admin).must(200).text();
    export.lines().filter(|line| line.contains(text)).count()
}

fn lines(of: &Member, text: &str) -> usize {
    of.log().lines().filter(|line| line.contains(text)).count()
}

/// A recipient has the data key. It sends the ciphertext on in its own name, and learns nothing of who else has it.
#[test]
fn a_recipient_cannot_ask_who_else_has_a_payload() {
    let mut net = Net::prepare(&["a", "b", "c"]);
    net.members[1].start();
    let (a, b, c) = (net.at(0), net.at(1), net.at(2));
    let network = net.governors.network();
    let made = || Content::seal(&network, &"a".parse().unwrap(), Padding::PadmeKib, b"a contract");
    let (held, unknown) = (made(), made());
    let sender = Outsider::of(&net, a);
    let answers = sender.deliver(b, &sender.addressed(&held, a, b));
    let [Answer::Taken { ack, .. }] = &answers[..] else { panic!("{answers:?}\n{}", b.log()) };
    assert!(SignedAck::decode(ack).unwrap().ack.durable);
    let asker = Outsider::of(&net, c);
    let asked = [&held, &unknown].map(|content| asker.deliver(b, &asker.addressed(content, c, b)));
    assert_eq!(asked[0], asked[1], "it is told whether b has it");
    assert!(matches!(asked[0][..], [Answer::Refused { code: 5022, .. }]), "{asked:?}");
}

#[test]
fn a_batch_is_bounded_and_its_refusals_are_one_line() {
    let mut net = Net::prepare(&["b", "c"]);
    net.members[0].start();
    let (b, c) = (net.at(0), net.at(1));
    let outsider = Outsider::of(&net, c);
    let batch = |items: usize| {
        let item = Item { suite: 9, body: Vec::new().into(), upload: None };
        Batch { epoch: outsider.epoch(c).0.encode().into(), items: vec![item; items], filler: Vec::new().into() }
    };
    assert_eq!(outsider.deliver(b, &batch(64)).len(), 64);
    assert_eq!(lines(b, "were refused"), 1, "{}", b.log());
    for many in [65, 1_000_000] {
        let refused = outsider.call(b, path::DELIVER, &batch(many));
        assert!(matches!(refused, Err(PeerError::Refused { status: 400, .. })), "{many}: {refused:?}");
    }
    assert_eq!(lines(b, "were refused"), 1);
}

/// What a member says, however often and however different, is a few rows and lines in an hour, and told as what it says.
#[test]
fn hearsay_fills_neither_journal_nor_log() {
    let mut net = Net::prepare(&["b", "c"]);
    net.members[0].start();
    let (b, c) = (net.at(0), net.at(1));
    let outsider = Outsider::of(&net, c);
    for number in 0..300 {
        let said = Standing { version: b.version(), hash: number, known: Vec::new().into(), clock: number, asks: false };
        outsider.call(b, path::STANDING, &said).unwrap();
    }
    b.wait_until(|| rows(b, "says that it has another document") > 0, "the fork is not journalled");
    assert!((1..=16).contains(&rows(b, "says that it has another document")));
    assert!((1..=16).contains(&lines(b, "a member says that it has another document")));
    assert!((1..=2).contains(&lines(b, "CEL3206")), "{}", b.log());

    let texts = |round: u32, count: usize| {
        let text = |number| format!("text {round}/{number}\n\n\u{2014} ana AAAAAAA=\n");
        Documents { notes: (0..count).map(text).collect(), delta: None }
    };
    let before = rows(b, "\"refused\"");
    for round in 0..5 {
        outsider.call(b, path::TAKE, &texts(round, 64)).unwrap();
    }
    assert!(matches!(outsider.call(b, path::TAKE, &texts(9, 65)), Err(PeerError::Refused { status: 400, .. })));
    assert_eq!(rows(b, "\"refused\""), before, "no governor signed them");
    assert!((1..=16).contains(&lines(b, "a document was refused")));

    let checkpoint = |number: u64| {
        let log = celosia::services::log_name(&net.governors.network(), &"c".parse().unwrap(), number);
        let hash = data_encoding::BASE64.encode(&[7; 32]);
        let checkpoint = format!("{log}\n1\n{hash}\n\n\u{2014} c AAAAAAA=\n");
        Witness { log, checkpoint, from: 0, proof: Vec::new().into() }
    };
    for number in 2..100 {
        outsider.call(b, path::WITNESS, &checkpoint(number)).unwrap();
    }
    assert_eq!((rows(b, "began another log"), lines(b, "begins another log")), (0, 0), "none began");
}

/// GoQuorum's rules let a recipient pass over what builds on a transaction that it does not have. It keeps nothing, and says so.
#[test]
fn a_delivery_that_is_passed_over_is_no_delivery_in_the_receipt() {
    let net = Net::start(&["a", "b"]);
    let (a, b) = (net.at(0), net.at(1));
    let send = |affected: &[&str]| {
        let body = json!({
            "payload": "aG9sYQ==", "from": a.keys.public, "to": [b.keys.public], "privacyFlag": 3, "execHash": "cm9vdA==",
            "affectedContractTransactions": affected,
        });
        let answer = Request::post("/send", crate::http::JSON_2_1, body.to_string().as_bytes()).send(&a.node).must(201);
        answer.json()["key"].as_str().unwrap().to_owned()
    };
    let acks = |id: &str| {
        let receipt = Request::get(&format!("/receipts/{}", percent(id))).send(&a.admin).must(200);
        celosia::wire::Receipt::decode(&receipt.body).unwrap().acks.len()
    };
    let first = send(&[]);
    assert_eq!(acks(&first), 1);
    Request::new("DELETE", &format!("/transaction/{}", percent(&first))).send(&b.node).must(204);
    let second = send(&[&first]);
    assert_eq!((b.receive(&second), acks(&second)), (None, 0), "{}", b.log());
}

/// The admin surface without people: a web page that made its name point here, and one that sends what needs no leave.
#[test]
fn no_web_page_reads_the_admin_surface_or_brings_documents() {
    let mut net = Net::prepare(&["b"]);
    net.members[0].start();
    let b = net.at(0);
    let crate::http::Target::Tcp(port) = b.admin else { unreachable!("a port") };
    let ask = |host: &str| {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let request = format!("GET /governance/traffic?days=7 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        answer
    };
    for host in ["evil.example", "evil.example:80", &format!("localhost.evil.example:{port}")] {
        let answer = ask(host);
        assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("CEL2327"), "{host}: {answer}");
    }
    for host in ["localhost".to_owned(), format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        assert!(ask(&host).starts_with("HTTP/1.1 200"), "{host}");
    }
    let note = net.governors.notes[0].to_string();
    for media in ["text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let answer = Request::post("/governance/documents", media, note.as_bytes()).send(&b.admin);
        assert_eq!((answer.status, answer.header("celosia-error")), (415, Some("CEL2328")), "{media}");
    }
    for media in ["application/vnd.celosia.note", "application/octet-stream"] {
        Request::post("/governance/documents", media, note.as_bytes()).send(&b.admin).must(200);
    }
}
