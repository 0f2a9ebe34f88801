//! Sealing many plaintexts to one recipient: HPKE (RFC 9180), base mode, single-shot, a fresh ephemeral key for each.
//! DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, no associated data.
//!
//! Only the two multiplications of the KEM differ from a library's sender: the recipient is always the same, so that a
//! table of its point's multiples serves all exchanges. The ephemeral keys are an argument.

use crate::error::{Error, expect_count};
use crate::spread::{BLOCK, fill};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use curve25519_dalek::edwards::{EdwardsBasepointTable, EdwardsPoint};
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::traits::BasepointTable;
use hkdf::{Hkdf, HkdfExtract};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a key, of an encapsulated key and of a shared secret.
pub const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// What a sealed message has beyond its plaintext: encapsulated key before it, authentication tag behind it.
pub const OVERHEAD: usize = KEY_BYTES + TAG_BYTES;

const KEM: &[u8] = b"KEM\x00\x20";
const SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x03";

type Secret = Zeroizing<[u8; KEY_BYTES]>;

/// A recipient's public key, ready for many exchanges.
pub struct Recipient {
    public_key: [u8; KEY_BYTES],
    multiples: Multiples,
}

/// How the recipient's point is multiplied; both run in constant time.
enum Multiples {
    /// On the curve: from a table.
    Table(Box<EdwardsBasepointTable>),
    /// On the twist, which X25519 takes but no key pair gives: by the Montgomery ladder.
    Ladder(MontgomeryPoint),
}

impl Recipient {
    /// Take a public key; refuse one with which no secret can be agreed.
    pub fn new(public_key: &[u8]) -> Result<Self, Error> {
        let public_key: [u8; KEY_BYTES] = public_key.try_into().map_err(|_| Error::UnusableKey)?;
        let point = MontgomeryPoint(public_key);
        // The all-zero check of RFC 9180 section 7.1.4, once for all: a clamped scalar is 8 m with m below the prime
        // order of the curve and of its twist, so the product is zero for points of low order and for no others.
        if point.mul_clamped([0; KEY_BYTES]).0 == [0; KEY_BYTES] {
            return Err(Error::UnusableKey);
        }
        // The sign is free: X25519 knows u-coordinates only, and P and -P share theirs. The table multiplies by the
        // clamped integer itself, not reduced modulo the order, so that it is right for a point with torsion too.
        let multiples = match point.to_edwards(0) {
            Some(point) => Multiples::Table(Box::new(EdwardsBasepointTable::create(&point))),
            None => Multiples::Ladder(point),
        };
        Ok(Self { public_key, multiples })
    }

    /// Encap of DHKEM (RFC 9180 section 4.1) with each ephemeral private key: encapsulated keys and shared secrets.
    pub fn encapsulate(&self, ephemeral: &[[u8; KEY_BYTES]]) -> Vec<([u8; KEY_BYTES], Secret)> {
        let mine = u_coordinates(ephemeral.iter().map(|secret| EdwardsPoint::mul_base_clamped(*secret)).collect());
        let agreed = match &self.multiples {
            Multiples::Table(table) => {
                u_coordinates(ephemeral.iter().map(|secret| table.mul_base_clamped(*secret)).collect())
            }
            Multiples::Ladder(point) => ephemeral.iter().map(|secret| point.mul_clamped(*secret)).collect(),
        };
        let agreed = Zeroizing::new(agreed);
        mine.iter().zip(agreed.iter()).map(|(mine, agreed)| (mine.0, self.shared_secret(&mine.0, agreed))).collect()
    }

    /// ExtractAndExpand of section 4.1.
    fn shared_secret(&self, encapsulated: &[u8; KEY_BYTES], agreed: &MontgomeryPoint) -> Secret {
        let expand = labeled_extract(KEM, b"", b"eae_prk", &agreed.0);
        let mut shared = Secret::default();
        labeled_expand(&expand, KEM, b"shared_secret", &[encapsulated, &self.public_key], &mut *shared);
        shared
    }
}

/// The part of the key schedule (section 5.1, base mode) that all messages under one `info` share.
pub struct Context(Vec<u8>);

impl Context {
    /// Hash `info` and the absent PSK's identity.
    pub fn new(info: &[u8]) -> Self {
        let hash = |label, material| labeled_hash(SUITE, label, material);
        Self([[0].as_slice(), &hash(b"psk_id_hash", b""), &hash(b"info_hash", info)].concat())
    }

