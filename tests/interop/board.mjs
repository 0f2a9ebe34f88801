// Following the board: protocol/SPEC.md, sections 5 (R4), 6 (E2) and 10. Enough for a member to trust what it uses.

import { Refused, equal, unbase64 } from './blocks.mjs';
import { conclude } from './ceremony.mjs';
import { nameOf, open } from './messages.mjs';

const STEPS = ['ceremony-1', 'ceremony-2', 'ceremony-3', 'ceremony-3-answer', 'ceremony-4'];
const SECRETARIAT = ['manifest', 'window-close', 'ceremony-cut', 'index', 'auditor'];
const AUDITORS = ['query-audit', 'query-audit-result']; // a member that is not audited need not judge what they say
const MEMBERS = ['grant', 'upload'];

class Attempt {
  constructor(trustees) {
    this.trustees = trustees;
    this.cuts = new Set();
    this.sent = Object.fromEntries(STEPS.map((kind) => [kind, {}]));
    this.bodies = Object.fromEntries(STEPS.map((kind) => [kind, {}]));
  }

  expected(kind) {
    const senders = (step) => Object.keys(this.sent[step]).map(Number);
    if (kind === 'ceremony-1') return this.trustees;
    if (kind === 'ceremony-2') return senders('ceremony-1');
    if (kind !== 'ceremony-3-answer') return senders('ceremony-2');
    const accused = Object.values(this.sent['ceremony-3']).flatMap((message) => message.accused);
    return senders('ceremony-2').filter((i) => accused.includes(i));
  }

  over(kind) {
    const before = STEPS[STEPS.indexOf(kind) - 1];
    if (before && !this.over(before)) return false;
    return this.cuts.has(kind) || this.expected(kind).every((i) => i in this.sent[kind]);
  }

  take(kind, message, body) {
    const party = `trustee ${message.sender}`;
    const earlier = this.bodies[kind][message.sender];
    if (earlier) {
      if (!equal(earlier, body)) throw new Refused(party, `sent two different messages in ${kind}`);
      return;
    }
    const before = STEPS[STEPS.indexOf(kind) - 1];
    const inTurn = !this.cuts.has('restart') && (!before || this.over(before)) && !this.cuts.has(kind);
    if (!inTurn || !this.expected(kind).includes(message.sender)) throw new Refused(party, `spoke out of turn in ${kind}`);
    this.sent[kind][message.sender] = message;
    this.bodies[kind][message.sender] = body;
  }
}

class Board {
  constructor(secretariatKey, pins) {
    Object.assign(this, { secretariatKey, pins, size: 0, time: 0, manifests: {}, members: {}, auditors: {}, attempts: {}, closed: {} });
    Object.assign(this, { uploads: {}, handovers: [], indexes: [], erased: [], used: {}, granted: {} });
  }

  apply({ sequence, time, message }) {
    if (sequence !== this.size) throw new Refused('secretariat', `entry ${sequence} where ${this.size} was expected`);
    if (time < this.time) throw new Refused('secretariat', `entry ${sequence} is dated before the one it follows`);
    const body = unbase64(message.body);
    this.judge(message, body, sequence, time);
    this.size += 1;
    this.time = time;
  }

