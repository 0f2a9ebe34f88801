//! The order of a published table: rows of one width, compared as bytes. Public data.

use crate::error::Error;

/// Whether the packed rows of `width` bytes stand in the order of their bytes.
pub fn is_sorted(rows: &[u8], width: usize) -> Result<bool, Error> {
    if width == 0 || !rows.len().is_multiple_of(width) {
        return Err(Error::PartOfRow);
    }
    Ok(rows.chunks_exact(width).is_sorted())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_compared_whole() {
        for (rows, expected) in [("", true), ("ab", true), ("abab", true), ("abac", true), ("acab", false)] {
            assert_eq!(is_sorted(rows.as_bytes(), 2), Ok(expected));
        }
        assert_eq!(is_sorted(b"abc", 2), Err(Error::PartOfRow));
        assert_eq!(is_sorted(b"abc", 0), Err(Error::PartOfRow));
    }
}
