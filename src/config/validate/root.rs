//! Rules of `[root]`.

use std::time::Duration;

use super::root;
use crate::api::admin::is_trustworthy;
use crate::config::Config;
use crate::config::report::{Kind, Report};
use crate::config::root::RootTable;
use crate::shred::RootKind;

/// Names go into paths of a URL.
const NAME: &str = "expected letters, digits, `-`, `_` and `.`";

pub(super) fn check(config: &Config, report: &mut Report) {
    let (table, place) = (&config.root, root("root"));
    if !table.rotate_every.is_zero() && table.rotate_every < Duration::from_secs(1) {
        report.add(
            Kind::Invalid,
            place.key("rotate-every"),
            "expected at least 1s, or 0s for a rotation only when it is asked for",
        );
    }
    let missing = match table.kind {
        RootKind::Vault if table.vault.is_none() => Some("vault"),
        RootKind::Pkcs11 if table.pkcs11.is_none() => Some("pkcs11"),
        _ => None,
    };
    if let Some(name) = missing {
        report.add(Kind::Missing, place.key(name), format!("the root's kind is \"{name}\": say where, in [root.{name}]"));
    }
    let plain = RootTable { rotate_every: table.rotate_every, ..RootTable::default() };
    if config.enclave.socket.is_some() && !config.servers.is_empty() && *table != plain {
        let text = "the enclave is a process of its own and keeps the root: name it in the enclave's configuration; here only rotate-every counts";
        report.add(Kind::Warning, place.clone(), text);
    }
    if let Some(vault) = &table.vault {
        let place = place.key("vault");
        if !is_trustworthy(&vault.url.0) {
            let text = "the token and the root's generations would cross the network in the clear: expected an https:// URL";
            report.add(Kind::Invalid, place.key("url"), text);
        }
        if !is_name(&vault.key) {
            report.add(Kind::Invalid, place.key("key"), NAME);
        }
        if !vault.mount.split('/').all(is_name) {
            report.add(Kind::Invalid, place.key("mount"), NAME);
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
