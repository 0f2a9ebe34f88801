// Building blocks of protocol/SPEC.md, section 2. Written from that document, on @noble.

import { ristretto255, ristretto255_hasher, x25519 } from '@noble/curves/ed25519.js';
import { pippenger } from '@noble/curves/abstract/curve.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { shake256 as shake } from '@noble/hashes/sha3.js';

export const { Point } = ristretto255;
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;
export { sha256, sha512, x25519 };
export const derive = (key, message, size) => blake2b(bytes(message), { key: bytes(key), dkLen: size });
export const shake256 = (message, size) => shake(message, { dkLen: size });

export class Refused extends Error {
  constructor(party, message) {
    super(`${party}: ${message}`);
    this.party = party;
  }
}

// --- bytes ----------------------------------------------------------------------------------------------------

const encoder = new TextEncoder();
export const bytes = (value) => (typeof value === 'string' ? encoder.encode(value) : Uint8Array.from(value));
export const cat = (...parts) => Uint8Array.from(Buffer.concat(parts.map(bytes)));
export const hex = (data) => Buffer.from(data).toString('hex');
export const unhex = (text) => Uint8Array.from(Buffer.from(text, 'hex'));
export const base64 = (data) => Buffer.from(data).toString('base64');
export const unbase64 = (text) => Uint8Array.from(Buffer.from(text, 'base64'));
export const equal = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;
export const compare = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
export const I2OSP = (value, size) => unhex(value.toString(16).padStart(2 * size, '0'));
export const P = (...parts) => cat(...parts.flatMap((part) => [I2OSP(bytes(part).length, 2), part]));
export const pieces = (data, size) =>
  Array.from({ length: Math.ceil(data.length / size) }, (_, i) => data.subarray(size * i, size * (i + 1)));

// --- scalars and elements -------------------------------------------------------------------------------------

const littleEndian = (data) => BigInt('0x' + (hex(Uint8Array.from(data).reverse()) || '0'));
export const mod = (value) => ((value % L) + L) % L;
export const reduce = (uniform) => littleEndian(uniform) % L;
export const integer = littleEndian;
export const scalarBytes = (value) => I2OSP(mod(value), 32).reverse();

export function foreignScalar(data, party) {
  const value = littleEndian(data);
  if (data.length !== 32 || value >= L || value === 0n) throw new Refused(party, 'sent a bad scalar');
  return value;
}

export function invert(value) {
  let [base, exponent, result] = [mod(value), L - 2n, 1n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % L;
    base = (base * base) % L;
  }
  return result;
}

export function decode(packed, party) {
  if (packed.length % 32) throw new Refused(party, 'sent elements of a wrong size');
  return pieces(packed, 32).map((encoding, i) => {
    let point;
    try {
      point = Point.fromBytes(encoding);
    } catch {
      throw new Refused(party, `sent element ${i} that is not canonical`);
    }
    if (point.is0() || !equal(point.toBytes(), encoding)) throw new Refused(party, `sent a bad element ${i}`);
    return point;
  });
}

export const encode = (points) => cat(...points.map((point) => point.toBytes()));
export const times = (scalar, point) => (mod(scalar) === 0n ? Point.ZERO : point.multiply(mod(scalar)));
export const weightedSum = (scalars, points) => pippenger(Point, points, scalars.map(mod));

// --- OPRF (RFC 9497) --------------------------------------------------------------------------------------------

export const CONTEXT = cat('OPRFV1-', [1], '-ristretto255-SHA512');

function expandMessage(message, dst) {
  const suffix = cat(dst, I2OSP(bytes(dst).length, 1));
  const first = sha512(cat(new Uint8Array(128), message, I2OSP(64, 2), [0], suffix));
  return sha512(cat(first, [1], suffix));
}

export const hashToScalar = (message, dst = cat('HashToScalar-', CONTEXT)) => reduce(expandMessage(message, dst));
export const hashToGroup = (message) =>
  ristretto255_hasher.hashToCurve(bytes(message), { DST: cat('HashToGroup-', CONTEXT) });

// --- HKDF, HPKE, Merkle tree ------------------------------------------------------------------------------------

const extract = (salt, material) => hmac(sha256, bytes(salt), bytes(material));
const expand = (key, info, size = 32) => hmac(sha256, bytes(key), cat(info, [1])).slice(0, size);

const KEM = cat('KEM', I2OSP(0x20, 2));
const HPKE = cat('HPKE', I2OSP(0x20, 2), I2OSP(1, 2), I2OSP(3, 2));
const labeledExtract = (suite, salt, label, material) => extract(salt, cat('HPKE-v1', suite, label, material));
const labeledExpand = (suite, key, label, info, size) =>
  expand(key, cat(I2OSP(size, 2), 'HPKE-v1', suite, label, info), size);

function hpkeKeys(exchanged, enc, recipient, info) {
  const secret = labeledExpand(
    KEM, labeledExtract(KEM, '', 'eae_prk', exchanged), 'shared_secret', cat(enc, recipient), 32,
  );
  const context = cat([0], labeledExtract(HPKE, '', 'psk_id_hash', ''), labeledExtract(HPKE, '', 'info_hash', info));
  const prk = labeledExtract(HPKE, secret, 'secret', '');
  return [labeledExpand(HPKE, prk, 'key', context, 32), labeledExpand(HPKE, prk, 'base_nonce', context, 12)];
}

export function hpkeSeal(recipient, info, plaintext, ephemeral = x25519.utils.randomSecretKey()) {
  const enc = x25519.getPublicKey(ephemeral);
  const [key, nonce] = hpkeKeys(x25519.getSharedSecret(ephemeral, recipient), enc, recipient, info);
  return cat(enc, chacha20poly1305(key, nonce).encrypt(bytes(plaintext)));
}

export function hpkeOpen(secret, info, sealed) {
  const enc = sealed.slice(0, 32);
  const [key, nonce] = hpkeKeys(x25519.getSharedSecret(secret, enc), enc, x25519.getPublicKey(secret), info);
  return chacha20poly1305(key, nonce).decrypt(sealed.slice(32));
}

export function merkleRoot(leaves) {
  if (leaves.length === 0) return sha256(new Uint8Array());
  if (leaves.length === 1) return sha256(cat([0], leaves[0]));
  const split = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return sha256(cat([1], merkleRoot(leaves.slice(0, split)), merkleRoot(leaves.slice(split))));
}
