import { describe, expect, it } from 'vitest';
import { canonicalJson, type Digest, type JsonObject, sha256 } from '../base/index.ts';
import { type AuditDraft, type AuditEvent, auditHash, chainVerifier, GENESIS } from './chain.ts';
import { type SignatureCheck, type SignatureVerdict, signatureVerifier } from './signatures.ts';

const ANN = 'user_ann00000';
const BEN = 'user_ben00000';
const DIGEST = sha256('the bytes');
const OTHER = sha256('other bytes');

// Stands for RSA, which this floor does not have: only who knows the person's word makes a signature that verifies.
const publicKeyOf = (person: string): string => `public ${person}`;
const keyIdOf = (publicKey: string): string => sha256(publicKey).slice(7, 50);
const sign = (person: string, text: string): string => sha256(`the key ${publicKeyOf(person)} ${text}`);
const CHECK: SignatureCheck = {
  keyIdOf: (publicKey) => (publicKey.startsWith('public ') ? keyIdOf(publicKey) : undefined),
  isDecision: ({ publicKey, signed, signature }) => signature === sha256(`the key ${publicKey} ${signed}`),
  isRequest: ({ publicKey, signed, signature }) => signature === sha256(`the key ${publicKey} ${signed}`),
  readRequest: (signed) => {
    const [word, keyId = '', method = '', path = '', at = ''] = signed.split(' ');
    return word === 'ask' ? { keyId, method, path, createdAtMs: Number(at) } : undefined;
  },
};

/** A log in the making; signed answers name its head, as clients do. */
class Log {
  readonly events: AuditEvent[] = [];
  at = 1_000_000;

  add(draft: Omit<AuditDraft, 'data'> & { readonly data?: JsonObject }): this {
    this.at += 10;
    const previousHash = this.events.at(-1)?.hash ?? GENESIS;
    const record = { data: {}, ...draft, seq: this.events.length + 1, at: this.at, previousHash };
    this.events.push({ ...record, hash: auditHash(record) });
    return this;
  }

  enrol(person: string, more: JsonObject = { publicKey: publicKeyOf(person) }): this {
    const subject = keyIdOf(publicKeyOf(person));
    return this.add({ action: 'identity.enrol', actor: 'host', subject, data: { user: person, ...more } });
  }

  propose(tier = 'high', needed = 1): this {
    const data = { approval: 'appr_1', digest: DIGEST, tier, needed, class: 'E1' };
    return this.add({ action: 'effect.propose', actor: BEN, subject: 'efct_1', data });
  }

  answer(person: string, decision: 'grant' | 'deny' | 'release' = 'grant', more: JsonObject = {}): this {
    const head = this.events.at(-1);
    const statement = {
      approval: 'appr_1',
      effect: 'efct_1',
      digest: DIGEST,
      decision,
      expiry: this.at + 3_600_000,
      auditHead: `${head?.seq ?? 0}:${head?.hash ?? GENESIS}`,
    };
    const signed = canonicalJson(statement);
    return this.add({
      action: `approval.${decision}`,
      actor: person,
      subject: 'appr_1',
      data: {
        effect: 'efct_1',
        digest: DIGEST,
        via: 'signed',
        tier: 'high',
        keyId: keyIdOf(publicKeyOf(person)),
        signature: sign(person, signed),
        signed,
        ...more,
      },
    });
  }

  inChat(person: string, tier: string): this {
    const data = { effect: 'efct_1', digest: DIGEST, via: 'chat', tier };
    return this.add({ action: 'approval.grant', actor: person, subject: 'appr_1', data });
  }

  perform(more: JsonObject = {}): this {
    const data = { approval: 'appr_1', digest: DIGEST, class: 'E1', decision: 'ask', ...more };
    return this.add({ action: 'effect.perform', actor: 'appliance', subject: 'efct_1', data });
  }

  act(person: string, action: string, subject: string, path = '/act', skewMs = 0): this {
    const keyId = keyIdOf(publicKeyOf(person));
    const signed = `ask ${keyId} POST ${path} ${this.at + skewMs}`;
    const proof = { keyId, signature: sign(person, signed), signed };
    return this.add({ action, actor: person, subject, data: { via: 'signed', proof } });
  }
}

/** A forger with the database and every key of the server: changes records, then makes all hashes anew. */
function forged(log: Log, change: (events: AuditEvent[]) => AuditEvent[]): readonly AuditEvent[] {
  let previousHash: Digest = GENESIS;
  return change([...log.events]).map((event, index) => {
    const { hash: _old, ...rest } = event;
    const record = { ...rest, seq: index + 1, previousHash };
    previousHash = auditHash(record);
    return { ...record, hash: previousHash };
  });
}

