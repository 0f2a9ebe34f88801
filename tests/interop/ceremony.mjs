// What follows from the messages of a key ceremony: protocol/SPEC.md, section 5. Bodies are decoded messages.

import {
  I2OSP, Refused, cat, decode, encode, equal, foreignScalar, hashToScalar, hex, hpkeOpen, Point, scalarBytes, sha512,
  times, unbase64, weightedSum, x25519,
} from './blocks.mjs';

const STEPS = ['ceremony-1', 'ceremony-2', 'ceremony-3', 'ceremony-3-answer'];

export function contextOf({ epoch, stream, attempt, threshold, signingKeys }) {
  const parties = Object.entries(signingKeys).sort(([a], [b]) => a - b)
    .flatMap(([index, key]) => [I2OSP(Number(index), 1), key]);
  return cat(`tacit/1 ceremony|${epoch}|${stream}|${attempt}|${threshold}|`, sha512(cat(...parties)));
}

export function usable(agreementKey) {
  try {
    x25519.getSharedSecret(new Uint8Array(32).fill(1), agreementKey);
    return true;
  } catch {
    return false; // of low order
  }
}

const opening = (context, message) =>
  sha512(cat('tacit/1 ceremony opening', [0], context, I2OSP(message.sender, 2), unbase64(message.commitments),
    unbase64(message.possession)));

const at = (commitments, x) => weightedSum(commitments.map((_, k) => BigInt(x) ** BigInt(k)), commitments);

export function holdsPossession(context, message) {
  try {
    const possession = unbase64(message.possession);
    const c = foreignScalar(possession.subarray(0, 32), '');
    const s = foreignScalar(possession.subarray(32), '');
    const commitments = unbase64(message.commitments);
    const [first] = decode(commitments.subarray(0, 32), '');
    const point = Point.BASE.multiply(s).add(times(c, first));
    const transcript = cat(context, I2OSP(message.sender, 2), commitments, point.toBytes());
    return hashToScalar(transcript, 'HashToScalar-tacit/1 ceremony possession') === c;
  } catch {
    return false;
  }
}

function fits(message, recipient, share) {
  const expected = at(decode(unbase64(message.commitments), ''), recipient);
  try {
    return Point.BASE.multiply(foreignScalar(share, '')).equals(expected);
  } catch {
    return false;
  }
}

function faultOf(ceremony, context, sent, index, recipients) {
  const first = sent['ceremony-1'][index];
  const second = sent['ceremony-2'][index];
  if (!first) return 'sent no commitment';
  if (!recipients.includes(index)) return 'sent an agreement key that cannot be used';
  if (!second) return 'did not open its commitment';
  if (!equal(opening(context, second), unbase64(first.commitment))) return 'opened something else';
  if (unbase64(second.commitments).length !== 32 * ceremony.threshold) return 'another threshold';
  const named = second.shares.map(({ recipient }) => recipient).sort((a, b) => a - b);
  if (named.join() !== recipients.join()) return 'did not send one share to each';
  try {
    decode(unbase64(second.commitments), '');
  } catch {
    return 'no group elements';
  }
  return holdsPossession(context, second) ? null : 'no possession';
}

// `sent`: by kind, then by sender, the first message of each; `bodies` the same as canonical bytes.
export function conclude(ceremony, sent, bodies) {
  const context = contextOf(ceremony);
  const indices = Object.keys(ceremony.signingKeys).map(Number).sort((a, b) => a - b);
  const recipients = indices.filter((i) => sent['ceremony-1'][i] && usable(unbase64(sent['ceremony-1'][i].agreement_key)));
  const disqualified = {};
  for (const index of indices) {
    const fault = faultOf(ceremony, context, sent, index, recipients);
    if (fault) disqualified[index] = fault;
  }
  for (const accused of indices.filter((i) => !(i in disqualified))) {
    const accusers = Object.values(sent['ceremony-3'])
      .filter((message) => indices.includes(message.sender) && message.accused.includes(accused));
    for (const { sender } of accusers) {
      const revealed = sent['ceremony-3-answer'][accused]?.revealed.find(({ recipient }) => recipient === sender);
      if (!revealed) disqualified[accused] ??= `did not reveal to ${sender}`;
      else if (!fits(sent['ceremony-2'][accused], sender, unbase64(revealed.share))) {
        disqualified[accused] ??= `revealed a wrong share to ${sender}`;
      }
    }
  }
  const qualified = indices.filter((i) => !(i in disqualified));
  if (qualified.length < ceremony.threshold) throw new Refused(Object.keys(disqualified).join(), 'too few remain');
  const all = qualified.map((i) => decode(unbase64(sent['ceremony-2'][i].commitments), `trustee ${i}`));
  const sums = decode(encode(all[0].map((_, k) => all.reduce((sum, one) => sum.add(one[k]), Point.ZERO))), 'trustees');
  const transcript = STEPS.flatMap((kind) =>
    Object.keys(sent[kind]).map(Number).sort((a, b) => a - b)
      .flatMap((i) => [kind, I2OSP(bodies[kind][i].length, 4), bodies[kind][i]]));
  return {
    publicKey: sums[0].toBytes(),
    publicShares: Object.fromEntries(qualified.map((i) => [i, at(sums, i).toBytes()])),
    disqualified,
    transcript: sha512(cat('tacit/1 ceremony transcript', [0], context, ...transcript)),
  };
}

// What trustee `index` does with its own secrets: its share of the key, for the vectors.
export function ownShare(ceremony, sent, index, agreementSecret, qualified) {
  const context = contextOf(ceremony);
  let total = 0n;
  for (const sender of qualified) {
    const disputed = sent['ceremony-3'][index].accused.includes(sender);
    const share = disputed
      ? unbase64(sent['ceremony-3-answer'][sender].revealed.find((one) => one.recipient === index).share)
      : hpkeOpen(agreementSecret, cat(context, '|share|', I2OSP(sender, 2), I2OSP(index, 2)),
        unbase64(sent['ceremony-2'][sender].shares.find((one) => one.recipient === index).ciphertext));
    if (!fits(sent['ceremony-2'][sender], index, share)) throw new Refused(`trustee ${sender}`, 'a share does not fit');
    total += foreignScalar(share, `trustee ${sender}`);
  }
  return hex(scalarBytes(total));
}
