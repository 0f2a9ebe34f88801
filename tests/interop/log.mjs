// The log's leaves, tree and checkpoints: protocol/SPEC.md, sections 2 and 10.1.

import { ed25519 } from '@noble/curves/ed25519.js';
import { I2OSP, Refused, base64, bytes, cat, equal, merkleRoot, sha256, unbase64 } from './blocks.mjs';
import { nameOf } from './messages.mjs';

export const leafOf = (entry) => cat('tacit/1 entry\n', JSON.stringify(entry));
export const rootOfEntries = (entries) => merkleRoot(entries.map(leafOf));
export const originOf = (logKey) => `tacit.log/${nameOf(logKey)}`;
export const witnessName = (key) => `tacit.witness/${nameOf(key)}`;

export const keyId = (name, type, key) => sha256(cat(name, '\n', I2OSP(type, 1), key)).slice(0, 4);
export const vkey = (name, type, key) =>
  `${name}+${Buffer.from(keyId(name, type, key)).toString('hex')}+${base64(cat(I2OSP(type, 1), key))}`;

const verifies = (signature, message, key) => ed25519.verify(signature, bytes(message), key, { zip215: false });

// Returns size, root and the witnesses (by name) that have cosigned, with their times.
export function readCheckpoint(note, logKey, witnessKeys) {
  const split = note.lastIndexOf('\n\n') + 1;
  const text = note.slice(0, split);
  const lines = note.slice(split + 1).split('\n').slice(0, -1).map((line) => {
    const [, name, data] = line.match(/^\u2014 (\S+) (\S+)$/) ?? [];
    if (!name) throw new Refused('secretariat', 'sent a malformed signature line');
    return { name, id: unbase64(data).slice(0, 4), signature: unbase64(data).slice(4) };
  });
  const [origin, size, root] = text.split('\n');
  const under = (name, type, key) => lines.find((line) => line.name === name && equal(line.id, keyId(name, type, key)));
  const own = under(originOf(logKey), 1, logKey);
  if (origin !== originOf(logKey) || !own || !verifies(own.signature, text, logKey)) {
    throw new Refused('secretariat', 'sent a checkpoint that the log did not sign');
  }
  const cosigned = {};
  for (const key of witnessKeys) {
    const name = witnessName(key);
    const line = under(name, 4, key);
    if (!line) continue;
    const time = Buffer.from(line.signature.slice(0, 8)).readBigUInt64BE();
    if (!verifies(line.signature.slice(8), `cosignature/v1\ntime ${time}\n${text}`, key)) {
      throw new Refused(name, 'has a cosignature that does not verify');
    }
    cosigned[name] = Number(time);
  }
  return { size: Number(size), root: unbase64(root), cosigned };
}

// RFC 9162, sections 2.1.3.2 and 2.1.4.2, for the vectors.
const node = (left, right) => sha256(cat([1], left, right));

export function rootFromInclusion(leafHash, index, size, proof) {
  let [place, last, found] = [index, size - 1, leafHash];
  for (const step of proof) {
    if (place % 2 === 1 || place === last) {
      found = node(step, found);
      while (place % 2 === 0 && place !== 0) [place, last] = [place >> 1, last >> 1];
    } else {
      found = node(found, step);
    }
    [place, last] = [place >> 1, last >> 1];
  }
  return found;
}

export function rootsFromConsistency(oldSize, oldRoot, newSize, proof) {
  const steps = Number.isInteger(Math.log2(oldSize)) ? [oldRoot, ...proof] : [...proof];
  let [place, last] = [oldSize - 1, newSize - 1];
  while (place % 2 === 1) [place, last] = [place >> 1, last >> 1];
  let [before, after] = [steps[0], steps[0]];
  for (const step of steps.slice(1)) {
    if (place % 2 === 1 || place === last) {
      [before, after] = [node(step, before), node(step, after)];
      while (place % 2 === 0 && place !== 0) [place, last] = [place >> 1, last >> 1];
    } else {
      after = node(after, step);
    }
    [place, last] = [place >> 1, last >> 1];
  }
  return [before, after];
}
