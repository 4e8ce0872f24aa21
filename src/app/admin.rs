//! The people of the admin surface, and what their dangerous acts do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::StartError;
use super::acceptance::Acceptances;
use crate::api::admin::{
    Access, AccessSettings, Acts, KnownCertificate, LogRecord, OidcSettings, PendingActs, Record, Refusal, Role,
};
use crate::config::{AccessTable, Config, OidcTable};
use crate::disclosure::GrantId;
use crate::erasure::{CaseId, HoldId};
use crate::net::tls::{ClientTls, TlsSettings, Trust};
use crate::services::Node;
use crate::types::PayloadId;

/// The door and what waits behind it.
#[derive(Clone)]
pub(super) struct Admin {
    pub(super) access: Arc<Access>,
    pub(super) acts: Arc<PendingActs>,
    /// TLS towards the issuer, to be kept fresh.
    pub(super) issuer: Option<Arc<ClientTls>>,
}

impl Admin {
    /// As configured; `None` without `[access]`.
    pub(super) fn open(config: &Config, data_dir: &Path, node: &Arc<Node>) -> Result<Option<Self>, StartError> {
        let Some(table) = &config.access else { return Ok(None) };
        let issuer = table.oidc.as_ref().map(issuer_tls).transpose()?.flatten();
        let record: Arc<dyn Record> =
            if node.governed().is_some() { Arc::new(Journalled(Arc::clone(node))) } else { Arc::new(LogRecord) };
        let runner = Arc::new(NodeActs { node: Arc::clone(node), journal: data_dir.join("journal") });
        let acts = PendingActs::open(&data_dir.join("acts"), runner, table.second_person_within)?;
        Ok(Some(Self { access: Access::new(settings(table, issuer.as_ref()), record), acts, issuer }))
    }
}

fn settings(table: &AccessTable, issuer: Option<&Arc<ClientTls>>) -> AccessSettings {
    let certificates = table.certificates.iter().map(|entry| KnownCertificate {
        name: entry.name.clone(),
        roles: entry.roles.clone(),
        fingerprint: entry.fingerprint.0,
    });
    let oidc = table.oidc.as_ref().map(|oidc| OidcSettings {
        issuer: oidc.issuer.0.clone(),
        audience: oidc.audience.clone(),
        role_claim: oidc.role_claim.clone(),
        name_claim: oidc.name_claim.clone(),
        roles: oidc.roles.iter().map(|(value, role)| (value.clone(), *role)).collect(),
        clients: oidc.clients.clone(),
        clock_skew: oidc.clock_skew,
        tls: issuer.cloned(),
    });
    AccessSettings { certificates: certificates.collect(), oidc, failures: table.failed_logins }
}

fn issuer_tls(oidc: &OidcTable) -> Result<Option<Arc<ClientTls>>, StartError> {
    if !oidc.issuer.is_tls() {
        return Ok(None);
    }
    let settings = TlsSettings { trust: Trust::Ca, roots: oidc.authorities(), ..TlsSettings::default() };
    Ok(Some(ClientTls::load(settings)?))
}

/// Dangerous acts, done by the node.
struct NodeActs {
    node: Arc<Node>,
    journal: PathBuf,
}

/// Acts go to the journal, allowed and refused.
struct Journalled(Arc<Node>);

#[async_trait]
impl Record for Journalled {
    async fn record(&self, actor: &str, role: Role, act: &str, outcome: &str, details: Value) {
        LogRecord.record(actor, role, act, outcome, details.clone()).await;
        self.0.note_act(actor, role.name(), act, outcome, details).await;
    }
}

#[async_trait]
impl Acts for NodeActs {
    async fn erase(&self, id: PayloadId) -> Result<Value, Refusal> {
        self.node.erase(id).await?;
        Ok(json!({ "erased": id.to_string() }))
    }

    async fn erase_case(&self, case: CaseId, actors: &str) -> Result<Value, Refusal> {
        Ok(json!(self.node.decide_erasure(case, actors).await?))
    }

    async fn release_hold(&self, hold: HoldId, actors: &str) -> Result<Value, Refusal> {
        Ok(json!(self.node.release_hold(hold, actors).await?))
    }

    async fn recover(&self, grant: GrantId, actors: &str) -> Result<Value, Refusal> {
        Ok(self.node.permit_recovery(grant, actors).await?)
    }

    async fn accept_rollback(&self, actors: &str, reason: &str) -> Result<Value, Refusal> {
        if self.node.governed().is_none_or(|governed| governed.halted().is_none()) {
            return Err(Refusal::NotApplicable("this node's log was not rolled back"));
        }
        let number =
            Acceptances::add(&self.journal, actors, reason).map_err(|error| Refusal::Folder(std::io::Error::other(error)))?;
        Ok(json!({ "log": number, "next": "start the node again: it goes on with a new log" }))
    }
}
