//! Hashing of RFC 9497, section 4.1, suite ristretto255-SHA512, over batches; the weights of a whole-batch proof.

use crate::elements::{ELEMENT_BYTES, Elements, identities};
use crate::error::{Error, expect_count};
use crate::scalars::{Secrets, UNIFORM_BYTES};
use crate::spread::{BLOCK, fill};
use curve25519_dalek::{RistrettoPoint, Scalar};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

/// Bytes of an output of Finalize.
pub const OUTPUT_BYTES: usize = 64;

const BLOCK_OF_HASH: usize = 128;
const WEIGHTS_IN_DIGEST: usize = 4;

/// expand_message_xmd of RFC 9380, section 5.3.1, with SHA-512, to 64 bytes.
struct Expander {
    padded: Sha512, // has hashed Z_pad, the same for every message
    tag: Vec<u8>,
}

impl Expander {
    fn new(dst: &[u8]) -> Result<Self, Error> {
        let length = u8::try_from(dst.len()).map_err(|_| Error::LongTag)?;
        let padded = Sha512::new_with_prefix([0; BLOCK_OF_HASH]);
        Ok(Self { padded, tag: [dst, &[length]].concat() })
    }

    fn expand(&self, message: &[u8]) -> Zeroizing<[u8; UNIFORM_BYTES]> {
        let b_0 = self.padded.clone().chain_update(message).chain_update([0, 64, 0]).chain_update(&self.tag).finalize();
        let b_1 = Sha512::new().chain_update(b_0).chain_update([1]).chain_update(&self.tag).finalize();
        Zeroizing::new(b_1.into())
    }
}

/// HashToGroup for each input.
pub fn hash_to_group<T: AsRef<[u8]> + Sync>(inputs: &[T], dst: &[u8], threads: usize) -> Result<Elements, Error> {
    let expander = Expander::new(dst)?;
    let mut points = identities(inputs.len());
    fill(&mut points, BLOCK, threads, |start, piece| {
        for (point, input) in piece.iter_mut().zip(&inputs[start..]) {
            *point = RistrettoPoint::from_uniform_bytes(&expander.expand(input.as_ref()));
        }
    });
    Ok(Elements::whole(points))
}

/// The one-way map of RFC 9496, section 4.3.4, for each 64 uniform bytes; for its vectors.
pub fn map_to_group(uniform: &[u8]) -> Result<Elements, Error> {
    let (whole, rest) = uniform.as_chunks::<UNIFORM_BYTES>();
    if !rest.is_empty() {
        return Err(Error::PartOfUniform);
    }
    Ok(Elements::whole(whole.iter().map(RistrettoPoint::from_uniform_bytes).collect()))
}

/// HashToScalar for each message.
pub fn hash_to_scalar<T: AsRef<[u8]>>(messages: &[T], dst: &[u8]) -> Result<Secrets, Error> {
    let expander = Expander::new(dst)?;
    let reduced = messages.iter().map(|message| Scalar::from_bytes_mod_order_wide(&expander.expand(message.as_ref())));
    Ok(Zeroizing::new(reduced.collect()))
}

/// Finalize, section 3.3.1, after unblinding: 64 bytes for each input.
pub fn finalise<T: AsRef<[u8]> + Sync>(inputs: &[T], unblinded: &Elements, threads: usize) -> Result<Vec<u8>, Error> {
    expect_count("inputs", unblinded.len(), inputs.len())?;
    if let Some(position) = inputs.iter().position(|input| input.as_ref().len() > usize::from(u16::MAX)) {
        return Err(Error::LongInput { position });
    }
    let encoded = Zeroizing::new(unblinded.encode(threads));
    let (encodings, _) = encoded.as_chunks::<ELEMENT_BYTES>();
    let mut outputs = vec![[0u8; OUTPUT_BYTES]; inputs.len()];
    fill(&mut outputs, BLOCK, threads, |start, piece| {
        for (i, output) in (start..).zip(piece) {
            *output = finalise_one(inputs[i].as_ref(), &encodings[i]);
        }
    });
    Ok(outputs.into_flattened())
}

fn finalise_one(input: &[u8], encoding: &[u8; ELEMENT_BYTES]) -> [u8; OUTPUT_BYTES] {
    let length = u16::try_from(input.len()).expect("longer inputs were refused").to_be_bytes();
    Sha512::new()
        .chain_update(length)
        .chain_update(input)
        .chain_update([0, 32])
        .chain_update(encoding)
        .chain_update(b"Finalize")
        .finalize()
        .into()
}

/// The public 128-bit weights of a whole-batch proof: four from each SHA-512(seed || I2OSP(i, 4)).
pub fn weights(seed: &[u8], count: usize, threads: usize) -> Vec<Scalar> {
    let mut weights = vec![Scalar::ZERO; count];
    fill(&mut weights, BLOCK, threads, |start, piece| {
        for (group, of_digest) in (start / WEIGHTS_IN_DIGEST..).zip(piece.chunks_mut(WEIGHTS_IN_DIGEST)) {
            let number = u32::try_from(group).expect("a batch has fewer than 2^34 elements").to_be_bytes();
            let digest = Sha512::new().chain_update(seed).chain_update(number).finalize();
            for (weight, bytes) in of_digest.iter_mut().zip(digest.as_chunks::<16>().0) {
                *weight = Scalar::from(u128::from_le_bytes(*bytes));
            }
        }
    });
    weights
}
