//! The physical limit on this machine: bare HTTP over the same kind of socket, and one group-committed fsync.

use std::convert::Infallible;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixListener;
use tokio::sync::oneshot;

type Commit = (Bytes, oneshot::Sender<()>);

/// Serves in this process until its future is dropped: GET is 404 at once, POST is 201 once its body is appended and fsynced.
pub(crate) async fn serve(folder: &Path) -> anyhow::Result<()> {
    let listener = UnixListener::bind(folder.join("floor.ipc")).context("cannot listen for the floor")?;
    let file = File::create(folder.join("floor.log")).context("cannot write the floor's file")?;
    let (commits, waiting) = mpsc::channel::<Commit>();
    std::thread::spawn(move || commit(file, &waiting));
    loop {
        let (stream, _) = listener.accept().await?;
        let commits = commits.clone();
        let service = service_fn(move |request| answer(request, commits.clone()));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(request: Request<Incoming>, commits: mpsc::Sender<Commit>) -> Result<Response<Full<Bytes>>, Infallible> {
    let status = if request.method() == Method::POST {
        let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
        let (done, durable) = oneshot::channel();
        let accepted = commits.send((body, done)).is_ok() && durable.await.is_ok();
        if accepted { StatusCode::CREATED } else { StatusCode::INTERNAL_SERVER_ERROR }
    } else {
        StatusCode::NOT_FOUND
    };
    let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
    *response.status_mut() = status;
    Ok(response)
}

/// One fsync for all that wait. Ends when the server is gone, or the disk refuses.
fn commit(mut file: File, waiting: &mpsc::Receiver<Commit>) {
    while let Ok(first) = waiting.recv() {
        let batch: Vec<Commit> = std::iter::once(first).chain(waiting.try_iter()).collect();
        let written = batch.iter().try_for_each(|(body, _)| file.write_all(body)).and_then(|()| file.sync_data());
        if written.is_err() {
            return;
        }
        for (_, done) in batch {
            // A client that went away wants no answer.
            let _ = done.send(());
        }
    }
}
