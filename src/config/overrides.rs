use serde_json::{Map, Value};

use super::path::Step;
use super::{FieldPath, Format, SecretText};

/// `-o key=value`: a field set on the command line, whatever the file says.
#[derive(Debug)]
pub struct Override {
    /// Which field, in the file's own names.
    pub field: FieldPath,
    /// Its new value. May be a password.
    pub value: SecretText,
}

impl Override {
    /// Reads `key=value`. The error says what is wrong and never repeats the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (key, value) =
            text.split_once('=').ok_or("an override is written as key=value, such as peer[1].url=http://host:9001/")?;
        let field = key.trim().parse().map_err(|error| format!("{error}, such as peer[1].url"))?;
        Ok(Self { field, value: SecretText::new(value.to_owned()) })
    }

    /// Lays the value over a document.
    pub(super) fn apply(&self, root: &mut Value) -> Result<(), String> {
        let mut spot = root;
        for step in self.field.steps() {
            spot = match step {
                Step::Key(name) => member(spot, name)?,
                Step::Index(index) => element(spot, *index)?,
            };
        }
        match (spot, self.value()) {
            (Value::Array(list), value) if !value.is_array() => list.push(value),
            (spot, value) => *spot = value,
        }
        Ok(())
    }

    /// `-o celosia.dataDir=…` and its like name the same thing in both formats.
    pub(super) fn translated(&self, format: Format) -> Self {
        const NAMES: [(&str, &str); 6] = [
            ("celosia.dataDir", "data-dir"),
            ("celosia.enclaveSocket", "enclave.socket"),
            ("celosia.logFormat", "log.format"),
            ("celosia.logLevel", "log.level"),
            ("celosia.maxBody", "limits.max-body"),
            ("celosia.rootRotateEvery", "root.rotate-every"),
        ];
        let name = self.field.to_string();
        let ours = NAMES.iter().find(|(theirs, _)| format == Format::Celosia && *theirs == name);
        let field = ours.and_then(|(_, ours)| ours.parse().ok());
        Self { field: field.unwrap_or_else(|| self.field.clone()), value: self.value.duplicate() }
    }

    /// Numbers, booleans, lists, tables and quoted strings as JSON writes them; anything else is the text itself.
    fn value(&self) -> Value {
        let text = self.value.expose().as_str();
        match serde_json::from_str(text) {
            Ok(Value::Number(number)) if number.to_string() != text => Value::String(text.to_owned()),
            Ok(Value::Null) | Err(_) => Value::String(text.to_owned()),
            Ok(value) => value,
        }
    }
}

/// A member of an object; of a new last element where a list is (`--peer.url` adds a peer).
fn member<'a>(spot: &'a mut Value, name: &str) -> Result<&'a mut Value, String> {
    if let Value::Array(list) = spot {
        list.push(Value::Null);
        let last = list.last_mut().ok_or("is an empty list")?;
        return member(last, name);
    }
    if spot.is_null() {
        *spot = Value::Object(Map::new());
    }
    let object = spot.as_object_mut().ok_or_else(|| format!("there is no \"{name}\" in something that is not a table"))?;
    Ok(object.entry(name).or_insert(Value::Null))
}

/// An element of a list; a single element where a list is meant counts as element 0.
fn element(spot: &mut Value, index: usize) -> Result<&mut Value, String> {
    if spot.is_null() {
        *spot = Value::Array(Vec::new());
    }
    if !spot.is_array() {
        *spot = Value::Array(vec![spot.take()]);
    }
    let Value::Array(list) = spot else { return Err("is not a list".to_owned()) };
    let length = list.len();
    if index == length {
        list.push(Value::Null);
    }
    list.get_mut(index).ok_or_else(|| format!("the list has {length} elements; the next one is [{length}]"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applied(mut document: Value, text: &str) -> Result<Value, String> {
        Override::parse(text)?.apply(&mut document)?;
        Ok(document)
    }

    #[test]
    fn overrides_reach_every_shape() {
        for (document, text, expected) in [
            (json!({}), "a=x", json!({"a": "x"})),
            (json!({}), "a=", json!({"a": ""})),
            (json!({"a": 1}), "a=true", json!({"a": true})),
            (json!({}), "a.b=5", json!({"a": {"b": 5}})),
            (json!({}), "a=007", json!({"a": "007"})),
            (json!({}), "a=1e5", json!({"a": "1e5"})),
            (json!({}), "a=null", json!({"a": "null"})),
            (json!({}), "a=b=c", json!({"a": "b=c"})),
            (json!({"p": [{"u": 1}]}), "p[0].u=2", json!({"p": [{"u": 2}]})),
            (json!({"p": [{"u": 1}]}), "p[1].u=2", json!({"p": [{"u": 1}, {"u": 2}]})),
            (json!({"p": {"u": 1}}), "p[0].u=2", json!({"p": [{"u": 2}]})),
            (json!({"p": {"u": 1}}), "p[1].u=2", json!({"p": [{"u": 1}, {"u": 2}]})),
            (json!({"p": [{"u": 1}]}), "p.u=2", json!({"p": [{"u": 1}, {"u": 2}]})),
            (json!({"k": []}), "k=x", json!({"k": ["x"]})),
            (json!({"k": ["y"]}), "k=[\"x\"]", json!({"k": ["x"]})),
            (json!({}), "keys.keyData[0].privateKeyPath=k", json!({"keys": {"keyData": [{"privateKeyPath": "k"}]}})),
        ] {
            assert_eq!(applied(document, text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn wrong_overrides_are_told_without_their_value() {
        for (document, text, part) in [
            (json!({}), "hidden", "key=value"),
            (json!({}), "=hidden", "a.b[0].c"),
            (json!({}), "a[x]=hidden", "a.b[0].c"),
            (json!({"a": 1}), "a.b=hidden", "not a table"),
            (json!({"a": []}), "a[2]=hidden", "the list has 0 elements"),
        ] {
            let error = applied(document, text).unwrap_err();
            assert!(error.contains(part) && !error.contains("hidden"), "{text}: {error}");
        }
    }
}
