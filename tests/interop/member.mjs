// A member of its own, against real servers: enrols, checks the board and the ceremony, has inputs evaluated, opens
// what they find in the index, and contributes a record.          node member.mjs < configuration.json > result.json
//
// configuration: secretariat {url, key}, trustees {index: key}, code, epoch, stream, inputs, contribute {input, payload},
// tamper (a trustee whose answers are changed on the way, or null). Keys, inputs and payloads are hexadecimal.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { Refused, base64, cat, compare, encode, equal, hex, pieces, unbase64, unhex, x25519 } from './blocks.mjs';
import { followBoard } from './board.mjs';
import { PADDING, batchDigest, blind, combine, dummy, openAnswer, verify } from './evaluation.mjs';
import { readCheckpoint, rootOfEntries } from './log.mjs';
import { open, sign, signRequest } from './messages.mjs';
import * as records from './records.mjs';

const configuration = JSON.parse(readFileSync(0, 'utf8'));
const { secretariat, epoch, stream } = configuration;
const secret = ed25519.utils.randomSecretKey();
const random = (count) => Uint8Array.from(randomBytes(count));
const refused = [];

async function request(party, method, url, body = new Uint8Array(), headers = {}) {
  const signature = signRequest(secret, method, url, body, Math.floor(Date.now() / 1000), randomBytes(24).toString('base64url'));
  const response = await fetch(url, {
    method, headers: { ...headers, ...signature }, body: method === 'GET' ? undefined : body, redirect: 'error',
  });
  const answer = new Uint8Array(await response.arrayBuffer());
  if (!response.ok) throw new Refused(party, `${response.status} ${Buffer.from(answer).toString()}`);
  return answer;
}

const json = async (...parameters) => JSON.parse(Buffer.from(await request(...parameters)).toString());
const post = (kind, message) =>
  json('secretariat', 'POST', `${secretariat.url}/v1/board`, Buffer.from(JSON.stringify(sign(secret, kind, message))));

async function enrol() {
  const message = {
    signing_key: base64(ed25519.getPublicKey(secret)),
    agreement_key: base64(x25519.getPublicKey(x25519.utils.randomSecretKey())),
  };
  const body = Buffer.from(JSON.stringify(sign(secret, 'enrolment', message)));
  return json('secretariat', 'POST', `${secretariat.url}/v1/enrolments`, body, { 'Tacit-Invitation': configuration.code });
}

const pins = Object.fromEntries(Object.entries(configuration.trustees).map(([i, key]) => [i, unhex(key)]));

// Returns the newest checkpoint that more than half of the pinned trustees have cosigned, once it covers `size` entries.
async function checkpointOf(size) {
  const needed = Math.floor(Object.keys(pins).length / 2) + 1;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const response = await fetch(`${secretariat.url}/log/checkpoint`, { redirect: 'error' });
    if (response.ok) {
      const shown = readCheckpoint(await response.text(), unhex(secretariat.key), Object.values(pins));
      if (shown.size >= size && Object.keys(shown.cosigned).length >= needed) return shown;
    }
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Refused('secretariat', `shows no cosigned checkpoint of ${size} entries`);
}

// Section 10.2: no further than the checkpoint, and under its root.
async function readBoard(size) {
  const shown = await checkpointOf(size);
  const entries = [];
  while (entries.length < shown.size) {
    const url = `${secretariat.url}/v1/board?start=${entries.length}&limit=${Math.min(1000, shown.size - entries.length)}`;
    const page = await json('secretariat', 'GET', url);
    if (page.entries.length === 0) throw new Refused('secretariat', 'signed for entries that it does not show');
    entries.push(...page.entries);
  }
  if (!equal(rootOfEntries(entries), shown.root)) throw new Refused('secretariat', 'shows other entries than it signed');
  return followBoard(entries, unhex(secretariat.key), pins);
}

