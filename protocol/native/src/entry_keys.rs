//! Tags and wrap keys of sealed entries: keyed BLAKE2b (RFC 7693) over a batch of outputs.

use crate::error::Error;
use crate::hashing::OUTPUT_BYTES;
use crate::keyed::derive;
use crate::spread::{BLOCK, fill};
use blake2::digest::consts::U44;
use zeroize::Zeroizing;

/// Bytes of a tag.
pub const TAG_BYTES: usize = 12;
/// Bytes of a tag and the wrap key after it.
pub const ENTRY_KEY_BYTES: usize = TAG_BYTES + 32;

/// For each packed 64-byte output the 12-byte tag and the 32-byte wrap key, packed.
///
/// The output is the key and `context` the message: step S1 of `protocol/SPEC.md`.
pub fn entry_keys(context: &[u8], outputs: &[u8], threads: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (outputs, rest) = outputs.as_chunks::<OUTPUT_BYTES>();
    if !rest.is_empty() {
        return Err(Error::PartOfOutput);
    }
    let mut keys = Zeroizing::new(vec![0; ENTRY_KEY_BYTES * outputs.len()]);
    let (places, _) = keys.as_chunks_mut::<ENTRY_KEY_BYTES>();
    fill(places, BLOCK, threads, |start, piece| {
        for (output, place) in outputs[start..].iter().zip(piece) {
            derive::<U44>(output, &[context], place);
        }
    });
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_output_has_its_own_key_on_any_number_of_threads() {
        let outputs: Vec<u8> = (0..300u16).flat_map(|i| [[0; 62].as_slice(), &i.to_be_bytes()].concat()).collect();
        let one_by_one: Vec<u8> =
            outputs.chunks(OUTPUT_BYTES).flat_map(|output| entry_keys(b"here", output, 1).unwrap().to_vec()).collect();
        for threads in [0, 1, 2, 5] {
            assert_eq!(*entry_keys(b"here", &outputs, threads).unwrap(), one_by_one);
        }
        assert_ne!(*entry_keys(b"there", &outputs, 1).unwrap(), one_by_one);
    }

    #[test]
    fn part_of_an_output_is_refused() {
        assert_eq!(entry_keys(b"here", &[0; 65], 1).err(), Some(Error::PartOfOutput));
        assert!(entry_keys(b"", &[], 1).unwrap().is_empty());
    }
}
