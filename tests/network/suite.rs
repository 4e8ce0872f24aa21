//! The table of behaviour, and its runner.

mod announce;
mod basics;
mod encoded;
mod groups;
mod privacy;
mod push;
mod raw;
mod receive;
mod refusals;
mod resend;
mod scenarios;
mod send;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::member::Maker;
use crate::net::Net;

/// A check over the running network; its module and name.
pub(crate) type Check = (&'static str, fn(&Net));

/// A check that starts members of its own: one of each of these makers is involved.
pub(crate) type Scenario = (&'static str, fn(Maker, Maker));

/// Names a function for the table.
macro_rules! table {
    ($($name:ident),* $(,)?) => { &[$((concat!(module_path!(), "::", stringify!($name)), $name)),*] };
}
pub(crate) use table;

/// Runs every line of the table, also after a failure; those that failed.
///
/// `CELOSIA_TEST_ONLY` restricts it to lines whose name contains that text.
pub(crate) fn run(makers: [Maker; 4]) -> Vec<String> {
    let only = std::env::var("CELOSIA_TEST_ONLY").unwrap_or_default();
    let checks: Vec<Check> = [
        announce::CHECKS,
        basics::CHECKS,
        send::CHECKS,
        receive::CHECKS,
        raw::CHECKS,
        refusals::CHECKS,
        privacy::CHECKS,
        encoded::CHECKS,
        groups::CHECKS,
        push::CHECKS,
        resend::CHECKS,
    ]
    .concat();
    let checks: Vec<Check> = checks.into_iter().filter(|(name, _)| name.contains(&only)).collect();
    let mut failed = Vec::new();
    if !checks.is_empty() {
        let net = Net::of_the_table(makers);
        for (name, check) in &checks {
            attempt(name, makers, &mut failed, || check(&net));
        }
    }
    let scenarios = [announce::SCENARIOS, scenarios::SCENARIOS].concat();
    for (name, scenario) in scenarios.iter().filter(|(name, _)| name.contains(&only)) {
        attempt(name, makers, &mut failed, || scenario(makers[0], makers[1]));
    }
    failed
}

fn attempt(name: &str, makers: [Maker; 4], failed: &mut Vec<String>, check: impl FnOnce()) {
    let name = name.rsplit("suite::").next().unwrap_or(name);
    let result = catch_unwind(AssertUnwindSafe(check));
    println!("{} {name} {makers:?}", if result.is_ok() { "passed" } else { "FAILED" });
    if result.is_err() {
        failed.push(format!("{name} {makers:?}"));
    }
}
