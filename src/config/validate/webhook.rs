//! Rules of `[[webhook]]`.

use super::root;
use crate::api::admin::is_trustworthy;
use crate::config::Config;
use crate::config::report::{Kind, Report};

/// Events are signed, but not encrypted: a URL without TLS shows them to the network.
pub(super) fn check(config: &Config, report: &mut Report) {
    let place = root("webhook");
    if !config.webhooks.is_empty() && config.governance.is_none() {
        let text =
            "events come from the journal, which a node of a governed network has: add [governance], or remove the webhooks";
        report.add(Kind::Missing, place.clone(), text);
    }
    for (index, webhook) in config.webhooks.iter().enumerate() {
        let place = place.index(index);
        if !is_trustworthy(&webhook.url.0) {
            report.add(Kind::Warning, place.key("url"), "events cross the network in the clear: use https");
        }
        if config.webhooks[..index].iter().any(|other| other.url == webhook.url) {
            report.add(Kind::Conflict, place.key("url"), "another webhook has this URL: name all kinds in one");
        }
    }
}
