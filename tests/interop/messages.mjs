// Signed messages, their JSON form and signed requests: protocol/SPEC.md, sections 3 and 4, appendix A.1.

import { ed25519 } from '@noble/curves/ed25519.js';
import { I2OSP, Refused, base64, bytes, cat, sha256, unbase64 } from './blocks.mjs';

const IDENTIFIER = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

// --- types: each is a check of one decoded JSON value -----------------------------------------------------------

const isInteger = (low, high) => (value) => Number.isInteger(value) && value >= low && value <= high;
const isBytes = (low, high) => (value) => {
  if (typeof value !== 'string' || base64(unbase64(value)) !== value) return false;
  const size = unbase64(value).length;
  return size >= low && size <= high;
};
const isList = (low, high, check) => (value) =>
  Array.isArray(value) && value.length >= low && value.length <= high && value.every(check);
const isRecord = (fields) => (value) =>
  value !== null && typeof value === 'object' && !Array.isArray(value) &&
  Object.keys(value).join() === Object.keys(fields).join() &&
  Object.entries(fields).every(([name, check]) => check(value[name]));

const id = (value) => typeof value === 'string' && IDENTIFIER.test(value) && !value.endsWith('\n');
const name = (value) => typeof value === 'string' && /^[a-z2-7]{16}$/.test(value);
const url = (value) => typeof value === 'string' && value.length <= 512 && /^https?:\/\/\S+$/.test(value);
const u40 = isInteger(0, 2 ** 40);
const index = isInteger(1, 255);
const window = isInteger(1, 10_000);
const b32 = isBytes(32, 32);
const b64 = isBytes(64, 64);
const place = { epoch: id, stream: id };
const step = { ...place, attempt: index, sender: index };
const many = (fields) => isList(0, 64, isRecord(fields));
const trustee = isRecord({ index, signing_key: b32, agreement_key: b32, url });

const KINDS = {
  manifest: {
    epoch: id, streams: isList(1, 16, id), threshold: index, trustees: isList(1, 64, trustee), shuffler: index,
    quota: u40, minimum_contributors: index, signing_key: b32, agreement_key: b32, opens: u40, closes: u40,
  },
  enrolment: { signing_key: b32, agreement_key: b32 },
  'ceremony-1': { ...step, commitment: b64, agreement_key: b32 },
  'ceremony-2': {
    ...step, commitments: isBytes(32, 2048), possession: b64,
    shares: many({ recipient: index, ciphertext: isBytes(0, 256) }),
  },
  'ceremony-3': { ...step, accused: isList(0, 64, index) },
  'ceremony-3-answer': { ...step, revealed: many({ recipient: index, share: b32 }) },
  'ceremony-4': { ...step, transcript: b64 },
  'ceremony-cut': { ...place, attempt: index, step: id },
  grant: { ...place, count: isInteger(1, 8192), digest: b64 },
  upload: { ...place, window, count: isInteger(1, 2 ** 24), digest: b64 },
  receipt: { ...place, window, entry: u40, count: isInteger(1, 2 ** 24) },
  'window-close': { ...place, window },
  handover: { ...place, window, entries: isList(0, Infinity, u40), count: u40, digest: b64 },
  index: { ...place, window, root: b32, size: u40, records: u40, entries: u40 },
  erasure: { epoch: id, sender: index },
  rules: {
    epoch: id, restricted: isList(0, 16, id),
    statement: (value) => typeof value === 'string' && [...value].length <= 8000,
  },
  eligibility: { ...place, member: name, eligible: (value) => typeof value === 'boolean' },
  statement: { epoch: id, statement: b32 },
  auditor: { signing_key: b32, agreement_key: b32, until: u40 },
  'query-audit': {
    member: name, ...place,
    grants: isList(1, 64, u40), positions: isInteger(1, 256), checkpoint: u40, root: b32, nonce: b32,
  },
  'query-audit-answer': { order: u40, digest: b64 },
  'query-audit-result': {
    order: u40, outcome: (value) => ['plausible', 'not-plausible', 'false', 'refused'].includes(value),
    plausible: u40, implausible: u40, padding: u40,
  },
  tally: { tally: id, epoch: id, trustee: index, roster: isList(5, 1000, name) },
  'tally-input': { announcement: u40, digest: b64 },
  'tally-release': { announcement: u40, digest: b64 },
};
export const kinds = Object.keys(KINDS);

export function parseBody(kind, body, party) {
  const text = Buffer.from(body).toString('utf8');
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused(party, `sent a ${kind} that is no JSON`);
  }
  if (!KINDS[kind] || !isRecord(KINDS[kind])(value)) throw new Refused(party, `sent a malformed ${kind}`);
  if (JSON.stringify(value) !== text) throw new Refused(party, `sent a ${kind} that is not canonical`);
  return value;
}

// --- section 3 ----------------------------------------------------------------------------------------------------

export function nameOf(publicKey) {
  const bits = [...sha256(cat('tacit/1 key name', [0], publicKey)).slice(0, 10)]
    .map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.match(/.{5}/g).map((five) => ALPHABET[parseInt(five, 2)]).join('');
}

const signedBytes = (kind, body) => cat('tacit/1 signed message', [0], I2OSP(kind.length, 4), kind, body);

export function sign(secret, kind, message) {
  const body = bytes(JSON.stringify(message));
  return {
    kind,
    signer: nameOf(ed25519.getPublicKey(secret)),
    body: base64(body),
    signature: base64(ed25519.sign(signedBytes(kind, body), secret)),
  };
}

export function open(signed, publicKey, party) {
  const body = unbase64(signed.body);
  const good = signed.signer === nameOf(publicKey) &&
    ed25519.verify(unbase64(signed.signature), signedBytes(signed.kind, body), publicKey, { zip215: false });
  if (!good) throw new Refused(party, `the signature on a ${signed.kind} does not verify`);
  return parseBody(signed.kind, body, party);
}

// --- appendix A.1 ---------------------------------------------------------------------------------------------------

export function signRequest(secret, method, target, body, now, nonce) {
  const digest = `sha-256=:${base64(sha256(body))}:`;
  const parameters = '("@method" "@target-uri" "content-digest")' +
    `;created=${now};keyid="${nameOf(ed25519.getPublicKey(secret))}";alg="ed25519"` +
    `;expires=${now + 60};nonce="${nonce}";tag="tacit/1"`;
  const base = [
    `"@method": ${method}`, `"@target-uri": ${target}`, `"content-digest": ${digest}`,
    `"@signature-params": ${parameters}`,
  ].join('\n');
  return {
    'Content-Digest': digest,
    'Signature-Input': `tacit=${parameters}`,
    Signature: `tacit=:${base64(ed25519.sign(bytes(base), secret))}:`,
  };
}
