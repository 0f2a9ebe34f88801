// Query audits: protocol/SPEC.md, section 11, steps Q2 to Q4.

import {
  I2OSP, Refused, base64, bytes, cat, equal, foreignScalar, hashToGroup, hpkeOpen, hpkeSeal, scalarBytes, sha512, unbase64,
} from './blocks.mjs';
import { batchDigest } from './evaluation.mjs';

const MAGIC = 'tacit-query-audit/1\n';

// Q2
export function choosePositions(root, nonce, digest, count, number) {
  const limit = Math.floor(2 ** 32 / count) * count;
  const seed = sha512(cat('tacit/1 query-audit positions', [0], root, nonce, digest, I2OSP(count, 4)));
  const chosen = new Set();
  for (let block = 0; chosen.size < number; block += 1) {
    const stream = Buffer.from(sha512(cat(seed, I2OSP(block, 4))));
    for (let at = 0; at < 64 && chosen.size < number; at += 4) {
      const word = stream.readUInt32BE(at);
      if (word < limit) chosen.add(word % count);
    }
  }
  return [...chosen].sort((a, b) => a - b);
}

export const positionsOf = (order, grant) => choosePositions(
  unbase64(order.root), unbase64(order.nonce), unbase64(grant.digest), grant.count, Math.min(order.positions, grant.count),
);

// Q3
export const openBatch = (grant, inputs, blinds, blinded, positions) => ({
  grant,
  blinded: base64(blinded),
  openings: positions.map((position) => ({
    position, value: base64(inputs[position]), blind: base64(scalarBytes(blinds[position])),
  })),
});

const info = (order) => cat('tacit/1 query-audit answer|', sha512(bytes(JSON.stringify(order))));

export function sealAnswer(agreementKey, order, answer, ephemeral) {
  const body = bytes(JSON.stringify(answer));
  const plaintext = cat(I2OSP(body.length, 8), body);
  const padded = cat(plaintext, new Uint8Array((65536 - (plaintext.length % 65536)) % 65536));
  return cat(MAGIC, hpkeSeal(agreementKey, info(order), padded, ephemeral));
}

export const answerDigest = (sealed) => sha512(cat('tacit/1 query-audit answer', [0], sealed));

// Q4
export function openAnswer(secret, order, sealed) {
  const plaintext = Buffer.from(hpkeOpen(secret, info(order), sealed.slice(MAGIC.length)));
  const length = Number(plaintext.readBigUInt64BE());
  return JSON.parse(plaintext.subarray(8, 8 + length).toString());
}

export function verifyOpenings(order, grant, opened) {
  const wrong = new Refused(order.member, 'opened something else than was granted');
  const blinded = unbase64(opened.blinded);
  const digest = batchDigest(grant.epoch, grant.stream, blinded);
  if (blinded.length !== 32 * grant.count || !equal(digest, unbase64(grant.digest))) throw wrong;
  if (opened.openings.map(({ position }) => position).join() !== positionsOf(order, grant).join()) throw wrong;
  for (const { position, value, blind } of opened.openings) {
    const element = hashToGroup(unbase64(value)).multiply(foreignScalar(unbase64(blind), order.member));
    if (!equal(element.toBytes(), blinded.subarray(32 * position, 32 * position + 32))) throw wrong;
  }
}
