// Blind evaluation: protocol/SPEC.md, section 6.

import { ed25519 } from '@noble/curves/ed25519.js';
import {
  CONTEXT, I2OSP, L, P, Point, Refused, bytes, cat, decode, encode, foreignScalar, hashToGroup, hashToScalar, integer,
  invert, mod, pieces, reduce, scalarBytes, sha512, times, weightedSum,
} from './blocks.mjs';

export const PADDING = 2048;
export const dummy = (random) => P('tacit/1', 'dummy', random);

// E1. Public scalars would be no excuse: blinds are secret, so the constant-time multiplication is used.
export function blind(inputs, random) {
  const blinds = pieces(random, 64).map(reduce);
  return { blinds, blinded: inputs.map((input, i) => hashToGroup(input).multiply(blinds[i])) };
}

// E2
export const batchDigest = (epoch, stream, blinded) =>
  sha512(cat(`tacit/1 batch|${epoch}|${stream}|${blinded.length / 32}|`, blinded));

// E3 and E4
export function proofSeed(epoch, stream, trustee, publicShare, blinded, evaluated) {
  const rfc = sha512(P(publicShare, cat('Seed-', CONTEXT)));
  return sha512(cat(
    rfc, P('tacit/1 whole-batch proof'), P(epoch, stream, I2OSP(trustee, 2)), sha512(blinded), sha512(evaluated),
  ));
}

export function weightsOf(seed, count) {
  const blocks = Array.from({ length: Math.ceil(count / 4) }, (_, i) => sha512(cat(seed, I2OSP(i, 4))));
  return pieces(cat(...blocks), 16).slice(0, count).map(integer);
}

const challenge = (...points) => hashToScalar(cat(P(...points.map((point) => point.toBytes())), 'Challenge'));

export function prove(epoch, stream, trustee, share, random, blindedBytes) {
  const blinded = decode(blindedBytes, 'member');
  const K = Point.BASE.multiply(share);
  const evaluated = encode(blinded.map((point) => point.multiply(share)));
  const seed = proofSeed(epoch, stream, trustee, K.toBytes(), blindedBytes, evaluated);
  const M = weightedSum(weightsOf(seed, blinded.length), blinded);
  const Z = M.multiply(share);
  const w = reduce(sha512(P('tacit/1 whole-batch proof nonce', scalarBytes(share), random, seed)));
  const c = challenge(K, M, Z, Point.BASE.multiply(w), M.multiply(w));
  return { seed, M, Z, evaluated, proof: cat(scalarBytes(c), scalarBytes(mod(w - c * share))) };
}

// What a trustee signs: epoch, stream, its index, the batch, and what it answers.
export const answerBytes = (epoch, stream, trustee, digest, content) =>
  cat('tacit/1 signed answer', new Uint8Array(1), P(epoch, stream, I2OSP(trustee, 2)), digest, sha512(content));

// E4, first half: an answer that is not the trustee's own is refused without blaming anybody.
export function openAnswer({ epoch, stream, trustee, key, blinded, signed }) {
  const content = signed.subarray(64);
  const message = answerBytes(epoch, stream, trustee, batchDigest(epoch, stream, blinded), content);
  if (signed.length < 64 || !ed25519.verify(signed.subarray(0, 64), message, key, { zip215: false })) {
    throw new Refused('nobody', `what came as the answer of trustee ${trustee} is not signed by it`);
  }
  return content;
}

// E4, second half; `answer` is what was signed.
export function verify({ epoch, stream, trustee, publicShare, blinded, answer }) {
  const party = `trustee ${trustee}`;
  if (answer.length !== 64 + blinded.length) throw new Refused(party, 'answered with a wrong size');
  const evaluatedBytes = answer.subarray(64);
  const evaluated = decode(evaluatedBytes, party);
  const c = foreignScalar(answer.subarray(0, 32), party);
  const s = foreignScalar(answer.subarray(32, 64), party);
  const [K] = decode(publicShare, party);
  const weights = weightsOf(proofSeed(epoch, stream, trustee, publicShare, blinded, evaluatedBytes), evaluated.length);
  const M = weightedSum(weights, decode(blinded, 'member'));
  const Z = weightedSum(weights, evaluated);
  if (M.is0() || Z.is0()) throw new Refused(party, 'composites are the identity');
  const t2 = Point.BASE.multiply(s).add(times(c, K));
  const t3 = times(s, M).add(times(c, Z));
  if (challenge(K, M, Z, t2, t3) !== c) throw new Refused(party, 'answered with a proof that does not hold');
  return evaluated;
}

// E5
export function lagrange(indices) {
  const points = indices.map(BigInt);
  return points.map((j) => points.filter((m) => m !== j).reduce((c, m) => mod(c * m * invert(m - j)), 1n));
}

export function combine(indices, evaluated, inputs, blinds) {
  const coefficients = lagrange(indices);
  return inputs.map((input, i) => {
    const inverse = invert(blinds[i]);
    const N = evaluated
      .map((batch, j) => times((coefficients[j] * inverse) % L, batch[i]))
      .reduce((sum, point) => sum.add(point));
    const message = bytes(input);
    return sha512(cat(I2OSP(message.length, 2), message, I2OSP(32, 2), N.toBytes(), 'Finalize'));
  });
}