  judge(signed, body, sequence, time) {
    const { kind } = signed;
    if (SECRETARIAT.includes(kind)) {
      const message = open(signed, this.secretariatKey, 'secretariat');
      if (kind === 'manifest') this.manifest(message);
      else if (kind === 'window-close') this.closed[`${message.epoch}/${message.stream}`] = message.window;
      else if (kind === 'index') this.indexes.push(message);
      else if (kind === 'auditor') this.auditors[nameOf(unbase64(message.signing_key))] = unbase64(message.signing_key);
      else this.attempt(message).cuts.add(message.step);
    } else if (kind === 'enrolment') {
      const claimed = JSON.parse(Buffer.from(body).toString());
      const message = open(signed, unbase64(claimed.signing_key), signed.signer);
      this.members[signed.signer] ??= unbase64(message.signing_key);
    } else if (AUDITORS.includes(kind)) {
      if (!this.auditors[signed.signer]) throw new Refused(signed.signer, 'is no auditor');
      open(signed, this.auditors[signed.signer], signed.signer);
    } else if (kind === 'query-audit-answer') {
      if (!this.members[signed.signer]) throw new Refused(signed.signer, 'is not enrolled');
      open(signed, this.members[signed.signer], signed.signer);
    } else if (MEMBERS.includes(kind)) {
      if (!this.members[signed.signer]) throw new Refused(signed.signer, 'is not enrolled');
      const message = open(signed, this.members[signed.signer], signed.signer);
      const { opens, closes } = this.manifestOf(message.epoch);
      if (time < opens || time >= closes) throw new Refused(signed.signer, `posted outside epoch ${message.epoch}`);
      if (kind === 'upload') this.uploads[sequence] = { ...message, member: signed.signer };
      else this.grant(signed.signer, message);
    } else {
      const { epoch, sender } = JSON.parse(Buffer.from(body).toString());
      const manifest = this.manifestOf(epoch);
      const index = kind === 'handover' ? manifest.shuffler : sender;
      const key = manifest.trustees.find((trustee) => trustee.index === index)?.signing_key;
      if (!key) throw new Refused('secretariat', `nobody is trustee ${index}`);
      const message = open(signed, unbase64(key), `trustee ${index}`);
      if (kind === 'handover') this.handovers.push(message);
      else if (STEPS.includes(kind)) this.attempt(message).take(kind, message, body);
      else if (kind === 'erasure') this.erased.push(message);
      else throw new Refused('secretariat', `shows an entry of kind ${kind}`);
    }
  }

  manifestOf(epoch) {
    const manifest = this.manifests[epoch];
    if (!manifest) throw new Refused('secretariat', `has no epoch ${epoch}`);
    return manifest;
  }

  manifest(message) {
    const { trustees, threshold, epoch } = message;
    const distinct = (values) => new Set(values).size === trustees.length;
    if (epoch in this.manifests) throw new Refused('secretariat', 'opens an epoch twice');
    if (!distinct(trustees.map((t) => t.index)) || !distinct(trustees.map((t) => t.signing_key)) ||
      2 * threshold <= trustees.length || !trustees.some((t) => t.index === message.shuffler) ||
      !equal(unbase64(message.signing_key), this.secretariatKey)) {
      throw new Refused('secretariat', 'sent an impossible manifest');
    }
    for (const { index, signing_key: key } of trustees) {
      if (!this.pins[index] || !equal(this.pins[index], unbase64(key))) {
        throw new Refused('secretariat', `names a trustee ${index} that is not pinned`);
      }
    }
    this.manifests[epoch] = message;
  }

  grant(member, { epoch, stream, count, digest }) {
    const manifest = this.manifestOf(epoch);
    const usage = `${epoch}/${stream}/${member}`;
    const known = this.granted[`${usage}/${digest}`];
    if (known === count) return;
    const used = (this.used[usage] ?? 0) + count;
    if (known !== undefined || !manifest.streams.includes(stream) || count % 2048 || used > manifest.quota) {
      throw new Refused(member, 'has a grant beyond the rules');
    }
    this.granted[`${usage}/${digest}`] = count;
    this.used[usage] = used;
  }

  attempt({ epoch, stream, attempt }) {
    const trustees = this.manifestOf(epoch).trustees.map((trustee) => trustee.index);
    const numbered = (this.attempts[`${epoch}/${stream}`] ??= {});
    return (numbered[attempt] ??= new Attempt(trustees));
  }

  openWindow(epoch, stream) {
    return (this.closed[`${epoch}/${stream}`] ?? 0) + 1;
  }

  // The first attempt that was completed counts; null while there is none.
  streamKeys(epoch, stream) {
    const manifest = this.manifestOf(epoch);
    const signingKeys = Object.fromEntries(manifest.trustees.map((t) => [t.index, unbase64(t.signing_key)]));
    for (const [attempt, record] of Object.entries(this.attempts[`${epoch}/${stream}`] ?? {})) {
      if (!record.over('ceremony-3-answer')) continue;
      const ceremony = { epoch, stream, attempt: Number(attempt), threshold: manifest.threshold, signingKeys };
      const outcome = conclude(ceremony, record.sent, record.bodies);
      const agreed = (i) => record.sent['ceremony-4'][i];
      const qualified = Object.keys(outcome.publicShares);
      if (qualified.every((i) => agreed(i) && equal(unbase64(agreed(i).transcript), outcome.transcript))) return outcome;
    }
    return null;
  }
}

export function followBoard(entries, secretariatKey, pins) {
  const board = new Board(secretariatKey, pins);
  for (const entry of entries) board.apply(entry);
  return board;
}
