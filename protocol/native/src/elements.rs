//! Decoded elements. A value of [`Elements`] is the evidence that its bytes were canonical when they came in.

use crate::error::Error;
use crate::spread::{BLOCK, fill};
use curve25519_dalek::RistrettoPoint;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::Identity;
use std::sync::Mutex;
use zeroize::Zeroizing;

/// Bytes of an encoded element.
pub const ELEMENT_BYTES: usize = 32;

/// A batch of elements, each kept as itself or, for all of them, as its half.
///
/// Encoding one point costs a square root; encoding the *double* of many points costs one inversion for all
/// (`double_and_compress_batch`). So whatever comes out of a multiplication is kept as its half, with the factor 1/2
/// folded into the scalar. Points are wiped when dropped: an unblinded one is as good as the identifier.
pub struct Elements {
    points: Zeroizing<Vec<RistrettoPoint>>,
    halved: bool,
}

impl Elements {
    /// Wrap points that are the elements themselves.
    pub fn whole(points: Vec<RistrettoPoint>) -> Self {
        Self { points: Zeroizing::new(points), halved: false }
    }

    /// Wrap points whose doubles are the elements.
    pub fn halves(points: Vec<RistrettoPoint>) -> Self {
        Self { points: Zeroizing::new(points), halved: true }
    }

    /// Decode packed foreign bytes; the error is that of the first bad element.
    pub fn decode(packed: &[u8], threads: usize) -> Result<Self, Error> {
        let (encodings, rest) = packed.as_chunks::<ELEMENT_BYTES>();
        if !rest.is_empty() {
            return Err(Error::PartOfElement { length: packed.len() });
        }
        let first_bad: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        let mut points = identities(encodings.len());
        fill(&mut points, BLOCK, threads, |start, piece| {
            for (position, point) in (start..).zip(piece) {
                match decode_one(&encodings[position], position) {
                    Ok(decoded) => *point = decoded,
                    Err(error) => {
                        let mut first = first_bad.lock().expect("nothing panics under this lock");
                        if first.is_none_or(|(earlier, _)| position < earlier) {
                            *first = Some((position, error));
                        }
                        return;
                    }
                }
            }
        });
        match first_bad.into_inner().expect("nothing panics under this lock") {
            Some((_, error)) => Err(error),
            None => Ok(Self::whole(points)),
        }
    }

    /// Return the canonical encodings, packed.
    pub fn encode(&self, threads: usize) -> Vec<u8> {
        let mut encodings = vec![[0u8; ELEMENT_BYTES]; self.len()];
        fill(&mut encodings, BLOCK, threads, |start, piece| {
            let points = &self.points[start..start + piece.len()];
            if self.halved {
                let compressed = RistrettoPoint::double_and_compress_batch(points);
                piece.iter_mut().zip(compressed).for_each(|(out, encoding)| *out = encoding.to_bytes());
            } else {
                piece.iter_mut().zip(points).for_each(|(out, point)| *out = point.compress().to_bytes());
            }
        });
        encodings.into_flattened()
    }

    /// Return the number of elements.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Tell whether there is none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Return the points as they are kept: see [`Elements::is_halved`].
    pub fn points(&self) -> &[RistrettoPoint] {
        &self.points
    }

    /// Tell whether the points are half the elements.
    pub fn is_halved(&self) -> bool {
        self.halved
    }

    /// Return element `i` itself.
    pub fn get(&self, i: usize) -> RistrettoPoint {
        let point = self.points[i];
        if self.halved { point + point } else { point }
    }

    /// Wrap points computed linearly from points kept like those of `self`.
    pub fn like(&self, points: Vec<RistrettoPoint>) -> Self {
        Self { points: Zeroizing::new(points), halved: self.halved }
    }
}

/// Return n identities, to be overwritten.
pub fn identities(count: usize) -> Vec<RistrettoPoint> {
    vec![RistrettoPoint::identity(); count]
}

fn decode_one(encoding: &[u8; ELEMENT_BYTES], position: usize) -> Result<RistrettoPoint, Error> {
    if encoding == &[0; ELEMENT_BYTES] {
        return Err(Error::Identity { position });
    }
    CompressedRistretto(*encoding).decompress().ok_or(Error::NotCanonical { position })
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::Scalar;

    fn multiples(count: u64) -> Vec<RistrettoPoint> {
        (1..=count).map(|i| RistrettoPoint::mul_base(&Scalar::from(i))).collect()
    }

    #[test]
    fn halves_and_wholes_have_the_same_encodings() {
        let half = Scalar::from(2u8).invert();
        let whole = Elements::whole(multiples(300));
        let halved = Elements::halves(multiples(300).iter().map(|p| p * half).collect());
        for threads in [1, 3] {
            assert_eq!(whole.encode(threads), halved.encode(threads));
        }
        assert_eq!(whole.get(7), halved.get(7));
        let decoded = Elements::decode(&whole.encode(1), 2).unwrap();
        assert_eq!(decoded.points(), whole.points());
    }

    #[test]
    fn the_identity_does_not_spoil_its_block() {
        let mut points = multiples(5);
        points[2] = RistrettoPoint::identity();
        let encoded = Elements::halves(points.clone()).encode(1);
        let doubled: Vec<_> = points.iter().map(|p| p + p).collect();
        assert_eq!(encoded, Elements::whole(doubled).encode(1));
        assert_eq!(encoded[64..96], [0; 32]);
    }

    #[test]
    fn the_first_bad_element_is_named_on_any_number_of_threads() {
        let good = Elements::whole(multiples(1000)).encode(2);
        for (bad, also_bad) in [(0, 999), (130, 131), (700, 999)] {
            let mut packed = good.clone();
            packed[32 * bad..32 * (bad + 1)].fill(0);
            packed[32 * also_bad + 31] |= 0x80;
            for threads in [1, 2, 5] {
                let error = Elements::decode(&packed, threads).err();
                assert_eq!(error, Some(Error::Identity { position: bad }));
            }
        }
        assert_eq!(Elements::decode(&good[..33], 1).err(), Some(Error::PartOfElement { length: 33 }));
        assert!(Elements::decode(&[], 1).unwrap().is_empty());
    }
}
