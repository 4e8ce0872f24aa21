use tokio_util::sync::CancellationToken;

use super::*;
use crate::crypto::secret::Secret;
use crate::enclave::contract::{Subject, contract, local};
use crate::enclave::proto;
use crate::enclave::server::Server;

contract!(remote);

/// The enclave of [`local`] behind a server, reached over a socket in a temporary folder.
fn remote(keys: Vec<Secret<32>>) -> Subject {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("enclave.sock");
    let inner = local(keys);
    let server = Server::bind(&path, Arc::clone(&inner.enclave)).expect("free");
    let stop = CancellationToken::new();
    tokio::spawn(server.serve(stop.clone()));
    let connected = RemoteEnclave::connect(&path, Duration::ZERO);
    let enclave = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(connected)).expect("listens");
    Subject { enclave: Arc::new(enclave), _alive: vec![Box::new(inner), Box::new(stop.drop_guard()), Box::new(folder)] }
}

fn plain(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.to_vec())
}

#[tokio::test]
async fn calls_fail_while_it_is_gone_and_work_when_it_is_back() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("enclave.sock");
    let inner = local(vec![Secret::random()]);
    let absent = RemoteEnclave::connect(&path, Duration::ZERO).await.expect_err("nobody there");
    assert!(matches!(&absent, EnclaveError::Unavailable(why) if why.contains("enclave.sock")), "{absent}");

    let serve = || {
        let stop = CancellationToken::new();
        let server = Server::bind(&path, Arc::clone(&inner.enclave)).expect("free");
        (tokio::spawn(server.serve(stop.clone())), stop)
    };
    let (serving, stop) = serve();
    let enclave = RemoteEnclave::connect(&path, Duration::ZERO).await.expect("listens");
    assert_eq!(format!("{enclave:?}"), format!("RemoteEnclave({})", path.display()));
    let raw = enclave.seal_raw(plain(b"kept"), enclave.addresses()[0]).await.expect("seals");
    stop.cancel();
    serving.await.expect("ends");
    assert!(!path.exists(), "the socket file goes with the server");
    for _ in 0..3 {
        assert!(matches!(enclave.ping().await, Err(EnclaveError::Unavailable(_))));
    }
    let (_serving, _stop) = serve();
    let patience = Instant::now() + Duration::from_secs(5);
    while enclave.ping().await.is_err() {
        assert!(Instant::now() < patience, "never came back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let opened = enclave.open(raw.id, &raw.head, raw.nonce, raw.ciphertext).await.expect("the same enclave");
    assert_eq!(opened.plaintext.as_slice(), b"kept");
}

#[tokio::test]
async fn what_was_taken_is_answered_before_the_end() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("enclave.sock");
    let inner = local(vec![Secret::random()]);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(Server::bind(&path, Arc::clone(&inner.enclave)).expect("free").serve(stop.clone()));
    let enclave = RemoteEnclave::connect(&path, Duration::ZERO).await.expect("listens");
    let sender = enclave.addresses()[0];
    // The server takes calls in their order: once the ping is answered it has the other one, which takes longer.
    let (sealed, ()) = tokio::join!(enclave.seal_raw(plain(&vec![1; 5_000_000]), sender), async {
        enclave.ping().await.expect("answers");
        stop.cancel();
    });
    assert_eq!(sealed.expect("answered").ciphertext.len(), 5_000_016);
    serving.await.expect("ends");
}

/// Whoever listens there, says something else: the node must neither hang nor panic.
#[tokio::test]
async fn impostors_are_refused() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let hello = |version, count| {
        let addresses = vec![Address::new([1; 32]); count];
        proto::encode(0, &Response::Hello(version, addresses)).expect("fits").to_vec()
    };
    let done = proto::encode(0, &Response::Done).expect("fits").to_vec();
    let cases = [
        (hello(1, 1), "another version"),
        (hello(proto::VERSION, 0), "no keys"),
        (done, "no enclave"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "broke"),
        (vec![0, 0, 0, 2, 0xff, 0xff], "broke"),
        (Vec::new(), "broke"),
    ];
    for (answer, why) in cases {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("enclave.sock");
        let listener = tokio::net::UnixListener::bind(&path).expect("free");
        let impostor = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a node");
            let mut asked = [0; 4];
            stream.read_exact(&mut asked).await.expect("a request");
            stream.write_all(&answer).await.expect("reads");
        });
        let refused = RemoteEnclave::connect(&path, Duration::ZERO).await.expect_err("an impostor");
        assert!(refused.to_string().contains(why), "{refused}: {why}");
        impostor.await.expect("ends");
    }
}

/// A client that sends rubbish loses its connection; the others go on.
#[tokio::test]
async fn rubbish_closes_only_its_own_connection() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("enclave.sock");
    let inner = local(vec![Secret::random()]);
    let server = Server::bind(&path, Arc::clone(&inner.enclave)).expect("free");
    tokio::spawn(server.serve(CancellationToken::new()));
    let enclave = RemoteEnclave::connect(&path, Duration::ZERO).await.expect("listens");
    for rubbish in [&[0xff_u8; 64][..], &[0, 0, 0, 1, 0xff], &[0, 0, 0, 0]] {
        let mut stream = tokio::net::UnixStream::connect(&path).await.expect("listens");
        stream.write_all(rubbish).await.expect("writes");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty());
        enclave.ping().await.expect("goes on");
    }
}
