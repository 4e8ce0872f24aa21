use std::io::{self, IsTerminal};
use std::panic;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::fmt;

use crate::config::{Log, LogFormat};
use crate::types::{Code, Coded};

/// A log level or filter that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("log level `{0}` is neither error, warn, info, debug, trace nor a filter such as `info,celosia::net=debug`")]
pub struct FilterError(String);

impl Coded for FilterError {
    fn code(&self) -> Code {
        Code(1251)
    }
}

/// Writes logs to standard error from now on, and panics with them. The first call in a process counts.
pub fn init(settings: &Log) -> Result<(), FilterError> {
    let filter = filter(&settings.level)?;
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let set = match settings.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
    };
    if set.is_ok() {
        log_panics();
    }
    Ok(())
}

/// A bare level is ours: libraries speak from `warn` on, since their debug lines may quote what they carry. A filter is taken as it is.
fn filter(level: &str) -> Result<EnvFilter, FilterError> {
    let level = level.trim();
    let text = match level.to_ascii_lowercase().as_str() {
        "off" | "error" => level.to_ascii_lowercase(),
        bare @ ("warn" | "info" | "debug" | "trace") => format!("warn,celosia={bare}"),
        _ => quiet(level),
    };
    // A word that is no level would be read as a module's name, and silence everything else.
    let directives = text.split(',').all(|part| part.contains('=') || is_level(part) || part.contains("::"));
    let refused = || FilterError(level.chars().filter(|c| !c.is_control()).take(100).collect());
    if level.is_empty() || !directives {
        return Err(refused());
    }
    EnvFilter::builder().parse(&text).map_err(|_| refused())
}

/// Threat: at `trace` the HTTP client of `[root.vault]` writes down what it sends, a token and wrapped keys among it. No filter lets it.
fn quiet(text: &str) -> String {
    let ours = text.split(',').filter(|part| !part.trim_start().starts_with("ureq"));
    ours.chain(["ureq=warn"]).collect::<Vec<_>>().join(",")
}

fn is_level(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "off" | "error" | "warn" | "info" | "debug" | "trace")
}

/// Threat: the text of a panic may quote what was being worked on. Only its place is logged.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a defect stopped a task; please report it with this place");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_filters_are_read() {
        assert_eq!(filter("info").unwrap().to_string(), "celosia=info,warn");
        assert_eq!(filter("ERROR").unwrap().to_string(), "error");
        assert_eq!(filter("warn,celosia::net=debug").unwrap().to_string(), "celosia::net=debug,ureq=warn,warn");
        for loud in ["trace,celosia=info", "info,ureq_proto=trace", "info, ureq=debug", "ureq::run=trace"] {
            let filter = filter(loud).unwrap().to_string();
            assert!(filter.contains("ureq=warn") && filter.matches("ureq").count() == 1, "{filter}");
        }
        for wrong in ["", "loud", "celosia=loud", "info,,"] {
            assert!(filter(wrong).is_err(), "{wrong}");
        }
    }
}
