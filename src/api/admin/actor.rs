use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Value, json};

use super::{Act, Record, Refusal, Role};

/// Who acts, authenticated. In the extensions of every request that [`super::Access`] let through; handlers take it as an argument.
#[derive(Clone)]
pub struct Actor(Arc<Inner>);

struct Inner {
    name: String,
    roles: Vec<Role>,
    credential: String,
    record: Arc<dyn Record>,
}

impl Actor {
    pub(super) fn new(name: String, roles: Vec<Role>, credential: String, record: Arc<dyn Record>) -> Self {
        Self(Arc::new(Inner { name, roles, credential, record }))
    }

    /// The name, from the configuration or from the token.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The roles.
    pub fn roles(&self) -> &[Role] {
        &self.0.roles
    }

    /// What was shown: `certificate:` and the hash of its key, or `oidc:` with issuer and subject. Equal for one key, whatever its certificate.
    pub fn credential(&self) -> &str {
        &self.0.credential
    }

    /// The role in which the actor may do this. Told to the record either way, where the table says so.
    pub async fn require(&self, act: Act) -> Result<Role, Refusal> {
        let rule = act.rule();
        let role = self.among(act, rule.roles, json!({})).await?;
        if rule.recorded && rule.second.is_none() {
            self.tell(role, act, "allowed", json!({})).await;
        }
        Ok(role)
    }

    /// The first of these roles that the actor holds; a refusal is told.
    pub(super) async fn among(&self, act: Act, roles: &[Role], details: Value) -> Result<Role, Refusal> {
        if let Some(role) = roles.iter().find(|role| self.0.roles.contains(role)) {
            return Ok(*role);
        }
        let Some(held) = self.0.roles.first() else {
            tracing::warn!(actor = self.name(), %act, "refused: the actor has no role");
            return Err(Refusal::NoRole);
        };
        if act.rule().recorded {
            self.tell(*held, act, "refused", details).await;
        } else {
            tracing::info!(actor = self.name(), %act, "refused: the role does not fit");
        }
        Err(Refusal::Role { act, roles: roles.to_vec() })
    }

    /// Tells an act of this actor.
    pub async fn tell(&self, role: Role, act: Act, outcome: &str, details: Value) {
        self.0.record.record(self.name(), role, act.name(), outcome, details).await;
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Actor({} as {:?})", self.name(), self.roles())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or(Refusal::AccessOff)
    }
}
