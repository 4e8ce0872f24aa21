//! `jdbc`: where Tessera kept payloads. Celosia keeps its own in a folder beside an embedded database's file.

use std::path::{Path, PathBuf};

use super::object::Object;
use super::{beside, remark};
use crate::config::Config;
use crate::config::report::Kind;

/// What a JDBC URL points to.
#[derive(Debug, Eq, PartialEq)]
enum Database {
    /// An embedded database in a file.
    File(PathBuf),
    /// One that is gone when the process ends.
    Memory,
    /// A path below the home directory, where there is none.
    NoHome,
    /// A server, or something else that is no local file; the vendor's name.
    Server(String),
}

/// Sets the data folder. `folder` is `celosia.dataDir`, which wins over every database.
pub(super) fn read(root: &Object<'_>, folder: Option<PathBuf>, has_fetch_size: bool, config: &mut Config) {
    config.data_dir.clone_from(&folder);
    let place = root.field("jdbc").key("url");
    let url = root.object("jdbc").and_then(|jdbc| url(&jdbc));
    if has_fetch_size {
        root.warn("fetchSize", "has no effect");
    }
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let database = url.map(|url| database(&url, home.as_deref()));
    match (folder, database) {
        (Some(folder), Some(_)) => {
            let text = format!(
                "celosia.dataDir is set: payloads are kept in {}; the old database is not read (`--recover` fetches payloads from peers)",
                folder.display()
            );
            remark(root.reports(), Kind::Warning, place, text);
        }
        (Some(_), None) => {}
        (None, None) => {
            let text = "is missing: payloads need a folder; set jdbc.url or give `-o celosia.dataDir=/path`";
            remark(root.reports(), Kind::Missing, place, text);
        }
        (None, Some(Database::File(path))) => {
            let folder = beside(&path);
            let text = format!(
                "payloads are kept in {}; those in the old database {} are not read (`--recover` fetches them from peers)",
                folder.display(),
                path.display()
            );
            remark(root.reports(), Kind::Warning, place, text);
            config.data_dir = Some(folder);
        }
        (None, Some(Database::Memory)) => {
            remark(
                root.reports(),
                Kind::Warning,
                place,
                "an in-memory database: payloads are kept in a temporary folder and are gone when the process ends",
            );
            config.temporary_data = true;
        }
        (None, Some(Database::NoHome)) => {
            remark(
                root.reports(),
                Kind::Invalid,
                place,
                "begins with ~ and the environment has no HOME: give `-o celosia.dataDir=/path`",
            );
        }
        (None, Some(Database::Server(vendor))) => {
            let text = format!(
                "{vendor} is not a store that Celosia can use: it keeps payloads in its own embedded store; give `-o celosia.dataDir=/path` (a local folder), and `--recover` once to fetch old payloads from peers"
            );
            remark(root.reports(), Kind::Refused, place, text);
        }
    }
}

/// The URL; the other fields are for servers and their tables.
fn url(jdbc: &Object<'_>) -> Option<String> {
    let names = ["username", "password", "autoCreateTables", "fetchSize"];
    let unused: Vec<&str> = names.into_iter().filter(|name| jdbc.get(name).is_some()).collect();
    if !unused.is_empty() {
        let text =
            format!("without effect: {}; payloads are kept in Celosia's own store, without a database login", unused.join(", "));
        jdbc.report(Kind::Warning, jdbc.place().clone(), text);
    }
    let url = jdbc.text("url").filter(|url| !url.is_empty());
    jdbc.finish();
    url
}

fn database(url: &str, home: Option<&Path>) -> Database {
    let (vendor, rest) = url.trim().strip_prefix("jdbc:").unwrap_or(url).split_once(':').unwrap_or((url, ""));
    let path = rest.split([';', '?']).next().unwrap_or(rest);
    match vendor.to_ascii_lowercase().as_str() {
        "h2" => h2(path, home),
        "hsqldb" => hsqldb(path),
        "sqlite" if path == ":memory:" || path.is_empty() => Database::Memory,
        "sqlite" => Database::File(path.strip_prefix("file:").unwrap_or(path).into()),
        other => Database::Server(other.to_owned()),
    }
}

/// H2's forms: `file:`, `nio:` and `async:` before a path; `~` is the home directory; relative paths start at the working directory.
fn h2(path: &str, home: Option<&Path>) -> Database {
    match path.split_once(':') {
        Some(("mem", _)) => Database::Memory,
        Some(("tcp" | "ssl" | "zip", _)) => Database::Server("h2 as a server or archive".to_owned()),
        Some(("file" | "nio" | "nioMapped" | "async", rest)) => h2(rest, home),
        _ if path.is_empty() => Database::Server("h2 without a path".to_owned()),
        _ => match (path.strip_prefix('~'), home) {
            (Some(rest), Some(home)) => Database::File(home.join(rest.trim_start_matches('/'))),
            (Some(_), None) => Database::NoHome,
            (None, _) => Database::File(path.into()),
        },
    }
}

fn hsqldb(path: &str) -> Database {
    match path.split_once(':') {
        Some(("mem", _)) => Database::Memory,
        Some(("file", rest)) if !rest.is_empty() => Database::File(rest.into()),
        _ => Database::Server("hsqldb as a server".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_the_field() {
        let file = |path: &str| Database::File(path.into());
        for (url, expected) in [
            ("jdbc:h2:/qdata/c1/db1;MODE=Oracle;TRACE_LEVEL_SYSTEM_OUT=0", file("/qdata/c1/db1")),
            ("jdbc:h2:./target/h2/tessera1;AUTO_SERVER=TRUE", file("./target/h2/tessera1")),
            ("jdbc:h2:file:/a/db", file("/a/db")),
            ("jdbc:h2:nio:~/db;X=Y", file("/home/me/db")),
            ("jdbc:h2:mem:test;DB_CLOSE_DELAY=-1", Database::Memory),
            ("jdbc:h2:tcp://h:9092/~/db", Database::Server("h2 as a server or archive".into())),
            ("jdbc:h2:", Database::Server("h2 without a path".into())),
            ("jdbc:sqlite:/a/s.db", file("/a/s.db")),
            ("jdbc:sqlite::memory:", Database::Memory),
            ("jdbc:hsqldb:file:h/db;x=y", file("h/db")),
            ("jdbc:hsqldb:mem:x", Database::Memory),
            ("jdbc:hsqldb:hsql://localhost:9189/tessera1", Database::Server("hsqldb as a server".into())),
            ("jdbc:postgresql://h:5432/db", Database::Server("postgresql".into())),
            ("jdbc:oracle:thin:@//h:1521/x", Database::Server("oracle".into())),
            ("nonsense", Database::Server("nonsense".into())),
        ] {
            assert_eq!(database(url, Some(Path::new("/home/me"))), expected, "{url}");
        }
        assert_eq!(database("jdbc:h2:~/db", None), Database::NoHome);
    }
}
