//! What can be wrong with the bytes or lengths that a caller hands over. No error holds a scalar or an element.

use std::fmt;

/// Why a batch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A packed batch is not a whole number of 32-byte elements.
    PartOfElement {
        /// The length in bytes.
        length: usize,
    },
    /// An element has another encoding than the one RFC 9496 gives it, or is no element at all.
    NotCanonical {
        /// Its place in the batch.
        position: usize,
    },
    /// An element is the identity, whose evaluation everybody knows without the key.
    Identity {
        /// Its place in the batch.
        position: usize,
    },
    /// A scalar is not below the group order.
    ScalarNotCanonical {
        /// Its place in the batch.
        position: usize,
    },
    /// One of the scalars to invert is zero; which one is secret.
    ZeroScalar,
    /// Two arguments do not fit together.
    Lengths {
        /// What is counted.
        what: &'static str,
        /// How many the other argument asks for.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A uniform string is not a whole number of 64-byte pieces.
    PartOfUniform,
    /// Outputs of Finalize are not a whole number of 64-byte pieces.
    PartOfOutput,
    /// An input is longer than RFC 9497 allows.
    LongInput {
        /// Its place in the batch.
        position: usize,
    },
    /// A domain separation tag is longer than RFC 9380 allows.
    LongTag,
    /// A record has no entry key or more than there are entries.
    KeyCount {
        /// Its place in the batch.
        position: usize,
    },
    /// With a recipient's public key no secret can be agreed.
    UnusableKey,
    /// Rows are not a whole number of their width.
    PartOfRow,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PartOfElement { length } => {
                write!(f, "{length} bytes are not a whole number of 32-byte elements")
            }
            Self::NotCanonical { position } => {
                write!(f, "element {position} is not a canonical ristretto255 encoding")
            }
            Self::Identity { position } => write!(f, "element {position} is the identity"),
            Self::ScalarNotCanonical { position } => {
                write!(f, "scalar {position} is not canonical")
            }
            Self::ZeroScalar => write!(f, "one of the scalars is zero"),
            Self::Lengths { what, expected, found } => {
                write!(f, "{expected} {what} are needed, got {found}")
            }
            Self::PartOfUniform => write!(f, "uniform strings have 64 bytes each"),
            Self::PartOfOutput => write!(f, "outputs have 64 bytes each"),
            Self::LongInput { position } => write!(f, "input {position} has more than 65535 bytes"),
            Self::LongTag => write!(f, "a domain separation tag has at most 255 bytes"),
            Self::KeyCount { position } => write!(f, "record {position} has not 1 to 14 keys"),
            Self::UnusableKey => write!(f, "an agreement key is not a usable X25519 key"),
            Self::PartOfRow => write!(f, "rows are all of one width"),
        }
    }
}

impl std::error::Error for Error {}

/// Refuse `found` items where another argument asks for `expected`.
pub fn expect_count(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Lengths { what, expected, found }) }
}
