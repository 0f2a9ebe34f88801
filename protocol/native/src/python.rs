//! The Python module `tacit_native`: conversions only. `tacit_native.pyi` states its types.

use crate::elements::Elements;
use crate::error::Error;
use crate::{entry_keys as derivation, hashing, hpke, products, rows, scalars, sealing, sums};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

pyo3::create_exception!(tacit_native, InvalidEncodingError, PyValueError, "Refused bytes: message, position or None.");

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let position = match error {
            Error::NotCanonical { position }
            | Error::Identity { position }
            | Error::ScalarNotCanonical { position } => Some(position),
            Error::PartOfElement { .. } | Error::ZeroScalar | Error::UnusableKey => None,
            Error::Lengths { .. }
            | Error::PartOfUniform
            | Error::PartOfOutput
            | Error::LongInput { .. }
            | Error::LongTag
            | Error::KeyCount { .. }
            | Error::PartOfRow => {
                return PyValueError::new_err(error.to_string());
            }
        };
        InvalidEncodingError::new_err((error.to_string(), position))
    }
}

/// A batch of decoded elements; its encoding is computed once, when first asked for.
#[pyclass(frozen, module = "tacit_native")]
struct Points {
    elements: Elements,
    threads: usize,
    packed: PyOnceLock<Py<PyBytes>>,
}

impl Points {
    fn new(elements: Elements, threads: usize) -> Self {
        Self { elements, threads, packed: PyOnceLock::new() }
    }
}

#[pymethods]
impl Points {
    fn __len__(&self) -> usize {
        self.elements.len()
    }

    /// Return the canonical encodings, packed.
    fn encode<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let encode = || PyBytes::new(py, &py.detach(|| self.elements.encode(self.threads))).unbind();
        self.packed.get_or_init(py, encode).bind(py).clone()
    }
}

/// Decode foreign bytes strictly.
#[pyfunction]
fn decode(py: Python<'_>, packed: Bound<'_, PyBytes>, threads: usize) -> PyResult<Points> {
    let bytes = packed.as_bytes();
    let points = Points::new(py.detach(|| Elements::decode(bytes, threads))?, threads);
    let _ = points.packed.set(py, packed.unbind());
    Ok(points)
}

/// HashToGroup of RFC 9497.
#[pyfunction]
fn hash_to_group(py: Python<'_>, inputs: Vec<PyBackedBytes>, dst: &[u8], threads: usize) -> PyResult<Points> {
    Ok(Points::new(py.detach(|| hashing::hash_to_group(&inputs, dst, threads))?, threads))
}

/// The one-way map of RFC 9496, for its vectors.
#[pyfunction]
fn map_to_group(uniform: &[u8]) -> PyResult<Points> {
    Ok(Points::new(hashing::map_to_group(uniform)?, 1))
}

/// HashToScalar of RFC 9497.
#[pyfunction]
fn hash_to_scalar<'py>(py: Python<'py>, messages: Vec<PyBackedBytes>, dst: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let hashed = py.detach(|| hashing::hash_to_scalar(&messages, dst))?;
    Ok(PyBytes::new(py, &scalars::encode(&hashed)))
}

/// Reduce n x 64 uniform bytes to n packed scalars.
#[pyfunction]
fn reduce_scalars<'py>(py: Python<'py>, uniform: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let reduced = py.detach(|| scalars::reduce(uniform))?;
    Ok(PyBytes::new(py, &scalars::encode(&reduced)))
}

/// Multiply every element by one secret scalar.
#[pyfunction]
fn multiply(py: Python<'_>, scalar: [u8; 32], points: &Points, threads: usize) -> PyResult<Points> {
    let secret = scalars::decode(&scalar)?;
    Ok(Points::new(py.detach(|| products::multiply(&secret[0], &points.elements, threads)), threads))
}

/// Multiply element i by secret scalar i.
#[pyfunction]
fn multiply_each(py: Python<'_>, packed: &[u8], points: &Points, threads: usize) -> PyResult<Points> {
    let product = py.detach(|| products::multiply_each(&scalars::decode(packed)?, &points.elements, threads))?;
    Ok(Points::new(product, threads))
}

