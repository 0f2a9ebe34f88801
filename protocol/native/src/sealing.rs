//! Sealing records under their own keys: steps S2 and S3 of `protocol/SPEC.md`, a batch at a time.

use crate::entry_keys::{ENTRY_KEY_BYTES, TAG_BYTES};
use crate::error::{Error, expect_count};
use crate::keyed::derive;
use crate::spread::{BLOCK, fill};
use blake2::digest::consts::{U32, U64};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const SALT_BYTES: usize = 8;
const ENTRY_BYTES: usize = TAG_BYTES + SALT_BYTES + KEY_BYTES;
const COMMITMENT_BYTES: usize = 32;
const AEAD_TAG_BYTES: usize = 16;
const ENTRIES: usize = 14;
/// Bytes of a payload.
pub const PAYLOAD_BYTES: usize = 224;
const RECORD_BYTES: usize = COMMITMENT_BYTES + PAYLOAD_BYTES + AEAD_TAG_BYTES;
/// Bytes of a sealed record with its entries.
pub const SEALED_BYTES: usize = RECORD_BYTES + ENTRIES * ENTRY_BYTES;

/// What is sealed, packed: one record key, payload and number of entry keys for each record, then everybody's entry
/// keys and randomness one after the other.
pub struct Records<'a> {
    /// 32 bytes each.
    pub record_keys: &'a [u8],
    /// [`PAYLOAD_BYTES`] each.
    pub payloads: &'a [u8],
    /// One byte each, 1 to 14.
    pub counts: &'a [u8],
    /// [`ENTRY_KEY_BYTES`] for each entry key.
    pub entry_keys: &'a [u8],
    /// 8 bytes for each entry key of a record, then 52 for each entry that it lacks.
    pub random: &'a [u8],
}

/// Seal every record: [`SEALED_BYTES`] each, packed. `context` is the associated data before the commitment.
pub fn seal_records(context: &[u8], records: &Records<'_>, threads: usize) -> Result<Vec<u8>, Error> {
    let places = places(records)?;
    let (record_keys, _) = records.record_keys.as_chunks::<KEY_BYTES>();
    let (payloads, _) = records.payloads.as_chunks::<PAYLOAD_BYTES>();
    let (entry_keys, _) = records.entry_keys.as_chunks::<ENTRY_KEY_BYTES>();
    let mut sealed = vec![0; SEALED_BYTES * places.len()];
    let (outputs, _) = sealed.as_chunks_mut::<SEALED_BYTES>();
    fill(outputs, BLOCK, threads, |start, piece| {
        for (i, output) in (start..).zip(piece) {
            let place = &places[i];
            let keys = &entry_keys[place.keys..place.keys + place.count];
            seal(context, &record_keys[i], &payloads[i], keys, &records.random[place.random..], output);
        }
    });
    Ok(sealed)
}

/// Where a record's entry keys and its randomness begin.
struct Place {
    count: usize,
    keys: usize,
    random: usize,
}

fn places(records: &Records<'_>) -> Result<Vec<Place>, Error> {
    let number = records.counts.len();
    expect_count("bytes of record keys", KEY_BYTES * number, records.record_keys.len())?;
    expect_count("bytes of payloads", PAYLOAD_BYTES * number, records.payloads.len())?;
    let (mut keys, mut random) = (0, 0);
    let mut places = Vec::with_capacity(number);
    for (position, &count) in records.counts.iter().enumerate() {
        let count = usize::from(count);
        if count == 0 || count > ENTRIES {
            return Err(Error::KeyCount { position });
        }
        places.push(Place { count, keys, random });
        keys += count;
        random += SALT_BYTES * count + ENTRY_BYTES * (ENTRIES - count);
    }
    expect_count("bytes of entry keys", ENTRY_KEY_BYTES * keys, records.entry_keys.len())?;
    expect_count("random bytes", random, records.random.len())?;
    Ok(places)
}

