//! The canonical text: TOML in one fixed order and one spelling, without comments. What is read and printed again is the same bytes.

use std::fmt::{Display, Write as _};

use super::{ClassRule, Committee, Directory, Genesis, Governor, Head, Member, Policy, Regions, Scope};
use crate::types::Class;

/// A text that grows line by line.
struct Printer(String);

impl Printer {
    fn line(&mut self, line: impl Display) -> &mut Self {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{line}");
        self
    }

    fn table(&mut self, name: impl Display) -> &mut Self {
        self.line(format_args!("\n{name}"))
    }

    /// A number or a boolean.
    fn plain(&mut self, key: &str, value: impl Display) -> &mut Self {
        self.line(format_args!("{key} = {value}"))
    }

    /// A word that holds neither quote nor backslash.
    fn word(&mut self, key: &str, value: impl Display) -> &mut Self {
        self.line(format_args!("{key} = \"{value}\""))
    }

    fn optional(&mut self, key: &str, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            self.word(key, value);
        }
        self
    }

    /// A text of people.
    fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.word(key, value.replace('\\', "\\\\").replace('"', "\\\""))
    }

    /// Words on one line.
    fn words<T: Display>(&mut self, key: &str, values: &[T]) -> &mut Self {
        let _ = write!(self.0, "{key} = [");
        for (at, value) in values.iter().enumerate() {
            let _ = write!(self.0, "{}\"{value}\"", if at == 0 { "" } else { ", " });
        }
        self.line("]")
    }

    /// Words, each on its own line.
    fn list<T: Display>(&mut self, key: &str, values: &[T]) -> &mut Self {
        self.line(format_args!("{key} = ["));
        for value in values {
            self.line(format_args!("  \"{value}\","));
        }
        self.line("]")
    }

    fn head(&mut self, format: &str, head: &Head) {
        self.word("format", format)
            .word("network", head.network)
            .plain("version", head.version)
            .optional("previous", head.previous);
        if let Some(policy) = head.policy {
            self.plain("policy", policy);
        }
        self.word("issued", head.issued);
    }

    fn quorum(&mut self, threshold: u64, governors: &[Governor]) {
        self.plain("threshold", threshold).list("governors", governors);
    }

    fn genesis(&mut self, genesis: &Genesis) {
        self.line("[genesis]").text("name", &genesis.name).word("nonce", genesis.nonce);
        self.quorum(genesis.threshold, &genesis.governors);
    }

    fn class(&mut self, class: Class, rule: &ClassRule) {
        self.table(format_args!("[classes.{class}]")).plain("tessera", rule.tessera);
        match &rule.regions {
            Regions::Any => self.words("regions", &["*"]),
            Regions::Only(regions) => self.words("regions", regions),
        };
        self.word("padding", rule.padding).word("delivery", rule.delivery);
        self.optional("batch", rule.batch).optional("jitter", rule.jitter).optional("retention", rule.retention);
        self.plain("log-reads", rule.log_reads);
    }

    fn scope(&mut self, scope: &Scope) {
        self.table("[[scopes]]").words("members", &scope.members).words("contracts", &scope.contracts);
        self.words("classes", &scope.classes).word("supervision", scope.supervision).words("supervisors", &scope.supervisors);
    }

    fn committee(&mut self, committee: &Committee) {
        self.table("[[committees]]").word("purpose", committee.purpose).plain("epoch", committee.epoch);
        self.plain("generation", committee.generation).plain("threshold", committee.threshold).word("key", committee.key);
        for officer in &committee.officers {
            self.table("[[committees.officers]]").plain("index", officer.index);
            self.text("name", &officer.name).text("entity", &officer.entity);
            self.word("signing-key", officer.signing_key).word("box-key", officer.box_key).word("share", officer.share);
        }
    }

    fn member(&mut self, member: &Member) {
        self.table("[[members]]")
            .word("id", &member.id)
            .text("legal-name", &member.legal_name)
            .text("legal-id", &member.legal_id);
        self.word("region", &member.region).word("state", member.state).word("software", member.software);
        self.words("roles", &member.roles).words("addresses", &member.addresses);
        self.optional("signing-key", member.signing_key).optional("tls-pin", member.tls_pin);
        for (key, url) in [("native", &member.native), ("https", &member.https), ("compatible", &member.compatible)] {
            if let Some(url) = url {
                self.text(key, url.as_str());
            }
        }
    }
}

/// The genesis table, as it stands in every policy of the network.
pub(super) fn genesis(genesis: &Genesis) -> String {
    let mut out = Printer(String::with_capacity(1024));
    out.genesis(genesis);
    out.0
}

/// The text of a policy.
pub(super) fn policy(policy: &Policy) -> String {
    let mut out = Printer(String::with_capacity(4096));
    out.head(Policy::FORMAT, &policy.head);
    out.quorum(policy.threshold, &policy.governors);
    out.word("grace", policy.grace).line("");
    out.genesis(&policy.genesis);
    for class in Class::ALL {
        out.class(class, policy.rule(class));
    }
    policy.scopes.iter().for_each(|scope| out.scope(scope));
    policy.committees.iter().for_each(|committee| out.committee(committee));
    out.0
}

/// A committee by itself, as it stands in a policy.
pub(super) fn committee(committee: &Committee) -> String {
    let mut out = Printer(String::with_capacity(512 + 384 * committee.officers.len()));
    out.committee(committee);
    out.0.trim_start().to_owned()
}

/// An entry of a directory by itself.
pub(super) fn member(member: &Member) -> String {
    let mut out = Printer(String::with_capacity(768));
    out.member(member);
    out.0.trim_start().to_owned()
}

/// The text of a directory.
pub(super) fn directory(directory: &Directory) -> String {
    let mut out = Printer(String::with_capacity(512 + 768 * directory.members.len()));
    out.head(Directory::FORMAT, &directory.head);
    directory.members.iter().for_each(|member| out.member(member));
    out.0
}
