//! Padmé (Nikitin and others, "Reducing Metadata Leakage from Encrypted Files", PETS 2019): lengths rounded up to few classes.
//!
//! Threat: who sees how long a ciphertext is tells a contract's calls apart. Padmé leaves O(log log n) bits of the length and adds at most
//! 12 %. A padded message is `length (8, big-endian) ‖ message ‖ zeros`, so it is read back one way only.

use zeroize::Zeroizing;

use super::Broken;

/// Bytes of the length in front of a padded message.
pub const PREFIX: usize = 8;

const KIB: usize = 1024;

/// How a message is padded, from the least to the most that it hides.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Padding {
    /// Not at all: the length shows.
    None = 0,
    /// To the next Padmé length.
    #[default]
    Padme = 1,
    /// To the next Padmé length, at least 1 KiB.
    PadmeKib = 2,
    /// To 4, 16 or 64 KiB, then to multiples of 64 KiB.
    Bucket = 3,
}

impl Padding {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Padme, Self::PadmeKib, Self::Bucket];

    /// Its number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The profile of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|padding| padding.number() == number)
    }

    /// Its name, as policies write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Padme => "padme",
            Self::PadmeKib => "padme-1k",
            Self::Bucket => "bucket",
        }
    }

    /// Bytes of a padded message of `message` bytes, its prefix included.
    pub fn padded(self, message: usize) -> usize {
        let least = message.saturating_add(PREFIX);
        match self {
            Self::None => least,
            Self::Padme => padme(least),
            Self::PadmeKib => padme(least.max(KIB)),
            Self::Bucket => [4 * KIB, 16 * KIB].into_iter().find(|size| *size >= least).unwrap_or(up(least, 64 * KIB)),
        }
    }

    /// Appends a padded message to `out`, which is grown once.
    pub fn pad_into(self, message: &[u8], out: &mut Vec<u8>) {
        let padded = self.padded(message.len());
        out.reserve_exact(padded);
        let end = out.len() + padded;
        out.extend_from_slice(&(message.len() as u64).to_be_bytes());
        out.extend_from_slice(message);
        out.resize(end, 0);
    }
}

/// The Padmé length of a length: its binary exponent and as many further bits as that exponent has are kept, the rest is rounded up.
pub fn padme(length: usize) -> usize {
    let Some(exponent) = length.checked_ilog2().filter(|exponent| *exponent > 0) else { return length };
    let kept = exponent.ilog2() + 1;
    up(length, 1 << (exponent - kept))
}

/// `length` rounded up to a multiple of a power of two; unchanged where that would not fit (no buffer is so long).
fn up(length: usize, multiple: usize) -> usize {
    length.checked_next_multiple_of(multiple).unwrap_or(length)
}

/// Where the message of a padded one lies. `Broken` if it is longer than what is there, or if the fill is not zero.
///
/// The fill is checked so that nothing else travels in it, and so that one message has one form for each length.
pub fn message(padded: &[u8]) -> Result<std::ops::Range<usize>, Broken> {
    let (length, rest) = padded.split_first_chunk::<PREFIX>().ok_or(Broken)?;
    let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| Broken)?;
    let (_, fill) = rest.split_at_checked(length).ok_or(Broken)?;
    if fill.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(Broken);
    }
    Ok(PREFIX..PREFIX + length)
}

/// The message of a padded one, in the same buffer.
pub fn unpad(mut padded: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let range = message(&padded)?;
    let length = range.len();
    padded.copy_within(range, 0);
    // What stays behind the end is wiped with the buffer: zeroize covers the capacity.
    padded.truncate(length);
    Ok(padded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Computed with the reference of the paper (Python, arbitrary integers).
    #[test]
    fn lengths_are_those_of_the_paper() {
        for (length, padded) in [
            (0, 0),
            (1, 1),
            (2, 2),
            (7, 7),
            (8, 8),
            (9, 10),
            (100, 104),
            (255, 256),
            (256, 256),
            (257, 272),
            (1000, 1024),
            (1025, 1088),
            (4104, 4352),
            (100_000, 100_352),
            (1 << 20, 1 << 20),
            ((1 << 20) + 1, (1 << 20) + (1 << 15)),
        ] {
            assert_eq!(padme(length), padded, "{length}");
        }
        assert_eq!(padme(usize::MAX), usize::MAX);
    }

    #[test]
    fn profiles_have_their_least_lengths() {
        let sizes = |padding: Padding| [0, 1, 1016, 1017, 4088, 4089, 65_528, 65_529, 200_000].map(|n| padding.padded(n));
        assert_eq!(sizes(Padding::None), [8, 9, 1024, 1025, 4096, 4097, 65_536, 65_537, 200_008]);
        assert_eq!(sizes(Padding::PadmeKib), [1024, 1024, 1024, 1088, 4096, 4352, 65_536, 67_584, 200_704]);
        let k = 65_536;
        assert_eq!(sizes(Padding::Bucket), [4096, 4096, 4096, 4096, 4096, 16_384, k, 2 * k, 4 * k]);
        assert!(Padding::ALL.into_iter().all(|padding| Padding::from_number(padding.number()) == Some(padding)));
        assert_eq!(Padding::from_number(4), None);
    }

    proptest! {
        #[test]
        fn padding_costs_an_eighth_at_most_and_is_stable(length in 0_usize..1 << 40) {
            let padded = padme(length);
            prop_assert!(padded >= length && padded - length <= length / 8);
            prop_assert_eq!(padme(padded), padded);
        }

        #[test]
        fn what_is_padded_is_read_back(message: Vec<u8>, number in 0_u8..4, bit in 0_u8..8) {
            let padding = Padding::from_number(number).expect("four of them");
            let mut padded = Vec::new();
            padding.pad_into(&message, &mut padded);
            prop_assert_eq!(padded.len(), padding.padded(message.len()));
            prop_assert_eq!(&*unpad(Zeroizing::new(padded.clone())).expect("own padding"), &message);
            let last = padded.len() - 1;
            if last >= PREFIX + message.len() {
                padded[last] ^= 1 << bit;
                prop_assert_eq!(unpad(Zeroizing::new(padded)), Err(Broken));
            }
        }
    }

    #[test]
    fn what_nobody_padded_is_broken() {
        for (length, rest) in [(1, &[][..]), (4, &[1, 2, 3]), (u64::MAX, &[1]), (1 << 63, &[]), (1, &[1, 0, 2])] {
            let padded = [&length.to_be_bytes()[..], rest].concat();
            assert_eq!(message(&padded), Err(Broken), "{length}");
        }
        assert_eq!(message(&[0; 7]), Err(Broken));
        assert_eq!(message(&[0; 9]), Ok(8..8));
    }
}
