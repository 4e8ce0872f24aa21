use std::fs;
use std::str::FromStr;

use super::NetError;

/// Who owns a socket file: numbers, or names of this machine's `/etc/passwd` and `/etc/group`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Owner {
    /// User; unchanged if absent.
    pub user: Option<u32>,
    /// Group; unchanged if absent.
    pub group: Option<u32>,
}

impl FromStr for Owner {
    type Err = NetError;

    /// Reads `user`, `user:group` or `:group`.
    fn from_str(text: &str) -> Result<Self, NetError> {
        let (user, group) = text.split_once(':').unwrap_or((text, ""));
        Ok(Self { user: number("user", user, "/etc/passwd")?, group: number("group", group, "/etc/group")? })
    }
}

fn number(kind: &'static str, name: &str, table: &str) -> Result<Option<u32>, NetError> {
    if name.is_empty() {
        return Ok(None);
    }
    if let Ok(id) = name.parse() {
        return Ok(Some(id));
    }
    let rows = fs::read_to_string(table).unwrap_or_default();
    match find(&rows, name) {
        Some(id) => Ok(Some(id)),
        None => Err(NetError::UnknownOwner { kind, name: name.to_owned() }),
    }
}

/// Third field of the row whose first field is the name: passwd(5) and group(5) agree on that.
fn find(rows: &str, name: &str) -> Option<u32> {
    rows.lines().map(|row| row.split(':').collect::<Vec<_>>()).find(|row| row.first() == Some(&name))?.get(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_a_name_or_a_number_and_may_lack_either_half() {
        assert_eq!("7:9".parse::<Owner>().unwrap(), Owner { user: Some(7), group: Some(9) });
        assert_eq!("root".parse::<Owner>().unwrap(), Owner { user: Some(0), group: None });
        assert_eq!(":root".parse::<Owner>().unwrap(), Owner { user: None, group: Some(0) });
        assert!(matches!("no-such-user".parse::<Owner>(), Err(NetError::UnknownOwner { kind: "user", .. })));
        assert!(matches!("0:no-such-group".parse::<Owner>(), Err(NetError::UnknownOwner { kind: "group", .. })));
    }
}
