//! What the claims of a verified token say.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use crate::api::admin::{Refusal, Role};
use crate::net::PeerCertificate;
use crate::types::is_hidden;

/// Longest name of a person, in bytes: it is written to logs and to the journal.
const MAX_NAME: usize = 128;

/// Values of a role claim that are looked at.
const MAX_VALUES: usize = 256;

/// A claim by its name, else by a path of names with dots between them.
fn find<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    let mut spot = claims.get(first)?;
    for name in rest.split('.') {
        spot = spot.get(name)?;
    }
    Some(spot)
}

/// A text that can stand in a log: not empty, not long, nothing invisible.
pub(super) fn text(claims: &Map<String, Value>, path: &str) -> Option<String> {
    let text = find(claims, path)?.as_str()?;
    let is_fit = !text.is_empty() && text.len() <= MAX_NAME && text.trim() == text && !text.chars().any(is_hidden);
    is_fit.then(|| text.to_owned())
}

/// The roles: from a list of texts, or a text with spaces between the values, as in `scope`.
pub(super) fn roles(claims: &Map<String, Value>, path: &str, meanings: &[(String, Role)]) -> Vec<Role> {
    let values: Vec<&str> = match find(claims, path) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).take(MAX_VALUES).collect(),
        Some(Value::String(text)) => text.split(' ').take(MAX_VALUES).collect(),
        _ => Vec::new(),
    };
    let means = |role: Role| {
        if meanings.is_empty() {
            return values.contains(&role.name());
        }
        meanings.iter().any(|(value, meaning)| *meaning == role && values.contains(&value.as_str()))
    };
    Role::ALL.into_iter().filter(|role| means(*role)).collect()
}

/// A bound token counts only with what it is bound to: here, the certificate of this connection (RFC 8705 section 3).
pub(super) fn check_binding(claims: &Map<String, Value>, certificate: Option<&PeerCertificate>) -> Result<(), Refusal> {
    let Some(binding) = claims.get("cnf") else { return Ok(()) };
    let bound_to = binding.get("x5t#S256").and_then(Value::as_str).ok_or(Refusal::TokenClaim("cnf"))?;
    let is_it = certificate.is_some_and(|certificate| BASE64URL_NOPAD.encode(&certificate.der) == bound_to);
    if is_it { Ok(()) } else { Err(Refusal::TokenClaim("cnf")) }
}

/// The client that the token was given to, where only some are taken.
pub(super) fn check_client(claims: &Map<String, Value>, clients: &[String]) -> Result<(), Refusal> {
    if clients.is_empty() {
        return Ok(());
    }
    let client = claims.get("azp").or_else(|| claims.get("client_id")).and_then(Value::as_str);
    let is_one = client.is_some_and(|client| clients.iter().any(|known| known == client));
    if is_one { Ok(()) } else { Err(Refusal::TokenClaim("azp")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn roles_are_found_where_issuers_put_them() {
        let meanings = [("celosia-op".to_owned(), Role::Operator), ("dpd".to_owned(), Role::Dpo)];
        for (value, path, meanings, expected) in [
            (json!({"roles": ["operator", "cook"]}), "roles", &[][..], vec![Role::Operator]),
            (json!({"realm_access": {"roles": ["dpd"]}}), "realm_access.roles", &meanings[..], vec![Role::Dpo]),
            (json!({"https://x.example/roles": ["celosia-op"]}), "https://x.example/roles", &meanings, vec![Role::Operator]),
            (json!({"scope": "openid celosia-op dpd"}), "scope", &meanings, vec![Role::Operator, Role::Dpo]),
            // With meanings, our own names mean nothing.
            (json!({"roles": ["operator"]}), "roles", &meanings, vec![]),
            (json!({"roles": {"operator": true}}), "roles", &[], vec![]),
            (json!({"roles": [["operator"], 7, null]}), "roles", &[], vec![]),
            (json!({"roles": "Operator"}), "roles", &[], vec![]),
            (json!({}), "a.b.c", &[], vec![]),
        ] {
            assert_eq!(roles(&claims(value.clone()), path, meanings), expected, "{value} {path}");
        }
    }

    #[test]
    fn names_that_could_forge_a_line_of_the_log_are_none() {
        let long = "a".repeat(MAX_NAME + 1);
        for bad in [
            json!(""),
            json!("a\nb"),
            json!(" a"),
            json!("a\u{1b}[0m"),
            json!("ana\u{200b}"),
            json!("ana\u{e0041}"),
            json!(7),
            json!(null),
            json!(long),
        ] {
            assert_eq!(text(&claims(json!({ "sub": bad })), "sub"), None, "{bad}");
        }
        assert_eq!(text(&claims(json!({"sub": "Ana Díaz"})), "sub").as_deref(), Some("Ana Díaz"));
    }

    #[test]
    fn bound_tokens_need_their_certificate() {
        let certificate = PeerCertificate { der: [7; 32], spki: [8; 32], not_before: 0, not_after: 0 };
        let bound = |to: &[u8]| claims(json!({"cnf": {"x5t#S256": BASE64URL_NOPAD.encode(to)}}));
        assert!(check_binding(&claims(json!({})), None).is_ok());
        assert!(check_binding(&bound(&[7; 32]), Some(&certificate)).is_ok());
        assert!(check_binding(&bound(&[8; 32]), Some(&certificate)).is_err());
        assert!(check_binding(&bound(&[7; 32]), None).is_err());
        assert!(check_binding(&claims(json!({"cnf": {"jkt": "AA"}})), Some(&certificate)).is_err());
    }

    #[test]
    fn clients_are_checked_where_some_are_named() {
        let named = ["console".to_owned()];
        assert!(check_client(&claims(json!({})), &[]).is_ok());
        assert!(check_client(&claims(json!({"azp": "console"})), &named).is_ok());
        assert!(check_client(&claims(json!({"client_id": "console"})), &named).is_ok());
        assert!(check_client(&claims(json!({"azp": "shop", "client_id": "console"})), &named).is_err());
        assert!(check_client(&claims(json!({"azp": 7})), &named).is_err());
        assert!(check_client(&claims(json!({})), &named).is_err());
    }
}