    /// Key and base nonce, which is the nonce of the only message.
    pub fn key_schedule(&self, shared_secret: &[u8; KEY_BYTES]) -> (Secret, [u8; NONCE_BYTES]) {
        let expand = labeled_extract(SUITE, shared_secret, b"secret", b"");
        let (mut key, mut nonce) = (Secret::default(), [0; NONCE_BYTES]);
        labeled_expand(&expand, SUITE, b"key", &[&self.0], &mut *key);
        labeled_expand(&expand, SUITE, b"base_nonce", &[&self.0], &mut nonce);
        (key, nonce)
    }
}

/// Seal each of the packed plaintexts of `size` bytes with its own 32 bytes of `ephemeral`, which must never seal
/// anything else: `size` + [`OVERHEAD`] bytes each, packed.
pub fn seal_each(
    public_key: &[u8],
    info: &[u8],
    plaintexts: &[u8],
    size: usize,
    ephemeral: &[u8],
    threads: usize,
) -> Result<Vec<u8>, Error> {
    let (secrets, rest) = ephemeral.as_chunks::<KEY_BYTES>();
    expect_count("bytes of ephemeral keys", KEY_BYTES * secrets.len(), KEY_BYTES * secrets.len() + rest.len())?;
    // A product that has no room is more than any plaintexts are.
    expect_count("bytes of plaintexts", size.saturating_mul(secrets.len()), plaintexts.len())?;
    let (recipient, context) = (Recipient::new(public_key)?, Context::new(info));
    if secrets.is_empty() {
        return Ok(Vec::new()); // whatever the size: from here on it is bounded by the plaintexts
    }
    let width = size + OVERHEAD;
    let mut sealed = vec![0; width * secrets.len()];
    fill(&mut sealed, BLOCK * width, threads, |start, piece| {
        let start = start / width;
        let secrets = &secrets[start..start + piece.len() / width];
        for (i, ((encapsulated, shared), place)) in
            (start..).zip(recipient.encapsulate(secrets).iter().zip(piece.chunks_mut(width)))
        {
            let (key, nonce) = context.key_schedule(shared);
            let (front, rest) = place.split_at_mut(KEY_BYTES);
            let (text, tag) = rest.split_at_mut(size);
            front.copy_from_slice(encapsulated);
            text.copy_from_slice(&plaintexts[size * i..size * (i + 1)]);
            let cipher = ChaCha20Poly1305::new((&*key).into());
            let made = cipher.encrypt_inout_detached(&nonce.into(), b"", text.into());
            tag.copy_from_slice(&made.expect("far below 256 GiB"));
        }
    });
    Ok(sealed)
}

/// One inversion for all of them.
fn u_coordinates(points: Vec<EdwardsPoint>) -> Vec<MontgomeryPoint> {
    EdwardsPoint::to_montgomery_batch(&Zeroizing::new(points))
}

/// LabeledExtract of section 4, ready to be expanded.
fn labeled_extract(suite: &[u8], salt: &[u8], label: &[u8], material: &[u8]) -> Hkdf<Sha256> {
    let (mut pseudorandom_key, expand) = extractor(suite, salt, label, material).finalize();
    pseudorandom_key.as_mut_slice().zeroize();
    expand
}

/// LabeledExtract of public material, without a salt.
fn labeled_hash(suite: &[u8], label: &[u8], material: &[u8]) -> Vec<u8> {
    extractor(suite, b"", label, material).finalize().0.to_vec()
}

fn extractor(suite: &[u8], salt: &[u8], label: &[u8], material: &[u8]) -> HkdfExtract<Sha256> {
    let mut extract = HkdfExtract::new(Some(salt));
    for part in [b"HPKE-v1", suite, label, material] {
        extract.input_ikm(part);
    }
    extract
}

