//! What a log hands to a witness (C2SP tlog-witness, body of `add-checkpoint`): the size that the witness has seen, the consistency proof
//! from there, and the checkpoint.

use std::fmt;
use std::str::FromStr;

use super::checkpoint::CheckpointError;
use super::hash::{self, Hash};
use super::note::{MAX_NOTE, Note};
use super::proof::ProofError;

/// Most hashes of a consistency proof, as the specification has it.
const MAX_HASHES: usize = 63;

/// A checkpoint for a witness.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Submission {
    /// Size of the checkpoint that the witness cosigned last, 0 for none.
    pub old: u64,
    /// The consistency proof from there.
    pub proof: Vec<Hash>,
    /// The checkpoint.
    pub checkpoint: Note,
}

impl fmt::Display for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", hash::to_base64(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for Submission {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        if text.len() > MAX_NOTE {
            return Err(ProofError::Form("it is too long"));
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Form("it has no checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| hash::number(line.strip_prefix("old ")?));
        let old = old.ok_or(ProofError::Form("its first line is no old size"))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_HASHES {
                return Err(ProofError::Form("it has too many hashes"));
            }
            proof.push(hash::from_base64(line).ok_or(ProofError::Form("a line is no hash"))?);
        }
        let checkpoint = Note::parse(checkpoint).map_err(CheckpointError::Note)?;
        Ok(Self { old, proof, checkpoint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn the_form_is_that_of_the_specification() {
        let line = "\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=";
        let hash = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=";
        let text = format!(
            "old 20852014\n{hash}\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n{line}\n"
        );
        let read: Submission = text.parse().expect("a submission");
        assert_eq!((read.old, read.proof.len(), read.to_string()), (20_852_014, 4, text.clone()));
        for (from, to, why) in [
            ("old 2", "new 2", "its first line is no old size"),
            ("old 2", "old 02", "its first line is no old size"),
            (hash, "PlRN", "a line is no hash"),
            ("\n\n", "\n", "a line is no hash"),
        ] {
            assert_eq!(text.replacen(from, to, 1).parse::<Submission>(), Err(ProofError::Form(why)), "{to:?}");
        }
        let long = text.replacen(hash, &[hash; 61].join("\n"), 1);
        assert_eq!(long.parse::<Submission>(), Err(ProofError::Form("it has too many hashes")));
        assert_eq!("old 1\n".parse::<Submission>(), Err(ProofError::Form("it has no checkpoint")));
    }
}
