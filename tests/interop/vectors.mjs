// Recomputes every file of tests/vectors/tacit from protocol/SPEC.md alone.   node vectors.mjs FOLDER

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import {
  Point, cat, decode, encode, foreignScalar, hashToGroup, hex, integer, pieces, reduce, scalarBytes, sha256, sha512, unbase64,
  unhex, x25519,
} from './blocks.mjs';
import { conclude, contextOf, holdsPossession, ownShare } from './ceremony.mjs';
import * as audits from './audits.mjs';
import { followBoard } from './board.mjs';
import { answerBytes, batchDigest, blind, combine, lagrange, openAnswer, prove, verify, weightsOf } from './evaluation.mjs';
import {
  leafOf, originOf, readCheckpoint, rootFromInclusion, rootOfEntries, rootsFromConsistency, vkey, witnessName,
} from './log.mjs';
import { kinds, nameOf, open, parseBody, sign, signRequest } from './messages.mjs';
import * as records from './records.mjs';

const folder = process.argv[2];
const load = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
const packed = (values) => unhex(values.join(''));
const same = (data, expected) => assert.equal(hex(data), expected);

function inputsOf(batch) {
  return batch.inputs.map((text) => {
    const [unit, count] = text.split(' * ');
    return unhex(unit.repeat(count ? Number(count) : 1));
  });
}

