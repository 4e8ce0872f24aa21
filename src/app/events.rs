//! Events of the journal for applications: the stream, and the webhooks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::StartError;
use crate::api::events::{EventItem, EventKind, Events, Feed, Sign, webhook};
use crate::config::Config;
use crate::crypto::sign::{Signature, VerifyKey};
use crate::net::Shutdown;
use crate::net::tls::{self, ClientTls};
use crate::services::{Error, Node};
use crate::types::ItemId;

/// How often the journal is asked whether there is more. An event is in the log within a second, so its readers may wait a part of one.
const LOOK: Duration = Duration::from_millis(200);

/// The stream of a node that has a journal.
pub(super) fn feed(node: &Arc<Node>, shutdown: &Shutdown) -> Option<Arc<Feed>> {
    let key = key(node)?;
    Some(Feed::new(Arc::new(Journal(Arc::clone(node))), Arc::new(Signing(Arc::clone(node), key)), shutdown.clone()))
}

/// Starts the webhooks of a node that has a journal.
pub(super) async fn start_webhooks(
    config: &Config,
    data_dir: &Path,
    node: &Arc<Node>,
    shutdown: &Shutdown,
) -> Result<(), StartError> {
    let Some(key) = key(node) else { return Ok(()) };
    let mut fresh: Vec<Arc<ClientTls>> = Vec::new();
    for table in &config.webhooks {
        let settings = table.settings()?;
        fresh.extend(settings.tls.clone());
        let (events, sign) = (Arc::new(Journal(Arc::clone(node))), Arc::new(Signing(Arc::clone(node), key)));
        webhook::start(settings, &data_dir.join("webhooks"), events, sign, shutdown).await?;
    }
    if !fresh.is_empty() {
        tls::keep_fresh(Vec::new(), fresh, shutdown);
    }
    Ok(())
}

/// The key that signs events; `None` without a journal.
fn key(node: &Arc<Node>) -> Option<VerifyKey> {
    node.governed()?.chronicle()?;
    node.enclave().verify_key()
}

/// The rows of the store.
struct Journal(Arc<Node>);

#[async_trait]
impl Events for Journal {
    async fn since(&self, cursor: u64, limit: usize) -> Result<Vec<EventItem>, Error> {
        let rows = self.0.store().journal(cursor, limit).await?;
        let items = (cursor..).zip(rows).map(|(index, row)| {
            let content = row.content.and_then(|(salt, record)| Some((String::from_utf8(record.to_vec()).ok()?, salt)));
            let record: Value = content.as_ref().and_then(|(record, _)| serde_json::from_str(record).ok()).unwrap_or_default();
            EventItem {
                index,
                time_ms: record["at"].as_u64().unwrap_or_default(),
                kind: kind(&record),
                about: record["id"].as_str().or(record["document"].as_str()).and_then(|id| id.parse::<ItemId>().ok()),
                content,
                commitment: row.commitment,
            }
        });
        Ok(items.collect())
    }

    async fn end(&self) -> Result<u64, Error> {
        Ok(self.0.store().journal_size().await?)
    }

    async fn wait(&self, cursor: u64) {
        // A store that cannot be read is told of by the next reading.
        while self.0.store().journal_size().await.is_ok_and(|size| size <= cursor) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// What a record's kind tells applications.
fn kind(record: &Value) -> Option<EventKind> {
    match record["kind"].as_str()? {
        // Rules of the policy are 603x; refused documents and logs of others are not for applications.
        "refused" => record["code"].as_str().filter(|code| code.starts_with("CEL603")).map(|_| EventKind::Violated),
        other => EventKind::ALL.into_iter().find(|kind| kind.name() == other),
    }
}

/// The enclave's signing key.
struct Signing(Arc<Node>, VerifyKey);

#[async_trait]
impl Sign for Signing {
    fn key(&self) -> VerifyKey {
        self.1
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
        Ok(self.0.enclave().sign(message.to_vec()).await?)
    }
}
