//! Linear combinations. Multi-scalar multiplication runs in variable time and is given public data only: the batches
//! and answers that travel, the weights and Lagrange coefficients that everybody can compute.

use crate::elements::{Elements, identities};
use crate::error::{Error, expect_count};
use crate::hashing::weights;
use crate::products::compute;
use crate::scalars::{self, Secrets};
use crate::spread::{BLOCK, fill};
use curve25519_dalek::traits::{Identity, VartimeMultiscalarMul};
use curve25519_dalek::{RistrettoPoint, Scalar};

const ADDITIONS_IN_MULTIPLICATION: u32 = 100; // measured: 18 us against 0.17 us

/// Add two batches element by element.
pub fn add(left: &Elements, right: &Elements, threads: usize) -> Result<Elements, Error> {
    expect_count("elements", left.len(), right.len())?;
    let alike = left.is_halved() == right.is_halved();
    let mut sums = identities(left.len());
    fill(&mut sums, BLOCK, threads, |start, piece| {
        for (i, sum) in (start..).zip(piece) {
            *sum = if alike { left.points()[i] + right.points()[i] } else { left.get(i) + right.get(i) };
        }
    });
    Ok(if alike { left.like(sums) } else { Elements::whole(sums) })
}

/// Return the single element sum_i s_i E_i. Public data only.
pub fn weighted_sum(scalars: &[Scalar], elements: &Elements, threads: usize) -> Result<Elements, Error> {
    expect_count("scalars", elements.len(), scalars.len())?;
    Ok(elements.like(weighted_sums(scalars, &[elements], threads)))
}

/// Return sum_i d_i E_i for each batch, with the weights drawn from `seed`. Public data only.
pub fn composites(seed: &[u8], batches: &[&Elements], threads: usize) -> Result<Elements, Error> {
    let count = batches.first().map_or(0, |batch| batch.len());
    for batch in batches {
        expect_count("elements", count, batch.len())?;
    }
    let sums = weighted_sums(&weights(seed, count, threads), batches, threads);
    let doubled = |(sum, batch): (RistrettoPoint, &&Elements)| if batch.is_halved() { sum + sum } else { sum };
    Ok(Elements::whole(sums.into_iter().zip(batches).map(doubled).collect()))
}

/// Return r_i^-1 sum_j c_j D_ji for public coefficients and answers, and secret blinds.
pub fn unblind(
    coefficients: &[Scalar],
    evaluated: &[&Elements],
    mut blinds: Secrets,
    threads: usize,
) -> Result<Elements, Error> {
    expect_count("batches", coefficients.len(), evaluated.len())?;
    for batch in evaluated {
        expect_count("blinds", batch.len(), blinds.len())?;
    }
    for blind in blinds.iter_mut() {
        *blind += *blind; // the products are kept as halves
    }
    scalars::invert(&mut blinds)?;
    let count = blinds.len();
    if let Some(small) = small_coefficients(coefficients) {
        return Ok(compute(count, threads, |i| small_sum(&small, evaluated, i) * blinds[i]));
    }
    Ok(compute(count, threads, |i| {
        coefficients.iter().zip(evaluated).map(|(coefficient, batch)| batch.get(i) * (coefficient * blinds[i])).sum()
    }))
}

/// One multi-scalar multiplication for each batch, cut into as many parts as there are threads for it.
fn weighted_sums(scalars: &[Scalar], batches: &[&Elements], threads: usize) -> Vec<RistrettoPoint> {
    let parts = threads.div_ceil(batches.len().max(1)).clamp(1, scalars.len().div_ceil(BLOCK).max(1));
    let length = scalars.len().div_ceil(parts).max(1);
    let mut sums = identities(parts * batches.len());
    fill(&mut sums, 1, threads, |number, place| {
        let points = batches[number / parts].points();
        let start = (length * (number % parts)).min(scalars.len());
        let end = (start + length).min(scalars.len());
        place[0] = RistrettoPoint::vartime_multiscalar_mul(&scalars[start..end], &points[start..end]);
    });
    sums.chunks(parts).map(|of_batch| of_batch.iter().sum()).collect()
}

/// A public coefficient as sign and absolute value.
type Small = (bool, u64);

/// Return the coefficients as small integers, if adding is cheaper with them than multiplying: those of Lagrange
/// interpolation at small indices are.
fn small_coefficients(coefficients: &[Scalar]) -> Option<Vec<Small>> {
    let small: Vec<Small> = coefficients.iter().map(small).collect::<Option<_>>()?;
    let doublings = small.iter().map(|(_, value)| u64::BITS - value.leading_zeros()).max().unwrap_or(0);
    let additions = doublings + small.iter().map(|(_, value)| value.count_ones()).sum::<u32>();
    let spared = u32::try_from(small.len()).ok()?.saturating_sub(1) * ADDITIONS_IN_MULTIPLICATION;
    (small.len() == 1 && small[0] == (false, 1) || additions <= spared).then_some(small)
}