fn seal(
    context: &[u8],
    record_key: &[u8; KEY_BYTES],
    payload: &[u8; PAYLOAD_BYTES],
    keys: &[[u8; ENTRY_KEY_BYTES]],
    random: &[u8],
    output: &mut [u8; SEALED_BYTES],
) {
    let mut keys_of_record = Zeroizing::new([0; COMMITMENT_BYTES + KEY_BYTES]);
    derive::<U64>(record_key, &[b"tacit/1 record"], &mut *keys_of_record);
    let (commitment, encryption) = keys_of_record.split_at(COMMITMENT_BYTES);
    let (record, entries) = output.split_at_mut(RECORD_BYTES);
    let (place, ciphertext) = record.split_at_mut(COMMITMENT_BYTES);
    place.copy_from_slice(commitment);
    encrypt(encryption, &[context, commitment].concat(), payload, ciphertext);

    let (salts, filler) = random.split_at(SALT_BYTES * keys.len());
    let (entries, _) = entries.as_chunks_mut::<ENTRY_BYTES>();
    let (wrapped, lacking) = entries.split_at_mut(keys.len());
    for ((key, salt), entry) in keys.iter().zip(salts.as_chunks::<SALT_BYTES>().0).zip(wrapped) {
        let (tag, wrap) = key.split_at(TAG_BYTES);
        entry[..TAG_BYTES].copy_from_slice(tag);
        entry[TAG_BYTES..TAG_BYTES + SALT_BYTES].copy_from_slice(salt);
        let pad = &mut entry[TAG_BYTES + SALT_BYTES..];
        derive::<U32>(wrap, &[b"tacit/1 pad", salt], pad);
        pad.iter_mut().zip(record_key).for_each(|(byte, key)| *byte ^= key);
    }
    for (entry, random) in lacking.iter_mut().zip(filler.as_chunks::<ENTRY_BYTES>().0) {
        *entry = *random;
    }
    entries.sort_unstable(); // what is compared is about to be published
}

/// Fill `place` with ciphertext and tag. The nonce is zero: the key encrypts this one message.
fn encrypt(key: &[u8], associated_data: &[u8], payload: &[u8; PAYLOAD_BYTES], place: &mut [u8]) {
    let (text, tag) = place.split_at_mut(PAYLOAD_BYTES);
    text.copy_from_slice(payload);
    let cipher = ChaCha20Poly1305::new_from_slice(key).expect("a key of 32 bytes");
    let made = cipher.encrypt_inout_detached(&[0; 12].into(), associated_data, text.into());
    tag.copy_from_slice(&made.expect("a payload is short"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records<'a>(parts: &'a [Vec<u8>; 4], counts: &'a [u8]) -> Records<'a> {
        let [record_keys, payloads, entry_keys, random] = parts;
        Records { record_keys, payloads, counts, entry_keys, random }
    }

    fn parts(counts: &[u8]) -> [Vec<u8>; 4] {
        let bytes = |length: usize, step: usize| (0..length).map(|i| (i * step % 251) as u8).collect::<Vec<u8>>();
        let keys: usize = counts.iter().map(|&count| usize::from(count)).sum();
        let random = SALT_BYTES * keys + ENTRY_BYTES * (ENTRIES * counts.len() - keys);
        [
            bytes(KEY_BYTES * counts.len(), 7),
            bytes(PAYLOAD_BYTES * counts.len(), 11),
            bytes(ENTRY_KEY_BYTES * keys, 13),
            bytes(random, 17),
        ]
    }

    #[test]
    fn the_number_of_threads_changes_nothing_and_entries_are_in_order() {
        let counts: Vec<u8> = (0..300u16).map(|i| (i % 14 + 1) as u8).collect();
        let parts = parts(&counts);
        let sealed = seal_records(b"context", &records(&parts, &counts), 1).unwrap();
        assert_eq!(sealed.len(), 1000 * counts.len());
        for threads in [0, 2, 5] {
            assert_eq!(seal_records(b"context", &records(&parts, &counts), threads).unwrap(), sealed);
        }
        for record in sealed.chunks(SEALED_BYTES) {
            assert!(record[RECORD_BYTES..].as_chunks::<ENTRY_BYTES>().0.is_sorted());
        }
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let counts = [1, 14];
        let whole = parts(&counts);
        assert!(seal_records(b"", &records(&whole, &counts), 1).is_ok());
        for (part, what) in
            ["bytes of record keys", "bytes of payloads", "bytes of entry keys", "random bytes"].into_iter().enumerate()
        {
            let mut short = whole.clone();
            short[part].pop();
            let error = seal_records(b"", &records(&short, &counts), 1).err();
            assert!(matches!(error, Some(Error::Lengths { what: found, .. }) if found == what));
        }
        for (position, counts) in [(0, [0, 14]), (1, [1, 15])] {
            assert_eq!(seal_records(b"", &records(&whole, &counts), 1).err(), Some(Error::KeyCount { position }));
        }
    }
}
