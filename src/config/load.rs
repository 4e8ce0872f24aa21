use std::path::Path;

use serde_json::Value;
use serde_path_to_error::Segment;
use zeroize::{Zeroize, Zeroizing};

use super::locate::Locator;
use super::report::{Kind, Report};
use super::{Config, ConfigError, FieldPath, Override, Place, Rejected, Warning, files, tessera, validate};

/// Whose file it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Celosia's TOML.
    Celosia,
    /// Tessera's JSON.
    Tessera,
}

/// A configuration that was taken.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// How it was written.
    pub format: Format,
    /// What an operator should know; to be printed.
    pub warnings: Vec<Warning>,
}

/// Reads a configuration file, tells its format by its content, lays overrides over it and checks it whole, the files that it names included.
pub fn load(file: &Path, overrides: &[Override]) -> Result<Loaded, Rejected> {
    let source = file.display().to_string();
    let text = read(file).map_err(|reason| {
        let place = Place { source: source.clone(), position: None, field: FieldPath::default() };
        Rejected::one(ConfigError::Unreadable(place, reason))
    })?;
    parse(&source, &text, overrides, true)
}

/// The same for text at hand; the files that it names are not looked at.
pub fn load_text(source: &str, text: &str, overrides: &[Override]) -> Result<Loaded, Rejected> {
    parse(source, text, overrides, false)
}

/// The text may hold keys and passwords.
fn read(file: &Path) -> Result<Zeroizing<String>, String> {
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            Err("it is not UTF-8 text".to_owned())
        }
    }
}

fn parse(source: &str, text: &str, overrides: &[Override], check_files: bool) -> Result<Loaded, Rejected> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let format = if text.trim_start().starts_with('{') { Format::Tessera } else { Format::Celosia };
    let overrides: Vec<Override> = overrides.iter().map(|setter| setter.translated(format)).collect();
    let locator = Locator { source, text, format, overrides: &overrides };
    let mut document = syntax(&locator).map_err(Rejected::one)?;
    let result = lay_over(&mut document, &locator).and_then(|()| interpret(&document, &locator, check_files));
    wipe(&mut document);
    let (config, warnings) = result?;
    Ok(Loaded { config, format, warnings })
}

/// Text to a document of values.
fn syntax(locator: &Locator<'_>) -> Result<Value, ConfigError> {
    match locator.format {
        Format::Celosia => {
            let table: toml::Table = toml::from_str(locator.text).map_err(|error| {
                let offset = error.span().map_or(0, |span| span.start);
                ConfigError::Toml(locator.at(offset), error.message().to_owned())
            })?;
            serde_json::to_value(table).map_err(|error| ConfigError::Toml(locator.at(0), error.to_string()))
        }
        Format::Tessera => serde_json::from_str(locator.text).map_err(|error| {
            let position = Some((error.line(), error.column()));
            let place = Place { source: locator.source.to_owned(), position, field: FieldPath::default() };
            let text = error.to_string();
            let message = text.split(" at line ").next().unwrap_or(&text);
            ConfigError::Json(place, message.to_owned())
        }),
    }
}

fn lay_over(document: &mut Value, locator: &Locator<'_>) -> Result<(), Rejected> {
    for setter in locator.overrides {
        setter.apply(document).map_err(|reason| {
            let place = Place { source: "override".to_owned(), position: None, field: setter.field.clone() };
            Rejected::one(ConfigError::Override(place, reason))
        })?;
    }
    Ok(())
}

fn interpret(document: &Value, locator: &Locator<'_>, check_files: bool) -> Result<(Config, Vec<Warning>), Rejected> {
    let mut report = Report::default();
    let read = match locator.format {
        Format::Celosia => celosia(document, &mut report).map(|config| (config, tessera::Origins::default())),
        Format::Tessera => tessera::read(document, &mut report),
    };
    if let Some((config, origins)) = read.as_ref().filter(|_| !report.is_fatal()) {
        let mut more = Report::default();
        validate::check(config, &mut more);
        if check_files && !more.is_fatal() {
            files::check(config, &mut more);
        }
        report.0.extend(more.0.into_iter().map(|issue| origins.translated(issue, locator.format)));
    }
    mistyped_overrides(&mut report, locator.overrides);
    let warnings = report.settle(locator)?;
    let (config, _) = read.ok_or_else(|| Rejected { errors: Vec::new(), warnings: Vec::new() })?;
    Ok((config, warnings))
}

/// A field that nobody knows is passed over in a Tessera file, but not on the command line.
fn mistyped_overrides(report: &mut Report, overrides: &[Override]) {
    for issue in report.0.iter_mut().filter(|issue| issue.kind == Kind::Warning && issue.text == tessera::UNKNOWN) {
        if let Some(setter) = overrides.iter().find(|setter| setter.field.touches(&issue.field)) {
            issue.kind = Kind::Unknown;
            issue.field.clone_from(&setter.field);
            "Tessera has no such field: correct the override's name".clone_into(&mut issue.text);
        }
    }
}

/// Values to Celosia's own model.
fn celosia(document: &Value, report: &mut Report) -> Option<Config> {
    serde_path_to_error::deserialize(document)
        .map_err(|error| {
            let field = field_of(error.path());
            let text = error.into_inner().to_string();
            let kind = match text.split(' ').next() {
                Some("unknown") if text.starts_with("unknown field") => Kind::Unknown,
                Some("missing") => Kind::Missing,
                _ => Kind::Invalid,
            };
            report.add(kind, field, text);
        })
        .ok()
}

fn field_of(path: &serde_path_to_error::Path) -> FieldPath {
    path.iter().fold(FieldPath::default(), |field, segment| match segment {
        Segment::Seq { index } => field.index(*index),
        Segment::Map { key } => field.key(key),
        Segment::Enum { .. } | Segment::Unknown => field,
    })
}

/// Strings of a document may be keys and passwords.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(object) => object.values_mut().for_each(wipe),
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}
