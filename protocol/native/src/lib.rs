//! Batch operations on ristretto255 (RFC 9496) and batch sealing for Tacit, on `curve25519-dalek`.
//!
//! A batch of n elements or scalars travels as one string of 32 n bytes; one call does the whole batch, spread over the
//! cores it is allowed, without the interpreter's lock. Read in this order:
//!
//! - [`error`]: what can be wrong with foreign bytes, with the position.
//! - [`spread`]: one batch over several cores.
//! - [`scalars`]: packed scalars, strict; reduction; inversion of a whole batch.
//! - [`elements`]: decoded elements, the strict decoder, the batch encoder.
//! - [`hashing`]: HashToGroup, HashToScalar and Finalize of RFC 9497, the weights of a proof.
//! - [`products`]: multiplications by secret scalars, in constant time.
//! - [`sums`]: linear combinations; multi-scalar multiplication of public data only, in variable time.
//! - [`keyed`]: keys derived by keyed BLAKE2b (RFC 7693).
//! - [`entry_keys`]: tags and wrap keys of sealed entries.
//! - [`sealing`]: records sealed under their own keys, with their entries.
//! - [`hpke`]: many plaintexts sealed to one recipient, by HPKE (RFC 9180).
//! - [`rows`]: whether a published table is in order.
//! - `python`: the module `tacit_native`; nothing but conversions.
//!
//! The specification of every operation is `tacit_protocol/group.py`; the libsodium back end agrees byte for byte.

#![forbid(unsafe_code)]

pub mod elements;
pub mod entry_keys;
pub mod error;
pub mod hashing;
pub mod hpke;
pub mod keyed;
pub mod products;
pub mod rows;
pub mod scalars;
pub mod sealing;
pub mod spread;
pub mod sums;

#[cfg(feature = "python")]
mod python;