// E1 to E5
async function evaluate(board, keys, wanted) {
  const padded = [...wanted];
  while (padded.length % PADDING) padded.push(dummy(random(32)));
  const inputs = padded.map((input) => [random(16), input]).sort(([a], [b]) => compare(a, b)).map(([, input]) => input);
  const { blinds, blinded } = blind(inputs, random(64 * inputs.length));
  const packed = encode(blinded);
  const digest = base64(batchDigest(epoch, stream, packed));
  const grant = await post('grant', { epoch, stream, count: inputs.length, digest });
  await checkpointOf(grant.sequence + 1); // before that no trustee evaluates
  const manifest = board.manifestOf(epoch);
  const good = [];
  for (const { index, url, signing_key: key } of manifest.trustees.filter((trustee) => keys.publicShares[trustee.index])) {
    if (good.length === manifest.threshold) break;
    let signed = await request(`trustee ${index}`, 'POST', `${url}/v1/${epoch}/${stream}/evaluations`, packed);
    if (index === configuration.tamper) {
      signed = cat(signed.subarray(0, 128), signed.subarray(160, 192), signed.subarray(128, 160), signed.subarray(192));
    }
    try {
      const question = { epoch, stream, trustee: index, key: unbase64(key), blinded: packed, signed };
      const answer = openAnswer(question);
      good.push([index, verify({ ...question, publicShare: keys.publicShares[index], answer })]);
    } catch (error) {
      refused.push([index, error.party, error.message]);
    }
  }
  const outputs = combine(good.map(([index]) => index), good.map(([, batch]) => batch), inputs, blinds);
  return new Map(inputs.map((input, i) => [hex(input), outputs[i]]));
}

// M1 to M3
async function find(board, keys, outputs) {
  const announced = board.indexes.filter((one) => one.epoch === epoch && one.stream === stream)
    .reduce((newest, one) => (newest && newest.window > one.window ? newest : one));
  const file = await request('secretariat', 'GET', `${secretariat.url}/v1/indexes/${epoch}/${stream}/${announced.window}`);
  const index = records.readIndex(file, announced);
  return Object.fromEntries(configuration.inputs.map((input) => {
    const key = records.entryKey(epoch, stream, keys.publicKey, outputs.get(input));
    return [input, records.opened(epoch, stream, index, key).map(hex)];
  }));
}

// S1 to U3
async function contribute(board, keys, outputs, { input, payload }) {
  const manifest = board.manifestOf(epoch);
  const key = records.entryKey(epoch, stream, keys.publicKey, outputs.get(input));
  const sealed = [records.seal(epoch, stream, random(32), unhex(payload), [key], random(8 + 13 * 52))];
  while (sealed.length % 64) sealed.push(records.dummyRecord(random(1000)));
  const uploads = sealed.map((one) => records.sealUpload(unbase64(manifest.agreement_key), epoch, stream, one));
  const salt = random(32);
  const digest = base64(records.uploadDigest(salt, epoch, stream, uploads));
  const window = board.openWindow(epoch, stream);
  const { sequence: entry } = await post('upload', { epoch, stream, window, count: uploads.length, digest });
  await checkpointOf(entry + 1);
  const shuffler = manifest.trustees.find(({ index }) => index === manifest.shuffler);
  const base = `${shuffler.url}/v1/${epoch}/${stream}/uploads/${entry}`;
  for (const [number, page] of pieces(cat(...uploads), 2048 * 1048).entries()) {
    await request('shuffler', 'PUT', `${base}/pages/${number}`, page);
  }
  const receipt = open(await json('shuffler', 'POST', `${base}/complete`, salt), unbase64(shuffler.signing_key), 'shuffler');
  if (receipt.entry !== entry || receipt.count !== uploads.length || receipt.epoch !== epoch || receipt.stream !== stream) {
    throw new Refused('shuffler', 'signed a receipt for something else');
  }
  return { window, entry };
}

const enrolled = await enrol();
const board = await readBoard(enrolled.sequence + 1);
const keys = board.streamKeys(epoch, stream);
const outputs = await evaluate(board, keys, configuration.inputs.map(unhex));
const found = await find(board, keys, outputs);
const contributed = configuration.contribute && (await contribute(board, keys, outputs, configuration.contribute));
console.log(JSON.stringify({
  publicKey: hex(keys.publicKey), outputs: Object.fromEntries(configuration.inputs.map((i) => [i, hex(outputs.get(i))])),
  found, refused, contributed,
}));
