//! Keyed BLAKE2b (RFC 7693): how keys are derived from keys that are uniform already.

use blake2::Blake2bMac;
use blake2::digest::array::ArraySize;
use blake2::digest::consts::{True, U64};
use blake2::digest::typenum::IsLessOrEqual;
use blake2::digest::{FixedOutput, KeyInit, Update};

/// Fill `place`, which has `Size` bytes, from the parts of a message under a key of 1 to 64 bytes.
///
/// The size goes into the hash: sizes give unrelated bytes.
pub fn derive<Size>(key: &[u8], message: &[&[u8]], place: &mut [u8])
where
    Size: ArraySize + IsLessOrEqual<U64, Output = True>,
{
    assert!(!key.is_empty(), "without a key it is a hash that anybody can compute");
    let mut hash = Blake2bMac::<Size>::new_from_slice(key).expect("a key of at most 64 bytes");
    message.iter().for_each(|part| hash.update(part));
    hash.finalize_into(place.try_into().expect("a place of the size"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use blake2::digest::consts::{U32, U44};

    #[test]
    fn parts_are_one_message_and_key_message_and_size_count() {
        let of = |key: &[u8], message: &[&[u8]]| {
            let mut place = [0; 32];
            derive::<U32>(key, message, &mut place);
            place
        };
        assert_eq!(of(b"key", &[b"one", b"two"]), of(b"key", &[b"onetwo"]));
        assert_ne!(of(b"key", &[b"one"]), of(b"key\0", &[b"one"]));
        assert_ne!(of(b"key", &[b"one"]), of(b"key", &[b"one\0"]));
        let mut longer = [0; 44];
        derive::<U44>(b"key", &[b"one"], &mut longer);
        assert_ne!(of(b"key", &[b"one"]), longer[..32]);
    }

    #[test]
    #[should_panic(expected = "without a key")]
    fn no_key_is_refused() {
        derive::<U32>(b"", &[b"one"], &mut [0; 32]);
    }
}
