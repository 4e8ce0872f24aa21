//! Changes to a document, made on its TOML before it is checked and printed in canonical form.

use std::path::Path;

use toml::{Table, Value};

use super::{GovernanceError, files};
use crate::governance::{Committee, Governor, Head, State};
use crate::types::MemberId;

/// What `propose` fills in itself.
const FILLED_IN: [&str; 7] = ["format", "network", "version", "previous", "policy", "issued", "genesis"];

/// A document's text as a table. The text is one that was accepted.
pub(super) fn table(text: &str) -> Table {
    text.parse().unwrap_or_default()
}

/// Lays a file of changes over a document.
pub(super) fn lay_over(table: &mut Table, file: &Path) -> Result<(), GovernanceError> {
    let changes = read(file)?;
    if let Some(field) = FILLED_IN.iter().find(|field| changes.contains_key(**field)) {
        return Err(GovernanceError::Edit(format!("{}: {field} is filled in by `propose`: leave it out", file.display())));
    }
    merge(table, changes);
    Ok(())
}

/// `field.of.table=value`: a TOML value, or else a word.
pub(super) fn set(table: &mut Table, setter: &str) -> Result<(), GovernanceError> {
    let (path, text) = setter.split_once('=').ok_or_else(|| GovernanceError::Edit(format!("{setter}: expected FIELD=VALUE")))?;
    let text = text.trim();
    let value = format!("value = {text}").parse::<Table>().ok().and_then(|mut read| read.remove("value"));
    let mut value = value.unwrap_or_else(|| Value::String(text.to_owned()));
    let mut steps: Vec<&str> = path.trim().split('.').collect();
    if steps.iter().any(|step| step.is_empty()) || FILLED_IN.contains(&steps[0]) {
        return Err(GovernanceError::Edit(format!("{path}: no field that can be set; see `celosia governance show`")));
    }
    while let Some(step) = steps.pop() {
        if steps.is_empty() {
            merge(table, Table::from_iter([(step.to_owned(), value)]));
            break;
        }
        value = Value::Table(Table::from_iter([(step.to_owned(), value)]));
    }
    Ok(())
}

/// Adds a member's entry: the file holds its fields.
pub(super) fn add_member(table: &mut Table, file: &Path) -> Result<(), GovernanceError> {
    let mut entry = read(file)?;
    // `[[members]]` above the fields is as good.
    if let Some(Value::Array(mut listed)) = entry.remove("members") {
        match (listed.pop(), listed.is_empty(), entry.is_empty()) {
            (Some(Value::Table(only)), true, true) => entry = only,
            _ => return Err(GovernanceError::Edit(format!("{}: expected the entry of one member", file.display()))),
        }
    }
    let id = entry.get("id").and_then(Value::as_str).unwrap_or_default();
    if members(table).iter().any(|known| id_of(known) == Some(id)) {
        return Err(GovernanceError::Edit(format!("{}: {id} is a member already: change its entry with --edit", file.display())));
    }
    members(table).push(Value::Table(entry));
    Ok(())
}

/// Sets a member's state.
pub(super) fn set_state(table: &mut Table, id: &MemberId, state: State) -> Result<(), GovernanceError> {
    let entry = members(table).iter_mut().find(|known| id_of(known) == Some(id.as_str()));
    let entry = entry.and_then(Value::as_table_mut).ok_or_else(|| GovernanceError::NoMember(id.clone()))?;
    entry.insert("state".to_owned(), Value::String(state.name().to_owned()));
    Ok(())
}

/// Adds a governor.
pub(super) fn add_governor(table: &mut Table, governor: &Governor) {
    list(table, "governors").push(Value::String(governor.to_string()));
}

/// Puts a committee in the place of the one of its purpose and epoch.
pub(super) fn set_committee(table: &mut Table, committee: &Committee) {
    merge(table, self::table(&committee.to_toml()));
}

/// Removes the governor of a name.
pub(super) fn remove_governor(table: &mut Table, name: &str) -> Result<(), GovernanceError> {
    let governors = list(table, "governors");
    let before = governors.len();
    governors.retain(|line| line.as_str().and_then(|line| line.split('+').next()) != Some(name));
    if governors.len() == before {
        return Err(GovernanceError::Edit(format!("the policy has no governor {name}")));
    }
    Ok(())
}