/// Multiply the generator by each secret scalar.
#[pyfunction]
fn multiply_base(py: Python<'_>, packed: &[u8], threads: usize) -> PyResult<Points> {
    let secrets = scalars::decode(packed)?;
    Ok(Points::new(py.detach(|| products::multiply_base(&secrets, threads)), threads))
}

/// Add two batches element by element.
#[pyfunction]
fn add(py: Python<'_>, left: &Points, right: &Points, threads: usize) -> PyResult<Points> {
    Ok(Points::new(py.detach(|| sums::add(&left.elements, &right.elements, threads))?, threads))
}

/// Weighted sums of batches with the weights of a whole-batch proof. Public data only.
#[pyfunction]
fn composites(py: Python<'_>, seed: &[u8], batches: Vec<Py<Points>>, threads: usize) -> PyResult<Points> {
    let batches: Vec<&Elements> = batches.iter().map(|batch| &batch.get().elements).collect();
    Ok(Points::new(py.detach(|| sums::composites(seed, &batches, threads))?, threads))
}

/// The single element sum_i s_i E_i. Public data only.
#[pyfunction]
fn weighted_sum(py: Python<'_>, packed: &[u8], points: &Points, threads: usize) -> PyResult<Points> {
    let sum = py.detach(|| sums::weighted_sum(&scalars::decode(packed)?, &points.elements, threads))?;
    Ok(Points::new(sum, threads))
}

/// r_i^-1 sum_j c_j D_ji.
#[pyfunction]
fn unblind(
    py: Python<'_>,
    coefficients: &[u8],
    evaluated: Vec<Py<Points>>,
    blinds: &[u8],
    threads: usize,
) -> PyResult<Points> {
    let batches: Vec<&Elements> = evaluated.iter().map(|batch| &batch.get().elements).collect();
    let unblinded =
        py.detach(|| sums::unblind(&scalars::decode(coefficients)?, &batches, scalars::decode(blinds)?, threads))?;
    Ok(Points::new(unblinded, threads))
}

/// Finalize of RFC 9497: packed 64-byte outputs.
#[pyfunction]
fn finalise<'py>(
    py: Python<'py>,
    inputs: Vec<PyBackedBytes>,
    unblinded: &Points,
    threads: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let outputs = py.detach(|| hashing::finalise(&inputs, &unblinded.elements, threads))?;
    Ok(PyBytes::new(py, &outputs))
}

/// Tags and wrap keys: 44 packed bytes for each 64-byte output.
#[pyfunction]
fn entry_keys<'py>(py: Python<'py>, context: &[u8], outputs: &[u8], threads: usize) -> PyResult<Bound<'py, PyBytes>> {
    let keys = py.detach(|| derivation::entry_keys(context, outputs, threads))?;
    Ok(PyBytes::new(py, &keys))
}

/// Seal records under their own keys: 1,000 packed bytes each.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // as the protocol of the back ends has them
fn seal_records<'py>(
    py: Python<'py>,
    context: &[u8],
    record_keys: &[u8],
    payloads: &[u8],
    counts: &[u8],
    entry_keys: &[u8],
    random: &[u8],
    threads: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let records = sealing::Records { record_keys, payloads, counts, entry_keys, random };
    let sealed = py.detach(|| sealing::seal_records(context, &records, threads))?;
    Ok(PyBytes::new(py, &sealed))
}

/// Seal each of the packed plaintexts to one recipient by HPKE.
#[pyfunction]
fn seal_each<'py>(
    py: Python<'py>,
    public_key: &[u8],
    info: &[u8],
    plaintexts: &[u8],
    size: usize,
    random: &[u8],
    threads: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let sealed = py.detach(|| hpke::seal_each(public_key, info, plaintexts, size, random, threads))?;
    Ok(PyBytes::new(py, &sealed))
}

/// Whether rows of one width stand in the order of their bytes.
#[pyfunction]
fn is_sorted(py: Python<'_>, rows: &[u8], width: usize) -> PyResult<bool> {
    Ok(py.detach(|| rows::is_sorted(rows, width))?)
}

#[pymodule]
mod tacit_native {
    #[pymodule_export]
    use super::{
        InvalidEncodingError, Points, add, composites, decode, entry_keys, finalise, hash_to_group, hash_to_scalar,
        is_sorted, map_to_group, multiply, multiply_base, multiply_each, reduce_scalars, seal_each, seal_records,
        unblind, weighted_sum,
    };
}