fn small(coefficient: &Scalar) -> Option<Small> {
    let value = |scalar: &Scalar| {
        let (low, high) = scalar.as_bytes().split_first_chunk::<8>()?;
        high.iter().all(|&byte| byte == 0).then(|| u64::from_le_bytes(*low))
    };
    value(coefficient).map(|v| (false, v)).or_else(|| value(&-coefficient).map(|v| (true, v)))
}

/// Return sum_j c_j D_ji by doubling and adding over the bits of all coefficients together.
fn small_sum(coefficients: &[Small], batches: &[&Elements], i: usize) -> RistrettoPoint {
    let bits = coefficients.iter().map(|(_, value)| u64::BITS - value.leading_zeros()).max().unwrap_or(0);
    let mut total = RistrettoPoint::identity();
    for bit in (0..bits).rev() {
        if bit + 1 < bits {
            total += total;
        }
        for ((negative, value), batch) in coefficients.iter().zip(batches) {
            if value >> bit & 1 == 1 {
                total = if *negative { total - batch.get(i) } else { total + batch.get(i) };
            }
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::products::{multiply_base, multiply_each};

    fn logarithms(count: u64, step: u64) -> Vec<Scalar> {
        (1..=count).map(|i| Scalar::from(step * i + 7)).collect()
    }

    fn decoded(elements: &Elements) -> Elements {
        Elements::decode(&elements.encode(1), 1).unwrap()
    }

    #[test]
    fn sums_of_halves_and_of_wholes_agree() {
        let (a, b) = (logarithms(300, 3), logarithms(300, 5));
        let halves = [multiply_base(&a, 1), multiply_base(&b, 1)];
        let wholes = [decoded(&halves[0]), decoded(&halves[1])];
        let expected = composites(b"seed", &[&wholes[0], &wholes[1]], 1).unwrap().encode(1);
        for threads in [1, 2, 3, 8] {
            let mixed = composites(b"seed", &[&halves[0], &wholes[1]], threads).unwrap();
            assert_eq!(mixed.encode(1), expected);
        }
        let sums: Vec<Scalar> = a.iter().zip(&b).map(|(x, y)| x + y).collect();
        for (left, right) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let left = [&halves[0], &wholes[0]][left];
            let right = [&halves[1], &wholes[1]][right];
            assert_eq!(add(left, right, 2).unwrap().encode(1), multiply_base(&sums, 1).encode(1));
        }
    }

    #[test]
    fn a_weighted_sum_is_the_sum_of_the_products() {
        for count in [0, 1, 5, 200, 900] {
            let (weights, logs) = (logarithms(count, 11), logarithms(count, 2));
            let expected: Scalar = weights.iter().zip(&logs).map(|(w, l)| w * l).sum();
            let points = multiply_base(&logs, 1);
            for threads in [1, 2, 4] {
                let sum = weighted_sum(&weights, &points, threads).unwrap();
                assert_eq!(sum.encode(1), multiply_base(&[expected], 1).encode(1));
            }
        }
    }

    #[test]
    fn unblinding_is_the_same_by_addition_and_by_multiplication() {
        let logs = [logarithms(20, 3), logarithms(20, 4)];
        let batches = [multiply_base(&logs[0], 1), decoded(&multiply_base(&logs[1], 1))];
        let blinds = logarithms(20, 9);
        let large = Scalar::from(u64::MAX) * Scalar::from(1_000_003u64);
        for coefficients in [[Scalar::from(2u8), -Scalar::ONE], [large, -large], [Scalar::ZERO, Scalar::from(4u8)]] {
            let refs = [&batches[0], &batches[1]];
            let result = unblind(&coefficients, &refs, Secrets::new(blinds.clone()), 2).unwrap();
            let sums: Vec<Scalar> =
                (0..20).map(|i| coefficients[0] * logs[0][i] + coefficients[1] * logs[1][i]).collect();
            let blinded_again = multiply_each(&blinds, &result, 1).unwrap();
            assert_eq!(blinded_again.encode(1), multiply_base(&sums, 1).encode(1));
        }
    }

    #[test]
    fn coefficients_of_trustees_are_small_and_others_are_not() {
        let lagrange = [Scalar::from(6u8), -Scalar::from(8u8), Scalar::from(3u8)];
        assert_eq!(small_coefficients(&lagrange), Some(vec![(false, 6), (true, 8), (false, 3)]));
        assert!(small_coefficients(&[Scalar::from(u64::MAX) * Scalar::from(3u8), Scalar::ONE]).is_none());
    }
}
