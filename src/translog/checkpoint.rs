//! Checkpoints (C2SP tlog-checkpoint): a signed tree head as the text of a note. Origin, size, root, extension lines.

use std::fmt;
use std::str::FromStr;

use super::hash::{self, Hash};
use super::note::{Note, NoteError, NoteKey};
use crate::types::{MemberId, NetworkId};

/// Most extension lines that are read.
const MAX_EXTENSIONS: usize = 16;
/// Our extension line: how often the key trees were punctured.
const KEYS: &str = "keys ";

/// A tree head.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// Which log. Also the name of the key that signs.
    pub origin: String,
    /// Leaves of the tree.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// Punctures of the node's key trees, a counter that only rises: the line `keys <number>`.
    ///
    /// Threat: key trees are put back from a backup, and what was erased opens again. The witnesses have seen a higher number.
    pub keys: Option<u64>,
    /// Extension lines of others, as they stand.
    pub extensions: Vec<String>,
}

/// Why a text is no checkpoint, or not this log's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CheckpointError {
    /// An extension line that is empty, or a `keys` line that is no number or stands twice; or too many of them.
    #[error("an extension line is wrong")]
    Extension,
    /// Not a signed note.
    #[error("not a signed note: {0}")]
    Note(#[from] NoteError),
    /// The origin line is empty or missing.
    #[error("it names no log in its first line")]
    Origin,
    /// It is of another log.
    #[error("it is of another log than the key's")]
    Other,
    /// The root is no hash in base64.
    #[error("its third line is no root hash")]
    Root,
    /// The size is no decimal number.
    #[error("its second line is no number of leaves")]
    Size,
    /// No valid signature of the log's key.
    #[error("the key did not sign it")]
    Unsigned,
}

/// The origin of a member's log, and the name under which the member witnesses: `celosia/<first 16 hex digits of the network id>/<member>`.
pub fn origin(network: &NetworkId, member: &MemberId) -> String {
    format!("celosia/{}/{member}", &network.to_string()[..16])
}

impl Checkpoint {
    /// The checkpoint of a note that bears a valid signature of the log's key, whose name must be the origin.
    pub fn open(note: &Note, key: &NoteKey) -> Result<Self, CheckpointError> {
        let checkpoint: Self = note.text().parse()?;
        if checkpoint.origin != key.name {
            return Err(CheckpointError::Other);
        }
        if key.verifies(note) { Ok(checkpoint) } else { Err(CheckpointError::Unsigned) }
    }

    /// The same from the bytes of a file.
    pub fn open_text(text: &str, key: &NoteKey) -> Result<(Self, Note), CheckpointError> {
        let note = Note::parse(text).map_err(CheckpointError::Note)?;
        Ok((Self::open(&note, key)?, note))
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, hash::to_base64(&self.root))?;
        self.keys.iter().try_for_each(|keys| writeln!(f, "{KEYS}{keys}"))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').unwrap_or_default().split('\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or(CheckpointError::Origin)?.to_owned();
        let size = lines.next().and_then(hash::number).ok_or(CheckpointError::Size)?;
        let root = lines.next().and_then(hash::from_base64).ok_or(CheckpointError::Root)?;
        let mut checkpoint = Self { origin, size, root, keys: None, extensions: Vec::new() };
        for line in lines {
            if line.is_empty() || checkpoint.extensions.len() == MAX_EXTENSIONS {
                return Err(CheckpointError::Extension);
            }
            match line.strip_prefix(KEYS) {
                Some(keys) if checkpoint.keys.is_none() => {
                    checkpoint.keys = Some(hash::number(keys).ok_or(CheckpointError::Extension)?);
                }
                Some(_) => return Err(CheckpointError::Extension),
                None => checkpoint.extensions.push(line.to_owned()),
            }
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::secret::Secret;
    use crate::crypto::sign::SigningKey;

    /// The example of the specification of cosignatures.
    const OTHERS: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn a_checkpoint_prints_as_it_reads() {
        let checkpoint: Checkpoint = OTHERS.parse().expect("a checkpoint");
        assert_eq!((checkpoint.size, checkpoint.keys), (20_852_163, None));
        for text in [OTHERS.to_owned(), format!("{OTHERS}keys 7\nanother line\n")] {
            assert_eq!(text.parse::<Checkpoint>().expect("a checkpoint").to_string(), text);
        }
    }

    #[test]
    fn what_is_no_checkpoint_says_why() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        for (text, why) in [
            (String::new(), CheckpointError::Origin),
            (format!("\n1\n{root}\n"), CheckpointError::Origin),
            ("a\n".into(), CheckpointError::Size),
            (format!("a\n01\n{root}\n"), CheckpointError::Size),
            (format!("a\n+1\n{root}\n"), CheckpointError::Size),
            (format!("a\n9223372036854775808\n{root}\n"), CheckpointError::Size),
            ("a\n1\n".into(), CheckpointError::Root),
            ("a\n1\nAAAA\n".into(), CheckpointError::Root),
            (format!("a\n1\n{root}"), CheckpointError::Origin),
            (format!("a\n1\n{root}\n\n"), CheckpointError::Extension),
            (format!("a\n1\n{root}\nkeys x\n"), CheckpointError::Extension),
            (format!("a\n1\n{root}\nkeys 1\nkeys 1\n"), CheckpointError::Extension),
            (format!("a\n1\n{root}\n{}", "x\n".repeat(17)), CheckpointError::Extension),
        ] {
            assert_eq!(text.parse::<Checkpoint>(), Err(why), "{text:?}");
        }
    }

    #[test]
    fn it_opens_under_the_key_of_its_log_alone() {
        let key = SigningKey::from_seed(&Secret::random());
        let mut note = Note::new(OTHERS.into()).expect("a text");
        note.sign("example.com/behind-the-sofa", &key);
        let known = |name: &str| NoteKey { name: name.into(), key: key.verify_key() };
        assert!(Checkpoint::open(&note, &known("example.com/behind-the-sofa")).is_ok());
        assert_eq!(Checkpoint::open(&note, &known("example.com/other")), Err(CheckpointError::Other));
        let other =
            NoteKey { key: SigningKey::from_seed(&Secret::random()).verify_key(), ..known("example.com/behind-the-sofa") };
        assert_eq!(Checkpoint::open(&note, &other), Err(CheckpointError::Unsigned));
    }

    #[test]
    fn the_origin_names_network_and_member() {
        let member = "banco-azul".parse().expect("a member");
        assert_eq!(origin(&NetworkId::new([0xab; 32]), &member), "celosia/abababababababab/banco-azul");
    }
}
