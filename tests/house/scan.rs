//! Reading the sources: files, and the top-level modules that a piece of code names.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file below `folder`, sorted.
pub fn rust_files(folder: &str) -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(dir) else { return };
        for path in entries.map(|e| e.unwrap().path()) {
            if path.is_dir() && path.file_name().unwrap() != "node_modules" {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
}

/// The code without `//` comments; `://` in a string is no comment.
pub fn without_comments(source: &str) -> String {
    let code = |line: &str| {
        let mut from = 0;
        while let Some(at) = line[from..].find("//") {
            if at + from == 0 || !line[..at + from].ends_with(':') {
                return line[..at + from].to_owned();
            }
            from += at + 2;
        }
        line.to_owned()
    };
    source.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// The first names of every path that starts at the crate's root: `crate::a::b`, `crate::{a::b, c}`, and `super::` chains
/// long enough to climb out of a file that lies `depth` modules deep (`src/a/b.rs` has depth 2).
pub fn named_from_root(code: &str, depth: usize) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if !code[..at].ends_with(is_word) {
            heads(&code[at + "crate::".len()..], &mut names);
        }
    }
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with(is_word) || code[..at].ends_with("super::") {
            continue;
        }
        let chain = code[at..].split("super::").take_while(|part| part.is_empty()).count();
        if chain >= depth {
            heads(&code[at + chain * "super::".len()..], &mut names);
        }
    }
    names
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Heads of `a::b`, or of each branch of `{a::b, c::{d, e}}`.
fn heads(rest: &str, names: &mut BTreeSet<String>) {
    let rest = rest.trim_start();
    let Some(group) = rest.strip_prefix('{') else {
        let head: String = rest.chars().take_while(|c| is_word(*c)).collect();
        if !head.is_empty() {
            names.insert(head);
        }
        return;
    };
    let mut depth = 0;
    let mut start = 0;
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return heads(&group[start..i], names),
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads(&group[start..i], names);
                start = i + 1;
            }
            _ => {}
        }
    }
}
