//! `keys`: key pairs from files or inline; passwords from a file or a list. Vaults are refused by name.

use serde_json::Value;

use super::object::{Node, Object};
use crate::config::report::Kind;
use crate::config::{Config, FieldPath, KeyEntry, SecretText};

const VAULTS: &str = "vaults are not read: fetch the key once with the vault's own client, write it to a Tessera key file (0600), and set privateKeyPath and publicKeyPath";

/// Reads the keys; gives where each stands.
pub(super) fn read(root: &Object<'_>, config: &mut Config) -> Vec<FieldPath> {
    let Some(keys) = root.object("keys") else { return Vec::new() };
    for name in ["keyVaultConfigs", "keyVaultConfig", "azureKeyVaultConfig", "hashicorpKeyVaultConfig"] {
        if keys.get(name).is_some_and(|node| !is_empty(node.value)) {
            keys.refuse(name, VAULTS);
        }
    }
    let password_file = keys.path("passwordFile");
    let passwords: Vec<SecretText> = keys.list("passwords").iter().filter_map(Node::text).map(SecretText::new).collect();
    if !passwords.is_empty() {
        let text = "passwords in the configuration are taken, as in Tessera before 20: better one per line in a file of mode 0600, named by passwordFile";
        keys.report(Kind::Warning, keys.field("passwords"), text);
        if password_file.is_some() {
            keys.report(Kind::Conflict, keys.field("passwords"), "passwordFile is there too: keep passwordFile");
        }
    }
    let mut passwords = passwords.into_iter();
    let mut origins = Vec::new();
    for (node, line) in keys.list("keyData").iter().zip(1..) {
        let password = passwords.next().filter(|password| !password.expose().is_empty());
        let Some(data) = node.object() else { continue };
        let mut entry = pair(&data);
        data.finish();
        entry.password = password;
        if password_file.is_some() && entry.private_key.is_none() {
            entry.password_file.clone_from(&password_file);
            entry.password_line = Some(line);
        }
        origins.push(data.place().clone());
        config.keys.push(entry);
    }
    keys.finish();
    origins
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn pair(data: &Object<'_>) -> KeyEntry {
    let private_key = data.text("privateKey").filter(|key| !key.is_empty()).map(SecretText::new);
    let private_key_json = data.get("config").and_then(|node| inline(&node));
    let entry = KeyEntry {
        private_key_file: data.path("privateKeyPath"),
        private_key,
        private_key_json,
        public_key_file: data.path("publicKeyPath"),
        public_key: data.get("publicKey").and_then(|node| node.parse("expected a public key, 32 bytes in base64")),
        ..KeyEntry::default()
    };
    if refuse_vaults(data) {
        return entry;
    }
    let count = [entry.private_key_file.is_some(), entry.private_key.is_some(), data.get("config").is_some()]
        .iter()
        .filter(|set| **set)
        .count();
    if count != 1 {
        let kind = if count == 0 { Kind::Missing } else { Kind::Conflict };
        data.report(kind, data.place().clone(), "expected exactly one private key: privateKeyPath, privateKey or config");
    }
    entry
}

/// A key file's content, as text. Its mathematics is the enclave's affair.
fn inline(node: &Node<'_>) -> Option<SecretText> {
    let config = node.object()?;
    match config.text("type").unwrap_or_default().as_str() {
        "unlocked" | "argon2sbox" => {}
        _ => config.invalid("type", "expected \"unlocked\" or \"argon2sbox\""),
    }
    config.require("data", "expected the key's data")?;
    config.finish();
    Some(SecretText::new(node.value.to_string()))
}

fn refuse_vaults(data: &Object<'_>) -> bool {
    const NAMES: [&str; 12] = [
        "azureVaultPublicKeyId",
        "azureVaultPrivateKeyId",
        "azureVaultPublicKeyVersion",
        "azureVaultPrivateKeyVersion",
        "awsSecretsManagerPublicKeyId",
        "awsSecretsManagerPrivateKeyId",
        "hashicorpVaultSecretEngineName",
        "hashicorpVaultSecretName",
        "hashicorpVaultSecretVersion",
        "hashicorpVaultPrivateKeyId",
        "hashicorpVaultPublicKeyId",
        "azureKeyVaultId",
    ];
    let found: Vec<&str> = NAMES.into_iter().filter(|name| data.get(name).is_some()).collect();
    if let Some(first) = found.first() {
        data.refuse(first, VAULTS);
    }
    !found.is_empty()
}
