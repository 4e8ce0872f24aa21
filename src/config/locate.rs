//! From a field's path to its line and column, in text that has parsed already.

use toml::de::{DeTable, DeValue};

use super::path::Step;
use super::report::override_place;
use super::{FieldPath, Format, Override, Place};

/// Finds fields in one file, with the overrides that were laid over it.
pub(super) struct Locator<'a> {
    pub(super) source: &'a str,
    pub(super) text: &'a str,
    pub(super) format: Format,
    pub(super) overrides: &'a [Override],
}

impl Locator<'_> {
    /// The place of a field; of the nearest table around it if the field itself is not written.
    pub(super) fn place(&self, field: FieldPath) -> Place {
        if let Some(place) = override_place(self.overrides, &field) {
            return place;
        }
        let mut around = Some(field.clone());
        let mut position = None;
        while let Some(path) = around.filter(|path| !path.steps().is_empty()) {
            if let Some(offset) = self.offset(&path) {
                position = Some(line_column(self.text, offset));
                break;
            }
            around = path.parent();
        }
        Place { source: self.source.to_owned(), position, field }
    }

    /// The place of a byte, for errors of syntax.
    pub(super) fn at(&self, offset: usize) -> Place {
        let position = Some(line_column(self.text, offset));
        Place { source: self.source.to_owned(), position, field: FieldPath::default() }
    }

    fn offset(&self, field: &FieldPath) -> Option<usize> {
        match self.format {
            Format::Celosia => toml_offset(self.text, field.steps()),
            Format::Tessera => Json { bytes: self.text.as_bytes(), at: 0 }.find(field.steps()),
        }
    }
}

/// Line and column of a byte, from 1; columns count characters.
fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn toml_offset(text: &str, steps: &[Step]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let (first, rest) = steps.split_first()?;
    let Step::Key(name) = first else { return None };
    let (key, value) = document.get_ref().get_key_value(name.as_str())?;
    let mut offset = key.span().start;
    let mut spot = value;
    for step in rest {
        (offset, spot) = match (step, spot.get_ref()) {
            (Step::Key(name), DeValue::Table(table)) => {
                let (key, value) = table.get_key_value(name.as_str())?;
                (key.span().start, value)
            }
            (Step::Index(index), DeValue::Array(list)) => {
                let value = list.get(*index)?;
                (value.span().start, value)
            }
            _ => return None,
        };
    }
    Some(offset)
}

/// A walk through JSON text that is known to be valid (RFC 8259): no recursion, nothing built.
struct Json<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Json<'_> {
    /// Offset of a member's name or of an element.
    fn find(&mut self, steps: &[Step]) -> Option<usize> {
        let mut offset = None;
        for step in steps {
            self.space();
            offset = Some(match (step, self.bytes.get(self.at)?) {
                (Step::Key(name), b'{') => self.member(name)?,
                (Step::Index(index), b'[') => self.element(*index)?,
                _ => return None,
            });
        }
        offset
    }

    /// Stops before the value of the member; gives the offset of its name.
    fn member(&mut self, name: &str) -> Option<usize> {
        self.at += 1;
        loop {
            self.space();
            let start = self.at;
            if *self.bytes.get(start)? != b'"' {
                return None;
            }
            self.skip_value();
            let text = std::str::from_utf8(self.bytes.get(start..self.at)?).ok()?;
            let is_it = serde_json::from_str::<String>(text).is_ok_and(|text| text == name);
            self.space();
            self.at += 1; // the colon
            if is_it {
                return Some(start);
            }
            self.next_item()?;
        }
    }

    /// Stops before the element; gives its offset.
    fn element(&mut self, index: usize) -> Option<usize> {
        self.at += 1;
        for _ in 0..index {
            self.next_item()?;
        }
        self.space();
        (*self.bytes.get(self.at)? != b']').then_some(self.at)
    }

    /// Skips a value and the comma behind it; `None` at the end of the list.
    fn next_item(&mut self) -> Option<()> {
        self.space();
        self.skip_value();
        self.space();
        let is_comma = *self.bytes.get(self.at)? == b',';
        self.at += 1;
        is_comma.then_some(())
    }

    fn space(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn skip_value(&mut self) {
        let mut depth = 0_u32;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => self.skip_string(),
                b'{' | b'[' => depth += 1,
                b'}' | b']' | b',' | b':' if depth == 0 => return,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            let ended = matches!(byte, b'"' | b'}' | b']');
            if ended && depth == 0 {
                return;
            }
        }
    }

    /// From the opening to the closing quote.
    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => return,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, format: Format, field: &str) -> Option<(usize, usize)> {
        Locator { source: "f", text, format, overrides: &[] }.place(field.parse().unwrap()).position
    }

    #[test]
    fn finds_fields_in_json() {
        let text = "{\n \"a\": {\"x\": [1, {\"y\": \"}],\"}, [2]]},\n \"b\": \"\\\"a\",\n \"c\": null, \"é\": 1, \"d\": 2\n}";
        for (field, position) in [
            ("a", Some((2, 2))),
            ("a.x", Some((2, 8))),
            ("a.x[0]", Some((2, 14))),
            ("a.x[1].y", Some((2, 18))),
            ("a.x[2][0]", Some((2, 32))),
            ("b", Some((3, 2))),
            ("c", Some((4, 2))),
            ("d", Some((4, 21))),
            ("a.x[9]", Some((2, 8))),
            ("a.none.deep", Some((2, 2))),
            ("nowhere", None),
        ] {
            assert_eq!(place(text, Format::Tessera, field), position, "{field}");
        }
    }

    #[test]
    fn finds_fields_in_toml() {
        let text = "a = 1\n[[s]]\nx = 2\n[s.t]\ny = [1,\n 2]\n[[s]]\nx = 3\n";
        for (field, position) in [
            ("a", Some((1, 1))),
            ("s[0].x", Some((3, 1))),
            ("s[0].t.y", Some((5, 1))),
            ("s[0].t.y[1]", Some((6, 2))),
            ("s[1].x", Some((8, 1))),
            ("nowhere", None),
        ] {
            assert_eq!(place(text, Format::Celosia, field), position, "{field}");
        }
    }
}
