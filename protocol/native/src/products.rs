//! Products with secret scalars, in constant time. They come out as halves: see [`Elements`].

use crate::elements::{Elements, identities};
use crate::error::{Error, expect_count};
use crate::spread::{BLOCK, fill};
use curve25519_dalek::{RistrettoPoint, Scalar};
use zeroize::Zeroizing;

/// Multiply every element by one scalar.
pub fn multiply(scalar: &Scalar, elements: &Elements, threads: usize) -> Elements {
    let factor = Zeroizing::new(if elements.is_halved() { *scalar } else { scalar.div_by_2() });
    compute(elements.len(), threads, |i| elements.points()[i] * *factor)
}

/// Multiply element i by scalar i.
pub fn multiply_each(scalars: &[Scalar], elements: &Elements, threads: usize) -> Result<Elements, Error> {
    expect_count("scalars", elements.len(), scalars.len())?;
    let points = elements.points();
    Ok(if elements.is_halved() {
        compute(points.len(), threads, |i| points[i] * scalars[i])
    } else {
        compute(points.len(), threads, |i| points[i] * scalars[i].div_by_2())
    })
}

/// Multiply the generator by each scalar.
pub fn multiply_base(scalars: &[Scalar], threads: usize) -> Elements {
    compute(scalars.len(), threads, |i| RistrettoPoint::mul_base(&scalars[i].div_by_2()))
}

/// Return the halves that `half` computes for each position.
pub(crate) fn compute(count: usize, threads: usize, half: impl Fn(usize) -> RistrettoPoint + Sync) -> Elements {
    let mut halves = identities(count);
    fill(&mut halves, BLOCK, threads, |start, piece| {
        for (i, point) in (start..).zip(piece) {
            *point = half(i);
        }
    });
    Elements::halves(halves)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_halves_and_of_wholes_agree() {
        let scalars: Vec<Scalar> = (0u64..200).map(|i| Scalar::from(i * i + 3)).collect();
        let base = multiply_base(&scalars, 2);
        let whole = Elements::decode(&base.encode(1), 1).unwrap();
        let three = Scalar::from(3u8);
        assert_eq!(multiply(&three, &base, 1).encode(1), multiply(&three, &whole, 2).encode(1));
        let each = multiply_each(&scalars, &whole, 2).unwrap();
        assert_eq!(each.encode(1), multiply_each(&scalars, &base, 1).unwrap().encode(2));
        let squares: Vec<Scalar> = scalars.iter().map(|s| s * s).collect();
        assert_eq!(each.encode(1), multiply_base(&squares, 1).encode(1));
        assert!(multiply_each(&scalars[1..], &whole, 1).is_err());
    }
}