const checks = {
  signed_messages({ messages }) {
    assert.deepEqual(messages.map(({ kind }) => kind).sort(), [...kinds].sort());
    for (const vector of messages) {
      const message = parseBody(vector.kind, Buffer.from(vector.body), 'vector');
      assert.equal(JSON.stringify(sign(unhex(vector.private_key), vector.kind, message)), vector.wire);
      assert.equal(nameOf(unhex(vector.public_key)), vector.signer);
      assert.deepEqual(open(JSON.parse(vector.wire), unhex(vector.public_key), 'vector'), message);
      const other = { ...JSON.parse(vector.wire), kind: vector.kind === 'grant' ? 'upload' : 'grant' };
      assert.throws(() => open(other, unhex(vector.public_key), 'vector'));
    }
  },

  signed_request({ requests }) {
    for (const { private_key: key, method, url, body, now, nonce, headers } of requests) {
      assert.deepEqual(signRequest(unhex(key), method, url, unhex(body), now, nonce), headers);
    }
  },

  ceremony({ threshold, ...runs }) {
    for (const [which, run] of Object.entries(runs).filter(([, value]) => value.attempt)) {
      const signingKeys = Object.fromEntries(Object.entries(run.signing_keys).map(([i, key]) => [i, unhex(key)]));
      const ceremony = { epoch: '2026-h2', stream: 'social-audit', attempt: run.attempt, threshold, signingKeys };
      same(contextOf(ceremony), run.context);
      const bodies = {};
      const sent = {};
      for (const kind of ['ceremony-1', 'ceremony-2', 'ceremony-3', 'ceremony-3-answer']) {
        bodies[kind] = Object.fromEntries(Object.entries(run[kind]).map(([i, text]) => [i, Buffer.from(text)]));
        sent[kind] = Object.fromEntries(
          Object.entries(bodies[kind]).map(([i, body]) => [i, parseBody(kind, body, `trustee ${i}`)]),
        );
      }
      const outcome = conclude(ceremony, sent, bodies);
      same(outcome.publicKey, run.public_key);
      same(outcome.transcript, run.transcript);
      for (const [i, random] of Object.entries(run.random)) {
        const coefficients = pieces(unhex(random).subarray(0, 64 * threshold), 64).map(reduce);
        const agreement = unhex(random).slice(64 * (threshold + 1));
        same(encode(coefficients.map((a) => Point.BASE.multiply(a))), hex(unbase64(sent['ceremony-2'][i].commitments)));
        same(x25519.getPublicKey(agreement), hex(unbase64(sent['ceremony-1'][i].agreement_key)));
        assert(holdsPossession(contextOf(ceremony), sent['ceremony-2'][i]));
        same(outcome.publicShares[i], run.public_shares[i]);
        assert.equal(ownShare(ceremony, sent, Number(i), agreement, Object.keys(outcome.publicShares).map(Number)), run.shares[i]);
        assert.equal(parseBody('ceremony-4', Buffer.from(run['ceremony-4'][i]), '').transcript,
          Buffer.from(outcome.transcript).toString('base64'));
      }
      assert.equal(Object.keys(run['ceremony-3-answer']).length, which === 'disputed' ? 1 : 0);
      const key = integer(unhex(run.key_that_nobody_holds));
      same(Point.BASE.multiply(key).toBytes(), run.public_key);
    }
  },

  batch(vector) {
    const inputs = inputsOf(vector);
    const { blinds, blinded } = blind(inputs, unhex(vector.random));
    assert.deepEqual(blinds.map((r) => hex(scalarBytes(r))), vector.blinds);
    assert.deepEqual(inputs.map((input) => hex(hashToGroup(input).toBytes())), vector.hashed_to_group);
    assert.deepEqual(blinded.map((point) => hex(point.toBytes())), vector.blinded);
    same(batchDigest(vector.epoch, vector.stream, encode(blinded)), vector.digest);
    const grant = parseBody('grant', Buffer.from(vector.grant), 'member');
    assert.equal(hex(unbase64(grant.digest)), vector.digest);
  },

  proof({ epoch, stream, proofs }) {
    const blinded = packed(load('batch').blinded);
    for (const vector of proofs) {
      const { trustee } = vector;
      const share = foreignScalar(unhex(vector.share), 'vector');
      const made = prove(epoch, stream, trustee, share, unhex(vector.random), blinded);
      same(made.seed, vector.seed);
      same(made.M.toBytes(), vector.composite_m);
      same(made.Z.toBytes(), vector.composite_z);
      same(made.evaluated, vector.evaluated.join(''));
      same(made.proof, vector.proof);
      assert.deepEqual(weightsOf(made.seed, 7), vector.weights_little_endian.map((w) => integer(unhex(w))));
      const answer = cat(made.proof, made.evaluated);
      const question = { epoch, stream, trustee, publicShare: unhex(vector.public_share), blinded, answer };
      verify(question);
      const swapped = cat(answer.subarray(0, 64), answer.subarray(96, 128), answer.subarray(64, 96), answer.subarray(128));
      assert.throws(() => verify({ ...question, answer: swapped }), /does not hold/);
      assert.throws(() => verify({ ...question, stream: 'ecovadis' }), /does not hold/);
      assert.throws(() => verify({ ...question, epoch: '2027-h1' }), /does not hold/);
      assert.throws(() => verify({ ...question, trustee: trustee + 1 }), /does not hold/);
      assert.throws(() => verify({ ...question, answer: answer.subarray(0, -32) }), /wrong size/);
      assert.throws(() => verify({ ...question, answer: cat(answer.subarray(0, 64), new Uint8Array(blinded.length)) }));
    }
  },

  answer(vector) {
    const { epoch, stream, trustee } = vector;
    const blinded = packed(load('batch').blinded);
    const { public_share: share, proof, evaluated } = load('proof').proofs.find((one) => one.trustee === trustee);
    const content = unhex(proof + evaluated.join(''));
    same(sha512(content), vector.content_sha512);
    same(batchDigest(epoch, stream, blinded), vector.digest);
    const message = answerBytes(epoch, stream, trustee, unhex(vector.digest), content);
    same(message, vector.signed_bytes);
    same(cat(ed25519.sign(message, unhex(vector.private_key)), content), vector.answer);
    const question = { epoch, stream, trustee, key: unhex(vector.public_key), publicShare: unhex(share), blinded };
    const read = (signed, more = {}) => {
      const whole = { ...question, ...more, signed };
      return verify({ ...whole, answer: openAnswer(whole) });
    };
    read(unhex(vector.answer));
    assert.throws(() => read(unhex(vector.wrong_answer)), /trustee 1: answered with a proof that does not hold/);
    const changed = unhex(vector.answer);
    changed[changed.length - 1] ^= 1;
    for (const [signed, more] of [
      [changed], [changed.subarray(0, 63)], [unhex(vector.answer), { trustee: 2 }],
      [unhex(vector.answer), { epoch: '2027-h1' }], [unhex(vector.answer), { stream: 'ecovadis' }],
      [unhex(vector.answer), { blinded: blinded.subarray(32) }], [unhex(vector.answer), { key: unhex(share) }],
    ]) assert.throws(() => read(signed, more));
  },

  outputs({ pairs }) {
    const batch = load('batch');
    const blinds = batch.blinds.map((r) => integer(unhex(r)));
    const evaluated = Object.fromEntries(load('proof').proofs.map((p) => [p.trustee, decode(packed(p.evaluated), '')]));
    for (const { trustees, coefficients, outputs } of pairs) {
      assert.deepEqual(lagrange(trustees).map((c) => hex(scalarBytes(c))), trustees.map((i) => coefficients[i]));
      const found = combine(trustees, trustees.map((i) => evaluated[i]), inputsOf(batch), blinds);
      assert.deepEqual(found.map(hex), outputs);
    }
  },

  sealed_record(vector) {
    const { epoch, stream } = vector;
    const keys = vector.keys.map(({ output, tag, wrap }) => {
      const key = records.entryKey(epoch, stream, unhex(vector.public_key), unhex(output));
      assert.deepEqual([hex(key.tag), hex(key.wrap)], [tag, wrap]);
      return key;
    });
    const rk = unhex(vector.record_key);
    for (const [name, value] of Object.entries(records.recordKeys(rk))) same(value, vector[name]);
    const sealed = records.seal(epoch, stream, rk, unhex(vector.payload), keys, unhex(vector.random));
    same(sealed, vector.sealed);
    same(records.openRecord(epoch, stream, rk, sealed.subarray(0, 272)), vector.payload);
    assert.throws(() => records.openRecord(epoch, 'ecovadis', rk, sealed.subarray(0, 272)));
    assert.throws(() => records.openRecord(epoch, stream, new Uint8Array(32), sealed.subarray(0, 272)), /another key/);
  },

  upload(vector) {
    const { epoch, stream, window } = vector;
    const sealed = vector.sealed.map(unhex);
    const uploads = sealed.map((one, i) =>
      records.sealUpload(unhex(vector.public_key), epoch, stream, one, unhex(vector.ephemeral_keys[i])));
    assert.deepEqual(uploads.map(hex), vector.uploads);
    assert.deepEqual(
      uploads.map((one) => hex(records.openUpload(unhex(vector.private_key), epoch, stream, one))), vector.sealed,
    );
    same(records.saltedHashes(unhex(vector.salt), uploads), vector.salted_hashes);
    same(records.handoverList([...uploads].reverse()), vector.handover_list);
    same(records.uploadDigest(unhex(vector.salt), epoch, stream, uploads), vector.upload_digest);
    same(records.handoverDigest(epoch, stream, window, [...uploads].reverse()), vector.handover_digest);
    same(records.handoverDigest(epoch, stream, window, []), vector.empty_handover_digest);
  },

  index(vector) {
    const file = records.indexFile('2026-h2', 'social-audit', 1, vector.sealed.map(unhex));
    same(file, vector.file);
    const announced = {
      epoch: '2026-h2', stream: 'social-audit', window: 1, entries: 28, records: 2, size: file.length,
      root: Buffer.from(unhex(vector.root)).toString('base64'),
    };
    const index = records.readIndex(file, announced);
    for (const { tag, entries } of vector.look_ups) {
      const found = records.lookUp(index, unhex(tag));
      assert.deepEqual(found.map(({ salt, wrapped }) => ({ salt: hex(salt), wrapped: hex(wrapped) })), entries);
    }
    const changed = Uint8Array.from(file);
    changed[changed.length - 1] ^= 1;
    assert.throws(() => records.readIndex(changed, announced), /not the one announced/);
    for (const [size, root] of Object.entries(vector.roots_by_size)) {
      same(records.rootOf(Uint8Array.from({ length: Number(size) }, (_, i) => i % 251)), root);
    }
  },

  board(vector) {
    const entries = vector.entries.map((line) => JSON.parse(line.entry));
    for (const [i, { entry, root }] of vector.entries.entries()) {
      assert.equal(JSON.stringify(entries[i]), entry);
      same(rootOfEntries(entries.slice(0, i + 1)), root);
    }
    const pins = Object.fromEntries(Object.entries(load('ceremony').honest.signing_keys).map(([i, key]) => [i, unhex(key)]));
    const board = followBoard(entries, unhex(vector.secretariat_key), pins);
    const keys = board.streamKeys('2026-h2', 'social-audit');
    same(keys.publicKey, vector.public_key);
    for (const [i, share] of Object.entries(vector.public_shares)) same(keys.publicShares[i], share);
    assert.equal(board.indexes.length, 1);
    assert.deepEqual(board.erased, [{ epoch: '2026-h2', sender: 1 }]);
    const gap = [entries[0], ...entries.slice(2)];
    assert.throws(() => followBoard(gap, unhex(vector.secretariat_key), pins), /secretariat/);
    const { 1: first, 2: second } = pins;
    assert.throws(() => followBoard(entries, unhex(vector.secretariat_key), { 1: first, 2: second }), /pinned/);
  },

  query_audit(vector) {
    const order = parseBody('query-audit', Buffer.from(vector.order), 'auditor');
    const grant = parseBody('grant', Buffer.from(vector.grant), 'member');
    const positions = audits.positionsOf(order, grant);
    assert.deepEqual(positions, vector.positions);
    for (const [count, expected] of Object.entries(vector.positions_by_count)) {
      const nonce = Uint8Array.from({ length: 32 }, (_, i) => i);
      assert.deepEqual(audits.choosePositions(new Uint8Array(32), nonce, new Uint8Array(64), Number(count), 8), expected);
    }
    const inputs = vector.inputs.map(unhex);
    const blinds = vector.blinds.map((r) => integer(unhex(r)));
    const blinded = encode(inputs.map((input, i) => hashToGroup(input).multiply(blinds[i])));
    const answer = { order: 20, batches: [audits.openBatch(order.grants[0], inputs, blinds, blinded, positions)] };
    assert.equal(JSON.stringify(answer), vector.answer);
    const secret = unhex(vector.auditor_private_key);
    const sealed = audits.sealAnswer(x25519.getPublicKey(secret), order, answer, unhex(vector.ephemeral_key));
    assert.equal(sealed.length, vector.sealed_size);
    same(sha512(sealed), vector.sealed_sha512);
    same(audits.answerDigest(sealed), vector.digest);
    assert.deepEqual(audits.openAnswer(secret, order, sealed), answer);
    audits.verifyOpenings(order, grant, answer.batches[0]);
    const lie = structuredClone(answer.batches[0]);
    lie.openings[0].value = lie.openings[1].value;
    assert.throws(() => audits.verifyOpenings(order, grant, lie), /something else/);
  },

  log(vector) {
    const entries = load('board').entries.map((line) => JSON.parse(line.entry));
    const key = unhex(vector.log_key);
    const hashes = entries.map((entry) => sha256(cat([0], leafOf(entry))));
    assert.equal(Buffer.from(leafOf(entries[0])).toString(), vector.first_leaf);
    assert.deepEqual(hashes.map(hex), vector.leaf_hashes);
    assert.deepEqual([originOf(key), vkey(originOf(key), 1, key)], [vector.origin, vector.vkey]);
    const witnesses = vector.witnesses.map(({ public_key: witness }) => unhex(witness));
    const { size, root, cosigned } = readCheckpoint(vector.note, key, witnesses);
    assert.equal(size, entries.length);
    same(root, hex(rootOfEntries(entries)));
    for (const { name, public_key: witness, vkey: text, time } of vector.witnesses) {
      assert.equal(cosigned[name], time);
      assert.equal(vkey(witnessName(unhex(witness)), 4, unhex(witness)), text);
    }
    assert.throws(() => readCheckpoint(vector.note.replace(`\n${size}\n`, `\n${size + 1}\n`), key, []), /did not sign/);
    assert.throws(() => readCheckpoint(vector.note, witnesses[0], []), /did not sign/);
    same(rootFromInclusion(hashes[3], 3, size, vector.inclusion_of_3.map(unhex)), vector.root);
    const old = rootOfEntries(entries.slice(0, 5));
    const [before, after] = rootsFromConsistency(5, old, size, vector.consistency_from_5.map(unhex));
    same(before, hex(old));
    same(after, vector.root);
  },
};

const files = readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
const read = files.filter((name) => name !== 'match_keys'); // match keys are the matcher's, not the protocol's
assert.deepEqual(Object.keys(checks).sort(), read.sort(), 'a file without a check, or a check without a file');
for (const name of read) {
  checks[name](load(name));
  console.log(`${name}: as the specification says`);
}