/// The text of a document with its head, the format first.
pub(super) fn with_head(table: &mut Table, format: &str, head: &Head) -> Result<String, GovernanceError> {
    table.remove("format");
    let number = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    table.insert("network".to_owned(), Value::String(head.network.to_string()));
    table.insert("version".to_owned(), number(head.version));
    table.insert("issued".to_owned(), Value::String(head.issued.to_string()));
    if let (Some(previous), Some(policy)) = (head.previous, head.policy) {
        table.insert("previous".to_owned(), Value::String(previous.to_string()));
        table.insert("policy".to_owned(), number(policy));
    }
    let rest = toml::to_string(table).map_err(|error| GovernanceError::Edit(error.to_string()))?;
    Ok(format!("format = \"{format}\"\n{rest}"))
}

fn read(file: &Path) -> Result<Table, GovernanceError> {
    let text = files::read_text(file)?;
    text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        GovernanceError::Edit(format!("{}:{line}: not TOML: {}", file.display(), error.message()))
    })
}

/// Tables field by field, members by their id, committees by purpose and epoch, all else replaced.
fn merge(table: &mut Table, changes: Table) {
    for (field, change) in changes {
        match (table.get_mut(&field), change) {
            (Some(Value::Table(known)), Value::Table(change)) => merge(known, change),
            (Some(Value::Array(known)), Value::Array(change)) if field == "members" && !change.iter().any(Value::is_str) => {
                for entry in change {
                    merge_entry(known, entry);
                }
            }
            // A committee is one thing: its table takes the place of the one before, and of no other.
            (Some(Value::Array(known)), Value::Array(change)) if field == "committees" => {
                for entry in change {
                    known.retain(|old| place_of(old) != place_of(&entry));
                    known.push(entry);
                }
            }
            (_, change) => drop(table.insert(field, change)),
        }
    }
}

fn merge_entry(known: &mut Vec<Value>, entry: Value) {
    let old = known.iter_mut().find(|old| id_of(old).is_some() && id_of(old) == id_of(&entry));
    match (old, entry) {
        (Some(Value::Table(old)), Value::Table(entry)) => merge(old, entry),
        (_, entry) => known.push(entry),
    }
}

fn place_of(committee: &Value) -> Option<(&str, i64)> {
    Some((committee.get("purpose")?.as_str()?, committee.get("epoch")?.as_integer()?))
}

fn id_of(entry: &Value) -> Option<&str> {
    entry.get("id").and_then(Value::as_str)
}

fn members(table: &mut Table) -> &mut Vec<Value> {
    list(table, "members")
}

/// A list of the document; an empty one if it has none, or something else.
fn list<'a>(table: &'a mut Table, field: &str) -> &'a mut Vec<Value> {
    let value = table.entry(field.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut().expect("it was made one a moment ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_laid_over_field_by_field_and_members_by_id() {
        let mut table: Table =
            "threshold = 2\n[classes.a]\nx = 1\ny = 2\n[[members]]\nid = \"m\"\nz = 1\n[[members]]\nid = \"n\"".parse().unwrap();
        merge(&mut table, "[classes.a]\nx = 3\n[[members]]\nid = \"n\"\nz = 4\n[[members]]\nid = \"o\"".parse().unwrap());
        set(&mut table, "threshold=3").unwrap();
        set(&mut table, "classes.a.y = soon").unwrap();
        let wanted: Table =
            "threshold = 3\n[classes.a]\nx = 3\ny = \"soon\"\n[[members]]\nid = \"m\"\nz = 1\n[[members]]\nid = \"n\"\nz = 4\n[[members]]\nid = \"o\""
                .parse()
                .unwrap();
        assert_eq!(table, wanted);
        for wrong in ["threshold", "=3", "a..b=3", "version=9", "genesis.name=x"] {
            assert!(set(&mut table, wrong).is_err(), "{wrong}");
        }
    }
}