/// LabeledExpand of section 4; `info` in pieces.
fn labeled_expand(expand: &Hkdf<Sha256>, suite: &[u8], label: &[u8], info: &[&[u8]], place: &mut [u8]) {
    let length = (place.len() as u16).to_be_bytes();
    let labeled = [[length.as_slice(), b"HPKE-v1", suite, label].as_slice(), info].concat();
    expand.expand_multi_info(&labeled, place).expect("at most a block");
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
    use curve25519_dalek::scalar::Scalar;

    /// Every byte pattern that clamping changes, and ordinary ones.
    fn ephemeral() -> Vec<[u8; KEY_BYTES]> {
        let ordinary =
            (0..8u8).map(|i| std::array::from_fn(|j| i.wrapping_mul(37).wrapping_add((j as u8).wrapping_mul(101))));
        [[0; KEY_BYTES], [255; KEY_BYTES]].into_iter().chain(ordinary).collect()
    }

    /// The exchange by the ladder, as RFC 7748 describes it.
    fn by_ladder(public_key: [u8; KEY_BYTES], recipient: &Recipient) -> Vec<([u8; KEY_BYTES], Secret)> {
        let exchange = |secret: &[u8; KEY_BYTES]| {
            let mine = MontgomeryPoint::mul_base_clamped(*secret).0;
            (mine, recipient.shared_secret(&mine, &MontgomeryPoint(public_key).mul_clamped(*secret)))
        };
        ephemeral().iter().map(exchange).collect()
    }

    #[test]
    fn the_table_and_the_ladder_agree_also_on_points_with_torsion() {
        for multiple in 1..3u64 {
            for torsion in EIGHT_TORSION {
                let public_key =
                    (ED25519_BASEPOINT_POINT * Scalar::from(multiple * multiple) + torsion).to_montgomery().0;
                let recipient = Recipient::new(&public_key).unwrap();
                assert!(matches!(recipient.multiples, Multiples::Table(_)));
                assert_eq!(recipient.encapsulate(&ephemeral()), by_ladder(public_key, &recipient));
            }
        }
    }

    #[test]
    fn any_u_coordinate_gives_what_the_ladder_gives() {
        let (mut on_curve, mut on_twist) = (0, 0);
        for seed in 0..40u8 {
            let public_key = std::array::from_fn(|i| seed.wrapping_mul(29).wrapping_add((i as u8).wrapping_mul(53))); // bit 255 too
            let recipient = Recipient::new(&public_key).unwrap();
            match recipient.multiples {
                Multiples::Table(_) => on_curve += 1,
                Multiples::Ladder(_) => on_twist += 1,
            }
            assert_eq!(recipient.encapsulate(&ephemeral()), by_ladder(public_key, &recipient));
        }
        assert!(on_curve > 5 && on_twist > 5);
    }

    #[test]
    fn keys_of_low_order_or_another_size_are_refused() {
        let mut low: Vec<[u8; KEY_BYTES]> = EIGHT_TORSION.iter().map(|point| point.to_montgomery().0).collect();
        // Of the twist, and encodings that are not reduced: p - 1, p, p + 1.
        low.extend([0xec, 0xed, 0xee].map(|last| {
            let mut encoding = [0xff; KEY_BYTES];
            (encoding[0], encoding[31]) = (last, 0x7f);
            encoding
        }));
        for mut public_key in low {
            for bit in [0, 0x80] {
                public_key[31] |= bit;
                assert_eq!(Recipient::new(&public_key).err(), Some(Error::UnusableKey));
            }
        }
        assert_eq!(Recipient::new(&[9; 31]).err(), Some(Error::UnusableKey));
        assert_eq!(seal_each(&[9; 33], b"", b"", 0, b"", 1).err(), Some(Error::UnusableKey));
    }

    #[test]
    fn the_number_of_threads_changes_nothing_and_lengths_must_fit() {
        let secrets: Vec<u8> = (0..KEY_BYTES * 300).map(|i| (i % 253) as u8).collect();
        let plaintexts: Vec<u8> = (0..70 * 300).map(|i| (i % 241) as u8).collect();
        let public_key = MontgomeryPoint::mul_base_clamped([5; KEY_BYTES]).0;
        let seal = |plaintexts: &[u8], size, secrets: &[u8], threads| {
            seal_each(&public_key, b"info", plaintexts, size, secrets, threads)
        };
        let sealed = seal(&plaintexts, 70, &secrets, 1).unwrap();
        assert_eq!(sealed.len(), (70 + OVERHEAD) * 300);
        for threads in [0, 2, 5] {
            assert_eq!(seal(&plaintexts, 70, &secrets, threads).unwrap(), sealed);
        }
        assert_eq!(seal(b"", 0, &secrets, 1).unwrap().len(), OVERHEAD * 300);
        for (plaintexts, secrets) in [(&plaintexts[1..], &secrets[..]), (&plaintexts[..], &secrets[1..])] {
            assert!(matches!(seal(plaintexts, 70, secrets, 1), Err(Error::Lengths { .. })));
        }
        // Sizes whose products or sums would wrap around to something that fits.
        for (size, count) in [(1 << 63, 2), (1 << 62, 4), (usize::MAX - 47, 1), (usize::MAX, 1)] {
            assert!(matches!(seal(b"", size, &secrets[..KEY_BYTES * count], 1), Err(Error::Lengths { .. })));
        }
        for size in [usize::MAX - 47, (1 << 57) - 48, usize::MAX] {
            assert_eq!(seal(b"", size, b"", 1).unwrap(), b"");
        }
    }
}