function withData(log: Log, action: string, data: JsonObject): readonly AuditEvent[] {
  return forged(log, (events) =>
    events.map((event) => (event.action === action ? { ...event, data: { ...event.data, ...data } } : event)),
  );
}

async function verify(events: readonly AuditEvent[]): Promise<SignatureVerdict> {
  const chain = chainVerifier([], () => true);
  const verifier = signatureVerifier({
    check: CHECK,
    hashAt: async (seq) => events[seq - 1]?.hash,
    mustBeSigned: (action) => action === 'identity.grant' || action === 'gate.open',
    isRequestFor: (action, { path }) => action !== 'identity.grant' || path === '/grant',
  });
  for (const event of events) {
    chain.add(event);
    await verifier.add(event);
  }
  // The point of it all: the chain of the forger fits.
  expect(chain.finish().problems).toEqual([]);
  return verifier.finish();
}

async function faultsOf(events: readonly AuditEvent[]): Promise<readonly string[]> {
  return (await verify(events)).problems.map((problem) => problem.text);
}

const approved = (): Log => new Log().enrol(ANN).enrol(BEN).propose().answer(ANN).perform();

describe('people’s signatures in a log', () => {
  it('are good where the key was enrolled before, and the words are the record’s own', async () => {
    const log = approved().act(ANN, 'identity.grant', 'grnt_1', '/grant').act(BEN, 'memory.undo', 'x');
    expect(await verify(log.events)).toEqual({ problems: [], good: 3, unchecked: 0 });
    expect(await verify([])).toEqual({ problems: [], good: 0, unchecked: 0 });
  });

  it('a flipped signature', async () => {
    const signature = sign(ANN, 'something else');
    const faults = await faultsOf(withData(approved(), 'approval.grant', { signature }));
    expect(faults[0]).toContain('record 4 holds a signature that is not by its key');
    // And what was performed on it stands alone.
    expect(faults[1]).toContain('performs what needed 1 approvals of tier high, and 0 stand before it');
  });

  it('two people’s signatures swapped', async () => {
    const log = new Log().enrol(ANN).enrol(BEN).propose('high', 2).answer(ANN).answer(BEN);
    const [first, second] = log.events.filter((event) => event.action === 'approval.grant');
    const swap = (event: AuditEvent): AuditEvent =>
      event === first
        ? { ...event, data: { ...event.data, signature: second?.data.signature } }
        : event === second
          ? { ...event, data: { ...event.data, signature: first?.data.signature } }
          : event;
    const faults = await faultsOf(forged(log, (events) => events.map(swap)));
    expect(faults).toHaveLength(2);
    expect(faults[0]).toContain('record 4 holds a signature that is not by its key');
    // The second signer had seen the first answer as it was.
    expect(faults[1]).toContain('record 5 was signed in sight of another log');
    const actors = forged(log, (events) =>
      events.map((event) => (event === first ? { ...event, actor: BEN } : event)),
    );
    expect((await faultsOf(actors))[0]).toContain('by the key of somebody else');
  });

  it.each([
    ['digest', { digest: OTHER }],
    ['effect', { effect: 'efct_2' }],
    ['words', { signed: '{}' }],
    ['signature gone', { signature: undefined }],
    ['via', { via: undefined, signature: undefined }],
  ])('other facts beside a good signature: %s', async (_name, data) => {
    expect(await faultsOf(withData(approved(), 'approval.grant', data))).not.toEqual([]);
  });

  it('an answer turned round, or about another question', async () => {
    for (const change of [{ action: 'approval.deny' }, { subject: 'appr_2' }]) {
      const events = forged(approved(), (list) =>
        list.map((event) => (event.action === 'approval.grant' ? { ...event, ...change } : event)),
      );
      expect((await faultsOf(events))[0]).toContain('under other words than its own');
    }
  });

  it('digest changed in question, answer and deed alike', async () => {
    const events = forged(approved(), (list) =>
      list.map((event) =>
        event.data.digest === DIGEST ? { ...event, data: { ...event.data, digest: OTHER } } : event,
      ),
    );
    expect((await faultsOf(events))[0]).toContain('under other words than its own');
  });

  it('any record before an answer changed: the signer saw another log', async () => {
    const log = new Log()
      .add({ action: 'task.create', actor: BEN, subject: 'task_1' })
      .enrol(ANN)
      .propose()
      .answer(ANN);
    const events = forged(log, (list) =>
      list.map((event) => (event.seq === 1 ? { ...event, subject: 'task_2' } : event)),
    );
    expect(await faultsOf(events)).toEqual([expect.stringContaining('was signed in sight of another log')]);
  });

  it('a head that is still to come is no head', async () => {
    const log = approved().add({ action: 'task.create', actor: BEN, subject: 'task_9' });
    const last = log.events.at(-1);
    const later = new Log();
    later.events.push(...log.events.slice(0, 3));
    const auditHead = `${last?.seq}:${last?.hash}`;
    const signed = canonicalJson({
      approval: 'appr_1',
      effect: 'efct_1',
      digest: DIGEST,
      decision: 'grant',
      expiry: log.at * 2,
      auditHead,
    });
    const [grant] = log.events.filter((event) => event.action === 'approval.grant');
    const data = { ...grant?.data, signed, signature: sign(ANN, signed) };
    const events = log.events.map((event) => (event === grant ? { ...event, data } : event));
    const verifier = signatureVerifier({
      check: CHECK,
      hashAt: async (seq) => log.events[seq - 1]?.hash,
      mustBeSigned: () => false,
      isRequestFor: () => true,
    });
    for (const event of events) await verifier.add(event);
    expect(verifier.finish().problems[0]?.text).toContain('in sight of another log');
  });

  it('an answer after the end of its question', async () => {
    const log = new Log().enrol(ANN).propose().answer(ANN);
    const late = forged(log, (list) =>
      list.map((event) =>
        event.action === 'approval.grant' ? { ...event, at: event.at + 4_000_000 } : event,
      ),
    );
    expect((await faultsOf(late))[0]).toContain('a question that was over');
  });

  it('without the record of the enrolment, or with it only later', async () => {
    const gone = forged(approved(), (list) => list.slice(1));
    expect((await faultsOf(gone))[0]).toContain('by a key that nobody enrolled before');
    const later = forged(approved(), (list) => [...list.slice(1), ...list.slice(0, 1)]);
    expect((await faultsOf(later))[0]).toContain('by a key that nobody enrolled before');
  });

  it('with the forger’s own key under the person’s name', async () => {
    const own = withData(approved(), 'identity.enrol', { publicKey: publicKeyOf('eve') });
    expect((await faultsOf(own))[0]).toContain('holds another public key than the one it names');
    const twice = new Log().enrol(ANN).enrol(ANN);
    expect((await faultsOf(twice.events))[0]).toContain('enrolled already');
  });

  it.each([
    ['revoked', 'identity.revoke_key', keyIdOf(publicKeyOf(ANN))],
    ['of somebody who left', 'identity.offboard', ANN],
  ])('by a key that was %s', async (_name, action, subject) => {
    const log = new Log().enrol(ANN).enrol(BEN).propose().act(BEN, action, subject).answer(ANN).perform();
    expect((await faultsOf(log.events))[0]).toContain('by a key that record 4 had ended');
    // A key may order its own end.
    const own = new Log().enrol(ANN).act(ANN, 'identity.revoke_key', keyIdOf(publicKeyOf(ANN)));
    expect(await faultsOf(own.events)).toEqual([]);
  });

  it('of an older log, without public keys: cannot be checked, and is not called false', async () => {
    const log = new Log().enrol(ANN, {}).propose().answer(ANN).perform();
    expect(await verify(log.events)).toEqual({ problems: [], good: 0, unchecked: 2 });
    // Words and place are looked at all the same.
    expect(await faultsOf(withData(log, 'approval.grant', { digest: OTHER }))).not.toEqual([]);
  });
});

