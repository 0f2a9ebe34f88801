//! Packed scalars modulo the group order: 32 bytes each, little-endian. All of them may be secret: constant time.

use crate::error::Error;
use curve25519_dalek::Scalar;
use zeroize::Zeroizing;

/// Bytes of a scalar.
pub const SCALAR_BYTES: usize = 32;
/// Bytes that a scalar or an element is reduced from.
pub const UNIFORM_BYTES: usize = 64;

/// Secret scalars, wiped when they are dropped.
pub type Secrets = Zeroizing<Vec<Scalar>>;

/// Decode packed scalars; refuse those that are not below the order.
pub fn decode(packed: &[u8]) -> Result<Secrets, Error> {
    let (whole, rest) = packed.as_chunks::<SCALAR_BYTES>();
    if !rest.is_empty() {
        return Err(Error::Lengths {
            what: "bytes of scalars",
            expected: SCALAR_BYTES * (whole.len() + 1),
            found: packed.len(),
        });
    }
    let mut scalars = Zeroizing::new(Vec::with_capacity(whole.len()));
    for (position, bytes) in whole.iter().enumerate() {
        let scalar = Scalar::from_canonical_bytes(*bytes).into_option();
        scalars.push(scalar.ok_or(Error::ScalarNotCanonical { position })?);
    }
    Ok(scalars)
}

/// Encode scalars, packed.
pub fn encode(scalars: &[Scalar]) -> Vec<u8> {
    scalars.iter().flat_map(Scalar::to_bytes).collect()
}

/// Reduce n x 64 uniform bytes to n scalars.
pub fn reduce(uniform: &[u8]) -> Result<Secrets, Error> {
    let (whole, rest) = uniform.as_chunks::<UNIFORM_BYTES>();
    if !rest.is_empty() {
        return Err(Error::PartOfUniform);
    }
    Ok(Zeroizing::new(whole.iter().map(Scalar::from_bytes_mod_order_wide).collect()))
}

/// Replace every scalar by its inverse, at the price of one inversion and a few multiplications each.
pub fn invert(scalars: &mut [Scalar]) -> Result<(), Error> {
    // One test on the product: it says that there is a zero, not where.
    if scalars.iter().product::<Scalar>() == Scalar::ZERO {
        return Err(Error::ZeroScalar);
    }
    Scalar::invert_batch_alloc(scalars);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];

    #[test]
    fn scalars_from_the_order_upwards_are_refused_with_their_position() {
        for last in [0xed, 0xee, 0xff] {
            let mut packed = vec![0u8; 64];
            packed[32..].copy_from_slice(&ORDER);
            packed[32] = last;
            assert_eq!(decode(&packed).unwrap_err(), Error::ScalarNotCanonical { position: 1 });
        }
        let mut below = ORDER;
        below[0] -= 1;
        assert_eq!(encode(&decode(&below).unwrap()), below);
        assert!(decode(&[0; 33]).is_err());
    }

    #[test]
    fn inverses_are_inverses_and_a_zero_is_refused() {
        let original: Vec<Scalar> = (1u64..9).map(Scalar::from).collect();
        let mut inverted = original.clone();
        invert(&mut inverted).unwrap();
        for (scalar, inverse) in original.iter().zip(&inverted) {
            assert_eq!(scalar * inverse, Scalar::ONE);
        }
        assert_eq!(invert(&mut [Scalar::ONE, Scalar::ZERO]), Err(Error::ZeroScalar));
        assert_eq!(invert(&mut []), Ok(()));
    }

    #[test]
    fn uniform_strings_are_reduced_modulo_the_order() {
        let mut uniform = [0u8; 128];
        uniform[64..96].copy_from_slice(&ORDER);
        uniform[64] += 5;
        let reduced = reduce(&uniform).unwrap();
        assert_eq!(*reduced, vec![Scalar::ZERO, Scalar::from(5u8)]);
        assert!(matches!(reduce(&uniform[..65]), Err(Error::PartOfUniform)));
    }
}
