//! The journal as a source of events for applications, signed with the node's key.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;

use super::StartError;
use crate::api::events::{EventItem, EventKind, Events, Feed, Sign, webhook};
use crate::config::Config;
use crate::crypto::sign::{Signature, VerifyKey};
use crate::net::Shutdown;
use crate::services::{Error, Node};
use crate::store::JournalRow;
use crate::types::PayloadId;

/// How often a waiting stream looks for a new row: two reads of an index a second cost nothing, and nobody is told later than this.
const LOOK: Duration = Duration::from_millis(250);
/// How often a signature is asked for again of an enclave that does not answer.
const AGAIN: Duration = Duration::from_millis(500);

struct Journal(Arc<Node>);

struct NodeKey(Arc<Node>, VerifyKey);

/// What events take from a record.
#[derive(Deserialize)]
struct Record {
    kind: String,
    at: u64,
    id: Option<PayloadId>,
    code: Option<String>,
}

#[async_trait]
impl Events for Journal {
    async fn since(&self, cursor: u64, limit: usize) -> Result<Vec<EventItem>, Error> {
        let rows = self.0.store().journal(cursor, limit).await?;
        Ok(rows.into_iter().zip(cursor..).map(|(row, index)| item(index, row)).collect())
    }

    async fn end(&self) -> Result<u64, Error> {
        Ok(self.0.store().journal_size().await?)
    }

    async fn wait(&self, cursor: u64) {
        while self.0.store().journal_size().await.is_ok_and(|size| size <= cursor) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn item(index: u64, row: JournalRow) -> EventItem {
    let JournalRow { commitment, content } = row;
    let content = content.map(|(salt, record)| (String::from_utf8_lossy(&record).into_owned(), salt));
    let record = content.as_ref().and_then(|(record, _)| serde_json::from_str::<Record>(record).ok());
    let kind = record.as_ref().and_then(|record| match record.kind.as_str() {
        "stored" => Some(EventKind::Stored),
        "received" => Some(EventKind::Received),
        "erased" => Some(EventKind::Erased),
        // Rules of the policy are 603x.
        "refused" if record.code.as_ref().is_some_and(|code| code.starts_with("CEL603")) => Some(EventKind::Violated),
        _ => None,
    });
    let (time_ms, about) = record.map_or((0, None), |record| (record.at, record.id));
    EventItem { index, time_ms, kind, about, content, commitment }
}

#[async_trait]
impl Sign for NodeKey {
    fn key(&self) -> VerifyKey {
        self.1
    }

    async fn sign(&self, message: &[u8]) -> Signature {
        loop {
            match self.0.enclave().sign(message.to_vec()).await {
                Ok(signature) => return signature,
                Err(error) => {
                    tracing::warn!(%error, "an event waits for its signature");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }
}

/// The feed of a governed node; webhooks begin to call. `None` without a journal.
pub(super) async fn open(
    config: &Config,
    data_dir: &std::path::Path,
    node: &Arc<Node>,
    shutdown: &Shutdown,
) -> Result<Option<Arc<Feed>>, StartError> {
    let (Some(_), Some(key)) = (node.governed(), node.enclave().verify_key()) else { return Ok(None) };
    let events: Arc<dyn Events> = Arc::new(Journal(Arc::clone(node)));
    let sign: Arc<dyn Sign> = Arc::new(NodeKey(Arc::clone(node), key));
    for table in &config.webhooks {
        let folder = data_dir.join("webhooks");
        webhook::start(table.settings()?, &folder, Arc::clone(&events), Arc::clone(&sign), shutdown).await?;
    }
    Ok(Some(Feed::new(events, sign, shutdown.clone())))
}
