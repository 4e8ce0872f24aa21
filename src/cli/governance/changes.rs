//! What changes between two documents, a line for each field, in words that a governor can check.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use toml::{Table, Value};

/// Fields of a document by their path; members under their id, the elements of other lists in a set.
type Fields = BTreeMap<String, Field>;

#[derive(Debug, Eq, PartialEq)]
enum Field {
    Word(String),
    List(BTreeSet<String>),
}

/// Lines `+ path: value` (new), `- path: value` (gone), `~ path: old -> new`. Empty if nothing changes.
pub(super) fn between(old: &str, new: &str) -> String {
    let (old, new) = (fields(old), fields(new));
    let mut out = String::new();
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for path in paths {
        // Writing to a string does not fail.
        let _ = match (old.get(path), new.get(path)) {
            (None, Some(Field::Word(new))) => writeln!(out, "+ {path}: {new}"),
            (Some(Field::Word(old)), None) => writeln!(out, "- {path}: {old}"),
            (Some(Field::Word(old)), Some(Field::Word(new))) if old != new => writeln!(out, "~ {path}: {old} -> {new}"),
            (Some(Field::Word(_)), Some(Field::Word(_))) => Ok(()),
            (old, new) => {
                let elements = |field: Option<&Field>| match field {
                    Some(Field::List(elements)) => elements.clone(),
                    Some(Field::Word(word)) => BTreeSet::from([word.clone()]),
                    None => BTreeSet::new(),
                };
                let (old, new) = (elements(old), elements(new));
                let gone = old.difference(&new).try_for_each(|gone| writeln!(out, "- {path}: {gone}"));
                gone.and_then(|()| new.difference(&old).try_for_each(|fresh| writeln!(out, "+ {path}: {fresh}")))
            }
        };
    }
    out
}

fn fields(text: &str) -> Fields {
    let mut found = Fields::new();
    let table: Table = text.parse().unwrap_or_default();
    flatten(&mut found, "", &table);
    found
}

fn flatten(found: &mut Fields, prefix: &str, table: &Table) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) => flatten(found, &path, inner),
            Value::Array(elements) if elements.iter().any(Value::is_table) => {
                for (at, element) in elements.iter().enumerate() {
                    let id = name_of(element).unwrap_or_else(|| at.to_string());
                    if let Value::Table(inner) = element {
                        flatten(found, &format!("{path}.{id}"), inner);
                    }
                }
            }
            Value::Array(elements) => {
                found.insert(path, Field::List(elements.iter().map(ToString::to_string).collect()));
            }
            word => drop(found.insert(path, Field::Word(word.to_string()))),
        }
    }
}

/// A member by its id, a committee by purpose and epoch, an officer by its index.
fn name_of(element: &Value) -> Option<String> {
    let word = |field| element.get(field).and_then(Value::as_str);
    let number = |field| element.get(field).and_then(Value::as_integer);
    let committee = || Some(format!("{} {}", word("purpose")?, number("epoch")?));
    word("id").map(str::to_owned).or_else(committee).or_else(|| Some(number("index")?.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_has_its_line() {
        let old =
            "version = 2\nregions = [\"DE\", \"ES\"]\n[[members]]\nid = \"azul\"\nstate = \"active\"\nnative = \"https://a/\"\n";
        let new = "version = 3\nregions = [\"ES\", \"FR\"]\n[[members]]\nid = \"azul\"\nstate = \"suspended\"\n[[members]]\nid = \"rojo\"\n";
        let told = "- members.azul.native: \"https://a/\"\n~ members.azul.state: \"active\" -> \"suspended\"\n+ members.rojo.id: \"rojo\"\n- regions: \"DE\"\n+ regions: \"FR\"\n~ version: 2 -> 3\n";
        assert_eq!(between(old, new), told);
        assert_eq!(between(old, old), "");
    }
}
