//! The people that the issuer knows, and what the node makes of them.

use serde_json::{Value, json};

use crate::issuer::Issuer;

pub fn people() -> Value {
    json!({
        "ana": { "roles": ["dpo"], "name": "Ana Díaz" },
        "bea": { "roles": ["operator", "cook"], "name": "Bea Ruiz" },
        // Ana's second account: the same name.
        "ana-2": { "roles": ["operator"], "name": "Ana Díaz" },
        "gov": { "roles": ["governor"], "name": "Gil" },
        "oto": { "roles": ["observer"], "name": "Oto" },
        "aud": { "roles": ["auditor"], "name": "Aura" },
        "nil": { "roles": ["cook"], "name": "Nil" },
        "eve": { "name": "Eve" },
    })
}

/// An `[access]` that takes the issuer's tokens; `more` goes into the table itself.
pub fn access(issuer: &Issuer, more: &str) -> String {
    format!("[access]\n{more}\n[access.oidc]\nissuer = \"{}\"\naudience = \"member1\"\nname-claim = \"name\"", issuer.url())
}
