use async_trait::async_trait;
use serde_json::Value;

use super::Role;

/// Where acts are told to: the journal. Every act is told with its actor, whether it was allowed or refused.
#[async_trait]
pub trait Record: Send + Sync + 'static {
    /// Tells one act. `outcome` is `allowed`, `refused`, `requested`, `approved`, `done` or `failed`; `details` holds no payload and no credential.
    async fn record(&self, actor: &str, role: Role, act: &str, outcome: &str, details: Value);
}

/// Tells acts to the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogRecord;

#[async_trait]
impl Record for LogRecord {
    async fn record(&self, actor: &str, role: Role, act: &str, outcome: &str, details: Value) {
        tracing::info!(actor, %role, act, outcome, %details, "admin act");
    }
}