describe('what was performed', () => {
  it.each([
    ['nothing', new Log().perform()],
    ['a question alone', new Log().enrol(ANN).propose().perform()],
    ['one of two', new Log().enrol(ANN).propose('high', 2).answer(ANN).perform()],
    ['the same person twice', new Log().enrol(ANN).propose('high', 2).answer(ANN).answer(ANN).perform()],
    ['a word in a chat', new Log().enrol(ANN).propose().inChat(ANN, 'high').perform()],
    ['a denied one', new Log().enrol(ANN).propose().answer(ANN).answer(ANN, 'deny').perform()],
    ['other bytes', new Log().enrol(ANN).propose().answer(ANN).perform({ digest: OTHER })],
    ['another approval', new Log().enrol(ANN).propose().answer(ANN).perform({ approval: 'appr_9' })],
    ['a question called an answer', new Log().propose().perform({ class: 'E0', decision: 'permit' })],
  ])('on %s is found', async (_name, log) => {
    expect((await faultsOf(log.events)).join()).toMatch(/performs|approves/);
  });

  it('on enough answers passes, again after a retry, and a chat is enough below tier high', async () => {
    const twice = approved().add({ action: 'effect.retry', actor: 'appliance', subject: 'efct_1' }).perform();
    expect(await faultsOf(twice.events)).toEqual([]);
    const low = new Log().propose('low').inChat(ANN, 'low').perform();
    expect(await faultsOf(low.events)).toEqual([]);
    expect(await faultsOf(new Log().propose('low').inChat(ANN, 'high').perform().events)).not.toEqual([]);
    const answer = new Log().perform({ class: 'E0', decision: 'permit', approval: undefined });
    expect(await faultsOf(answer.events)).toEqual([]);
    expect(await faultsOf(new Log().perform({ class: 'E0' }).events)).not.toEqual([]);
  });

  it('once it is over, needs answers anew', async () => {
    for (const action of ['effect.done', 'effect.void', 'effect.lose']) {
      const log = approved().add({ action, actor: 'appliance', subject: 'efct_1' }).perform();
      expect(await faultsOf(log.events), action).toEqual([expect.stringContaining('nobody was asked about')]);
    }
    const withdrawn = approved()
      .add({ action: 'approval.withdraw', actor: BEN, subject: 'appr_1', data: { effect: 'efct_1' } })
      .perform();
    expect(await faultsOf(withdrawn.events)).toHaveLength(1);
  });

  it('after an edit, needs answers to the new bytes', async () => {
    const edit = { newApproval: 'appr_2', newEffect: 'efct_2', newDigest: OTHER, tier: 'high', needed: 1 };
    const log = new Log()
      .enrol(ANN)
      .propose()
      .answer(ANN)
      .add({ action: 'approval.edit', actor: BEN, subject: 'appr_1', data: { effect: 'efct_1', ...edit } });
    const perform = { approval: 'appr_2', digest: OTHER, class: 'E1', decision: 'ask' };
    log.add({ action: 'effect.perform', actor: 'appliance', subject: 'efct_2', data: perform });
    expect(await faultsOf(log.events)).toEqual([expect.stringContaining('0 stand before it')]);
  });

  it('by a standing approval needs the signature that gave it', async () => {
    const mint = { standing: 'stnd_1', effect: 'efct_1', digest: DIGEST };
    const use = (log: Log): Log =>
      log.propose().add({ action: 'approval.mint', actor: ANN, subject: 'appr_1', data: mint }).perform();
    const stood = (): Log => new Log().enrol(ANN).act(ANN, 'approval.stand', 'stnd_1');
    expect(await faultsOf(use(stood()).events)).toEqual([]);
    const unsigned = 'uses a standing approval that nobody signed';
    expect((await faultsOf(use(new Log()).events))[0]).toContain(unsigned);
    const revoked = stood().act(ANN, 'approval.revoke', 'stnd_1');
    expect((await faultsOf(use(revoked).events))[0]).toContain(unsigned);
  });
});

