// Sealed records, uploads and the index: protocol/SPEC.md, sections 7 to 9.

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import {
  I2OSP, Refused, cat, compare, derive, equal, hpkeOpen, hpkeSeal, merkleRoot, pieces, sha256, sha512,
  shake256,
} from './blocks.mjs';

const NONCE = new Uint8Array(12);
const xor = (a, b) => a.map((byte, i) => byte ^ b[i]);
const pad = (wrap, salt) => derive(wrap, cat('tacit/1 pad', salt), 32);

// S1
export function entryKey(epoch, stream, publicKey, output) {
  const key = derive(output, cat(`tacit/1 entry|${epoch}|${stream}|`, publicKey), 44);
  return { tag: key.slice(0, 12), wrap: key.slice(12) };
}

// S2
export function recordKeys(rk) {
  const keys = derive(rk, 'tacit/1 record', 64);
  return { commitment: keys.slice(0, 32), encryption: keys.slice(32), sketch: derive(rk, 'tacit/1 sketch', 32) };
}

const associated = (epoch, stream, commitment) => cat(`tacit/1 record|${epoch}|${stream}|`, commitment);

// S3. `random`: a salt of 8 bytes for each key, then 52 bytes for each entry that is none.
export function seal(epoch, stream, rk, payload, keys, random) {
  const { commitment, encryption } = recordKeys(rk);
  const ciphertext = chacha20poly1305(encryption, NONCE, associated(epoch, stream, commitment)).encrypt(payload);
  const entries = keys.map(({ tag, wrap }, i) => {
    const salt = random.subarray(8 * i, 8 * i + 8);
    return cat(tag, salt, xor(rk, pad(wrap, salt)));
  });
  entries.push(...pieces(random.subarray(8 * keys.length), 52));
  return cat(commitment, ciphertext, ...entries.sort(compare));
}

export const dummyRecord = (random) => cat(random.subarray(0, 272), ...pieces(random.subarray(272), 52).sort(compare));

// U1, U2, U5
const place = (epoch, stream) => `tacit/1 upload|${epoch}|${stream}`;
export const sealUpload = (agreementKey, epoch, stream, sealed, ephemeral) =>
  hpkeSeal(agreementKey, place(epoch, stream), sealed, ephemeral);
export const openUpload = (secret, epoch, stream, upload) => hpkeOpen(secret, place(epoch, stream), upload);
export function saltedHashes(salt, uploads) {
  const salts = pieces(shake256(cat('tacit/1 upload salts', [0], salt), 32 * uploads.length), 32);
  return cat(...uploads.map((upload, i) => sha256(cat(salts[i], sha256(upload)))));
}
export const uploadDigest = (salt, epoch, stream, uploads) =>
  sha512(cat('tacit/1 upload', [0], place(epoch, stream), saltedHashes(salt, uploads)));
export const handoverList = (uploads) => cat(...uploads.map(sha256).sort(compare));
export const handoverDigest = (epoch, stream, window, uploads) =>
  sha512(cat(`tacit/1 handover|${epoch}|${stream}|${window}`, [0], handoverList(uploads)));

// U6, M1
export const rootOf = (file) => merkleRoot(pieces(file, 65_536));

export function indexFile(epoch, stream, window, sealed) {
  const header = Buffer.from(JSON.stringify({
    epoch, stream, window, entries: 14 * sealed.length, records: sealed.length,
  }));
  const entries = sealed.flatMap((one) => pieces(one.subarray(272), 52)).sort(compare);
  const records = sealed.map((one) => one.subarray(0, 272)).sort(compare);
  return cat('tacit-index/1\n', I2OSP(header.length, 4), header, ...entries, ...records);
}

export function readIndex(file, announced) {
  const start = 14 + 4;
  const wrong = new Refused('secretariat', 'sent an index that is not the one announced');
  if (!equal(file.subarray(0, 14), Buffer.from('tacit-index/1\n'))) throw wrong;
  const size = Buffer.from(file).readUInt32BE(14);
  if (size > 1024) throw wrong;
  const header = JSON.parse(Buffer.from(file.subarray(start, start + size)).toString());
  for (const name of ['epoch', 'stream', 'window', 'entries', 'records']) {
    if (header[name] !== announced[name]) throw wrong;
  }
  const at = start + size;
  const end = at + 52 * header.entries;
  if (file.length !== announced.size || file.length !== end + 272 * header.records) throw wrong;
  if (!equal(rootOf(file), Buffer.from(announced.root, 'base64'))) throw wrong;
  const index = { entries: pieces(file.subarray(at, end), 52), records: pieces(file.subarray(end), 272) };
  for (const rows of Object.values(index)) {
    if (rows.some((row, i) => i > 0 && compare(rows[i - 1], row) > 0)) throw wrong;
  }
  return index;
}

// M2
export const lookUp = (index, tag) =>
  index.entries.filter((entry) => equal(entry.subarray(0, 12), tag))
    .map((entry) => ({ salt: entry.slice(12, 20), wrapped: entry.slice(20) }));
export const unwrap = (key, { salt, wrapped }) => xor(wrapped, pad(key.wrap, salt));

// M3
export function openRecord(epoch, stream, rk, record) {
  const { commitment, encryption } = recordKeys(rk);
  if (!equal(record.subarray(0, 32), commitment)) throw new Refused('a contributor', 'committed to another key');
  return chacha20poly1305(encryption, NONCE, associated(epoch, stream, commitment)).decrypt(record.slice(32));
}

export const opened = (epoch, stream, index, key) =>
  lookUp(index, key.tag).flatMap((entry) => {
    const rk = unwrap(key, entry);
    const { commitment } = recordKeys(rk);
    const record = index.records.find((one) => equal(one.subarray(0, 32), commitment));
    try {
      return record ? [openRecord(epoch, stream, rk, record)] : [];
    } catch {
      return [];
    }
  });
