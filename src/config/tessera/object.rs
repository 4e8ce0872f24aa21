use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::config::FieldPath;
use crate::config::report::{Kind, Report};

/// Remarks, shared by all readers of one document.
pub(in crate::config) type Reports = RefCell<Report>;

/// What is said of a field that Tessera does not document. Tessera passes over such fields with a warning too.
pub(in crate::config) const UNKNOWN: &str = "is not a field of Tessera's and has no effect";

/// A JSON object that remembers which of its members were read.
pub(super) struct Object<'a> {
    members: &'a Map<String, Value>,
    place: FieldPath,
    read: RefCell<BTreeSet<String>>,
    reports: &'a Reports,
}

/// A JSON value and where it stands.
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) place: FieldPath,
    reports: &'a Reports,
}

impl<'a> Object<'a> {
    pub(super) fn root(document: &'a Value, reports: &'a Reports) -> Option<Self> {
        Node { value: document, place: FieldPath::default(), reports }.object()
    }

    pub(super) fn reports(&self) -> &'a Reports {
        self.reports
    }

    /// Where the object stands.
    pub(super) fn place(&self) -> &FieldPath {
        &self.place
    }

    /// Where a member stands, or would.
    pub(super) fn field(&self, name: &str) -> FieldPath {
        self.place.key(name)
    }

    /// A member, which counts as read. `null` is absence.
    pub(super) fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.members.get(name)?;
        self.read.borrow_mut().insert(name.to_owned());
        (!value.is_null()).then(|| Node { value, place: self.field(name), reports: self.reports })
    }

    /// A member that must be there.
    pub(super) fn require(&self, name: &str, expected: &str) -> Option<Node<'a>> {
        let node = self.get(name);
        if node.is_none() {
            self.report(Kind::Missing, self.field(name), format!("is missing: {expected}"));
        }
        node
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.text()
    }

    /// A path; an empty string is absence.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).filter(|text| !text.is_empty()).map(PathBuf::from)
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.flag()
    }

    pub(super) fn object(&self, name: &str) -> Option<Object<'a>> {
        self.get(name)?.object()
    }

    /// The elements of a list; a single element counts as a list of one.
    pub(super) fn list(&self, name: &str) -> Vec<Node<'a>> {
        self.get(name).map(Node::list).unwrap_or_default()
    }

    /// Warns of a member if it is there.
    pub(super) fn warn(&self, name: &str, text: &str) {
        if self.get(name).is_some() {
            self.report(Kind::Warning, self.field(name), text);
        }
    }

    pub(super) fn refuse(&self, name: &str, text: impl Into<String>) {
        self.report(Kind::Refused, self.field(name), text);
    }

    pub(super) fn invalid(&self, name: &str, text: impl Into<String>) {
        self.report(Kind::Invalid, self.field(name), text);
    }

    pub(super) fn report(&self, kind: Kind, place: FieldPath, text: impl Into<String>) {
        self.reports.borrow_mut().add(kind, place, text);
    }

    /// Counts every member as read: the object as a whole was spoken of.
    pub(super) fn dismiss(&self) {
        self.read.borrow_mut().extend(self.members.keys().cloned());
    }

    /// Warns of every member that nobody has read.
    pub(super) fn finish(&self) {
        let read = self.read.borrow();
        for name in self.members.keys().filter(|name| !read.contains(*name)) {
            self.report(Kind::Warning, self.field(name), UNKNOWN);
        }
    }
}

impl<'a> Node<'a> {
    /// A string; numbers and booleans as they are written.
    pub(super) fn text(&self) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => {
                self.invalid("expected a string");
                None
            }
        }
    }

    /// A boolean, or a string that spells one.
    pub(super) fn flag(&self) -> Option<bool> {
        let text = match self.value {
            Value::Bool(flag) => return Some(*flag),
            Value::String(text) => text.trim().to_ascii_lowercase(),
            _ => String::new(),
        };
        self.keep(text.parse::<bool>(), "expected true or false")
    }

    /// A whole number, or a string that spells one.
    pub(super) fn number(&self) -> Option<u64> {
        let text = match self.value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            _ => String::new(),
        };
        self.keep(text.parse::<u64>(), "expected a whole number")
    }

    /// A word, with the reason of its own type in the message.
    pub(super) fn parse<T: FromStr>(&self, expected: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text()?;
        text.trim().parse().map_err(|error| self.invalid(format!("{expected} ({error})"))).ok()
    }

    /// A word whose type says itself what it expects.
    pub(super) fn parse_with<T: FromStr>(&self, expected: &str) -> Option<T> {
        let text = self.text()?;
        self.keep(text.trim().parse::<T>(), expected)
    }

    pub(super) fn object(&self) -> Option<Object<'a>> {
        let Value::Object(members) = self.value else {
            self.invalid("expected an object");
            return None;
        };
        Some(Object { members, place: self.place.clone(), read: RefCell::default(), reports: self.reports })
    }

    fn list(self) -> Vec<Node<'a>> {
        let Value::Array(elements) = self.value else { return vec![self] };
        let nodes = elements.iter().enumerate().filter(|(_, value)| !value.is_null());
        nodes.map(|(index, value)| Node { value, place: self.place.index(index), reports: self.reports }).collect()
    }

    /// The value of a result; reports `expected` where there is none.
    pub(super) fn keep<T, E>(&self, result: Result<T, E>, expected: &str) -> Option<T> {
        result.map_err(|_| self.invalid(expected)).ok()
    }

    pub(super) fn invalid(&self, text: impl Into<String>) {
        self.reports.borrow_mut().add(Kind::Invalid, self.place.clone(), text);
    }
}