describe('signed acts', () => {
  it('that hold no signature are found, wherever a record says `signed` or must be', async () => {
    const via = { via: 'signed' };
    const open = new Log().add({ action: 'gate.open', actor: ANN, subject: 'gate' });
    const undo = new Log().add({ action: 'memory.undo', actor: ANN, subject: 'x', data: via });
    const refused = new Log().add({ action: 'policy.deny', actor: ANN, subject: 'x', data: via });
    for (const log of [open, undo]) expect((await faultsOf(log.events))[0]).toContain('holds no signature');
    expect(await faultsOf(refused.events)).toEqual([]);
  });

  it('whose signature was taken from another request are found', async () => {
    const by = (path: string, skewMs = 0): Log =>
      new Log().enrol(ANN).act(ANN, 'identity.grant', 'grnt_1', path, skewMs);
    expect(await faultsOf(by('/grant').events)).toEqual([]);
    expect((await faultsOf(by('/memory').events))[0]).toContain('ordered by another request');
    expect((await faultsOf(by('/grant', -400_000).events))[0]).toContain('of another time');
    const decision = approved().events.find((event) => event.action === 'approval.grant')?.data ?? {};
    const { keyId, signature, signed } = decision;
    const data = { via: 'signed', proof: { keyId, signature, signed } };
    const taken = approved().add({ action: 'identity.grant', actor: ANN, subject: 'grnt_1', data });
    expect((await faultsOf(taken.events))[0]).toContain('something else than a request');
    const flipped = withData(by('/grant'), 'identity.grant', {
      proof: { ...Object(by('/grant').events.at(-1)?.data.proof), signature: 'x' },
    });
    expect((await faultsOf(flipped))[0]).toContain('not by its key');
  });

  it('the list of problems is bounded', async () => {
    const log = new Log();
    for (let n = 0; n < 300; n += 1) log.add({ action: 'gate.open', actor: ANN, subject: 'gate' });
    expect(await faultsOf(log.events)).toHaveLength(100);
  });
});
