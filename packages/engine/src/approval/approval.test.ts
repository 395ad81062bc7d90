import {
  type Approval,
  type Connector,
  canonicalJson,
  type Digest,
  makeLabel,
  type Store,
  sha256,
  type Vote,
} from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import type { Actor, EngineDeps } from '../api.ts';
import { fault, outrun } from '../settle/outside.fixture.ts';
import {
  approvedPost,
  arrivedOf,
  BOSS,
  HERE_LABEL,
  inChat,
  MEMBER,
  OPERATOR,
  person,
  proposePost,
  proposeWrite,
  runOutbox,
  SECOND,
  signed,
  TEST_AUDIT,
  tamper,
  useWorld,
} from '../settle/world.fixture.ts';
import { whatLeft } from './expire.ts';
import {
  approve,
  currentHead,
  deny,
  edit,
  expireQuestions,
  makeDeadlines,
  release,
  withdraw,
} from './index.ts';

const at = useWorld();

const codeOf = (code: string) => expect.objectContaining({ code });

describe('approve', () => {
  test('grants exactly the digest that was seen, and the effect may leave', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    const granted = await approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR));
    expect(granted.state).toBe('granted');
    expect((await at.world.effect(effect.id)).state).toBe('approved');
    expect(await at.world.actions(approval.id)).toEqual(['approval.grant']);
    // The conversation hears of its outcome, not of the yes.
    expect(await at.world.deps.store.read.count('context_message', { direction: 'event' })).toBe(0);
  });

  test('refuses bytes that are not the ones of their digest any more; a no is still welcome', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await tamper(at.world, 'effect', { id: effect.id }, { payloads: [{ text: 'hullo' }] });
    await expect(approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR))).rejects.toEqual(
      codeOf('effect.digest.conflict'),
    );
    expect(await at.world.approval(approval.id)).toMatchObject({ state: 'pending', votes: [] });
    expect((await deny(at.world.deps, approval.id, 'changed', inChat(OPERATOR))).state).toBe('denied');
  });

  test('refuses another digest, and nothing changes', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    const other: Digest = sha256('other');
    await expect(approve(at.world.deps, approval.id, other, inChat(OPERATOR))).rejects.toEqual(
      codeOf('approval.digest.conflict'),
    );
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
    expect((await at.world.approval(approval.id)).votes).toEqual([]);
  });

  test('a member is refused, and the refusal is on record', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await expect(approve(at.world.deps, approval.id, effect.digest, inChat(MEMBER))).rejects.toEqual(
      codeOf('approval.decision.denied'),
    );
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
    expect(await at.world.actions(approval.id)).toEqual(['approval.refuse']);
  });

  test('the unsigned local socket names no person', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    const actor: Actor = { principal: person(BOSS), via: 'socket' };
    for (const act of [
      approve(at.world.deps, approval.id, effect.digest, actor),
      deny(at.world.deps, approval.id, '', actor),
    ])
      await expect(act).rejects.toEqual(codeOf('approval.actor.unauthenticated'));
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
  });

  test('an unknown id is missing', async () => {
    const id = 'appr_00000000000000000000' as Approval['id']; // safe: alphabet of ids
    await expect(approve(at.world.deps, id, sha256('x'), inChat(OPERATOR))).rejects.toEqual(
      codeOf('approval.id.missing'),
    );
  });

  test('tier high is not for chat', async () => {
    const { effect, approval } = await proposeWrite(at.world, 'AGENTS.md', 'new rules');
    expect([approval.tier, approval.approverRole]).toEqual(['high', 'admin']);
    await expect(approve(at.world.deps, approval.id, effect.digest, inChat(BOSS))).rejects.toEqual(
      codeOf('approval.decision.denied'),
    );
    await approve(at.world.deps, approval.id, effect.digest, signed(BOSS));
    expect((await at.world.effect(effect.id)).state).toBe('approved');
  });

  test('a double click and a race of two approvers count once', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    const answers = await Promise.allSettled([
      approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR)),
      approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR)),
      approve(at.world.deps, approval.id, effect.digest, inChat(SECOND)),
    ]);
    expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(1);
    expect((await at.world.approval(approval.id)).votes).toHaveLength(1);
    expect(await at.world.actions(approval.id)).toEqual(['approval.grant']);
    await runOutbox(at.world);
    expect(arrivedOf(at.world, effect.id)).toHaveLength(1);
  });

  test('where two must approve, one person is not two, and racing ones both count', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await tamper(at.world, 'approval', { id: approval.id }, { needed: 2 });
    await approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR));
    await expect(approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR))).rejects.toEqual(
      codeOf('approval.vote.conflict'),
    );
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
    const answers = await Promise.allSettled([
      approve(at.world.deps, approval.id, effect.digest, inChat(SECOND)),
      approve(at.world.deps, approval.id, effect.digest, inChat(BOSS)),
    ]);
    expect(answers.map((answer) => answer.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await at.world.effect(effect.id)).state).toBe('approved');
    await runOutbox(at.world);
    expect(arrivedOf(at.world, effect.id)).toHaveLength(1);
  });

  test('a used approval cannot be given again', async () => {
    const id = await approvedPost(at.world, 'hello');
    await runOutbox(at.world);
    const effect = await at.world.effect(id);
    await expect(
      approve(at.world.deps, effect.approval as Approval['id'], effect.digest, inChat(SECOND)), // safe: it has one
    ).rejects.toEqual(codeOf('approval.state.conflict'));
  });

  test('after its end it is too late', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await at.world.clock.advance(24 * 3_600_000);
    await expect(approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR))).rejects.toEqual(
      codeOf('approval.state.conflict'),
    );
  });

  test('chat has a cap per day, the signed way has none', async () => {
    const votes = Array.from({ length: 50 }, (_, i) => ({
      person: OPERATOR,
      decision: 'grant' as const,
      digest: sha256(String(i)),
      at: at.world.clock.nowMs(),
      via: 'chat' as const,
    }));
    const old = await proposePost(at.world, 'old');
    await tamper(at.world, 'approval', { id: old.approval.id }, { votes });
    const { effect, approval } = await proposePost(at.world, 'hello');
    await expect(approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR))).rejects.toThrow(
      'all the approvals that chat allows',
    );
    await approve(at.world.deps, approval.id, effect.digest, signed(OPERATOR));
    expect((await at.world.effect(effect.id)).state).toBe('approved');
  });

  test('the cap counts one person’s own yes by chat within a day, and nothing else', async () => {
    const nowMs = at.world.clock.nowMs();
    const yes = { person: OPERATOR, decision: 'grant', digest: sha256('x'), at: nowMs, via: 'chat' } as const;
    const others: readonly Vote[] = [
      { ...yes, person: SECOND },
      { ...yes, decision: 'deny' },
      { ...yes, via: 'signed' },
      { ...yes, person: SECOND, decision: 'deny' },
      { ...yes, at: nowMs - 24 * 3_600_000 },
    ];
    const old = await proposePost(at.world, 'old');
    const votes = [...Array.from({ length: 49 }, () => yes), ...others, ...others];
    await tamper(at.world, 'approval', { id: old.approval.id }, { votes });
    const { effect, approval } = await proposePost(at.world, 'hello');
    await approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR));
    expect((await at.world.effect(effect.id)).state).toBe('approved');
  });

  test('a question whose effect is gone is our own fault, and nothing is answered', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('effect', { id: effect.id }));
    await expect(approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR))).rejects.toEqual(
      codeOf('approval.effect.bug'),
    );
  });

  test('nothing is approved under panic or behind the gate', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    at.world.panic.turnOn('test', 0);
    await expect(approve(at.world.deps, approval.id, effect.digest, signed(BOSS))).rejects.toThrow('panic');
    at.world.panic.turnOff('test', 0);
    await at.world.deps.store.commit({ action: 'gate.close', actor: 'test', subject: 'gate' }, (tx) =>
      tx.insert('gate_state', { id: 'gate', isClosed: true, reason: '', at: 0 }),
    );
    await expect(approve(at.world.deps, approval.id, effect.digest, signed(BOSS))).rejects.toThrow('gate');
  });
});

describe('between looking and writing', () => {
  /** Lets something happen right before the answer is written. */
  function meanwhile(action: string, happen: () => Promise<void>): EngineDeps {
    const { store } = at.world.deps;
    const late: Store = {
      ...store,
      commit: async (audit, body) => {
        if ([audit].flat()[0]?.action === action) await happen();
        return store.commit(audit, body);
      },
    };
    return { ...at.world.deps, store: late };
  }

  test('a role that is lost counts no more', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    const deps = meanwhile('approval.grant', () => at.world.ungrant(OPERATOR));
    await expect(approve(deps, approval.id, effect.digest, signed(OPERATOR))).rejects.toEqual(
      codeOf('approval.decision.denied'),
    );
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
    expect(await at.world.actions(approval.id)).toEqual([]);
  });

  test('the same for an edit and a withdrawal', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    const edited = meanwhile('approval.edit', () => at.world.ungrant(OPERATOR));
    await expect(edit(edited, approval.id, 'other', signed(OPERATOR))).rejects.toEqual(
      codeOf('approval.decision.denied'),
    );
    const taken = meanwhile('approval.withdraw', () =>
      tamper(at.world, 'approval', { id: approval.id }, { requesterPerson: BOSS }),
    );
    await expect(withdraw(taken, approval.id, inChat(MEMBER))).rejects.toEqual(
      codeOf('approval.decision.denied'),
    );
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
  });

  test.each(['approval', 'effect'])('a lost race for the %s writes nothing', async (table) => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    const deps = { ...at.world.deps, store: outrun(at.world.deps.store, table) };
    const acts = [
      () => approve(deps, approval.id, effect.digest, signed(OPERATOR)),
      () => deny(deps, approval.id, '', signed(OPERATOR)),
      () => withdraw(deps, approval.id, inChat(MEMBER)),
      () => edit(deps, approval.id, 'other', inChat(MEMBER)),
    ];
    for (const act of acts) await expect(act()).rejects.toEqual(codeOf('approval.state.conflict'));
    expect((await at.world.approval(approval.id)).state).toBe('pending');
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
    expect(await at.world.actions(approval.id)).toEqual([]);
  });
});

describe('the proof of a key', () => {
  async function proved(change: Record<string, unknown>) {
    const { effect, approval } = await proposePost(at.world, 'hello');
    const statement = {
      approval: approval.id,
      effect: effect.id,
      digest: effect.digest,
      decision: 'grant',
      expiry: approval.expiresAt,
      auditHead: await currentHead(at.world.deps.audit),
      ...change,
    };
    const actor: Actor = {
      ...signed(OPERATOR),
      proof: { keyId: 'key', signature: 'c2ln', signed: canonicalJson(statement) },
    };
    return { effect, approval, actor };
  }

  test('is kept with the vote and in the log', async () => {
    const { effect, approval, actor } = await proved({});
    await approve(at.world.deps, approval.id, effect.digest, actor);
    const [vote] = (await at.world.approval(approval.id)).votes;
    expect(vote).toMatchObject({
      keyId: 'key',
      signature: 'c2ln',
      via: 'signed',
      signed: actor.proof?.signed,
    });
    const [event] = await at.world.opened.audit.tail(1, { action: 'approval.grant' });
    expect(event?.data).toMatchObject({ keyId: 'key', signature: 'c2ln', signed: actor.proof?.signed });
  });

  test.each([
    ['another approval', { approval: 'appr_00000000000000000000' }],
    ['another effect', { effect: 'efct_00000000000000000000' }],
    ['another digest', { digest: sha256('other') }],
    ['another decision', { decision: 'deny' }],
    ['another end', { expiry: 1 }],
    ['more than the statement', { extra: true }],
    ['a head that is no text', { auditHead: 5 }],
    ['no head', { auditHead: undefined }],
  ])('about %s proves nothing', async (_name, change) => {
    const { effect, approval, actor } = await proved(change);
    await expect(approve(at.world.deps, approval.id, effect.digest, actor)).rejects.toEqual(
      codeOf('approval.proof.denied'),
    );
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
  });

  test('of a yes to other bytes than were sent along proves nothing', async () => {
    const { approval, actor } = await proved({});
    await expect(approve(at.world.deps, approval.id, sha256('other'), actor)).rejects.toEqual(
      codeOf('approval.proof.denied'),
    );
  });

  test('of a no is about what the question says now', async () => {
    const { approval, actor } = await proved({ decision: 'deny' });
    expect((await deny(at.world.deps, approval.id, '', actor)).state).toBe('denied');
  });

  test.each(['{', 'null', '1', '"x"'])('that is no statement at all proves nothing: %s', async (text) => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    const actor: Actor = { ...signed(OPERATOR), proof: { keyId: 'k', signature: 's', signed: text } };
    await expect(approve(at.world.deps, approval.id, effect.digest, actor)).rejects.toEqual(
      codeOf('approval.proof.denied'),
    );
  });
});

describe('deny', () => {
  test('ends the question, tells the conversation, and closes that kind for the task', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await deny(at.world.deps, approval.id, 'not today', inChat(OPERATOR));
    expect(await at.world.effect(effect.id)).toMatchObject({
      state: 'denied',
      settledAt: at.world.clock.nowMs(),
    });
    const events = await at.world.deps.store.read.find('context_message', { direction: 'event' });
    expect(events.at(-1)?.text).toContain('Reason: not today');
    await expect(proposePost(at.world, 'again')).rejects.toEqual(codeOf('effect.kind.denied'));
    await runOutbox(at.world);
    expect(arrivedOf(at.world, effect.id)).toEqual([]);
  });

  test('its reason is a person’s free text of that place, not the appliance’s own public words', async () => {
    const { approval } = await proposePost(at.world, 'hello', { label: makeLabel(1) });
    await deny(at.world.deps, approval.id, 'not today', signed(BOSS));
    const said = await at.world.deps.store.read.find('context_message', {});
    const withReason = said.filter((message) => message.text.includes('not today'));
    expect(withReason.map((message) => message.label)).toEqual([HERE_LABEL, HERE_LABEL]);
  });

  test('stops an approved effect that has not left', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR));
    expect((await at.world.effect(effect.id)).settledAt).toBeUndefined();
    await deny(at.world.deps, approval.id, '', inChat(SECOND));
    await runOutbox(at.world);
    expect(arrivedOf(at.world, effect.id)).toEqual([]);
    expect((await at.world.approval(approval.id)).state).toBe('void');
    const events = await at.world.deps.store.read.find('context_message', { direction: 'event' });
    expect(events.at(-1)?.text).not.toContain('Reason');
  });

  test('comes too late once a part has left: what was begun is finished under the used approval', async () => {
    const { effect, approval } = await proposePost(at.world, 'one\n\ntwo');
    await approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR));
    at.world.chat.onDeliver = (sent) => {
      if (sent.effectId === effect.id && sent.part === 1) throw fault('unavailable');
    };
    await runOutbox(at.world);
    expect((await at.world.effect(effect.id)).state).toBe('approved');
    await expect(deny(at.world.deps, approval.id, '', signed(SECOND))).rejects.toEqual(
      codeOf('approval.state.conflict'),
    );
  });

  test('comes too late for what has left', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR));
    await runOutbox(at.world);
    await expect(deny(at.world.deps, approval.id, '', inChat(SECOND))).rejects.toEqual(
      codeOf('approval.state.conflict'),
    );
    expect((await at.world.effect(effect.id)).state).toBe('done');
  });

  test('is not for members', async () => {
    const { approval } = await proposePost(at.world, 'hello');
    await expect(deny(at.world.deps, approval.id, '', inChat(MEMBER))).rejects.toEqual(
      codeOf('approval.decision.denied'),
    );
  });
});

describe('release', () => {
  const label = makeLabel(1, [...HERE_LABEL.audience, `priv:${MEMBER}`]);

  test('private text needs its owner first; then the approval counts', async () => {
    const { effect, approval } = await proposePost(at.world, 'my number', { label });
    expect([approval.releasers, approval.tier]).toEqual([[MEMBER], 'high']);
    await expect(approve(at.world.deps, approval.id, effect.digest, signed(OPERATOR))).rejects.toEqual(
      codeOf('approval.release.denied'),
    );
    await release(at.world.deps, approval.id, effect.digest, inChat(MEMBER));
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
    await approve(at.world.deps, approval.id, effect.digest, signed(OPERATOR));
    expect((await at.world.effect(effect.id)).state).toBe('approved');
  });

  test('nobody releases the text of another, also no admin', async () => {
    const { effect, approval } = await proposePost(at.world, 'my number', { label });
    await expect(release(at.world.deps, approval.id, effect.digest, signed(BOSS))).rejects.toEqual(
      codeOf('approval.decision.denied'),
    );
  });
});

describe('withdraw', () => {
  test('the requester takes back what waits and what is approved', async () => {
    const waiting = await proposePost(at.world, 'one');
    await withdraw(at.world.deps, waiting.approval.id, inChat(MEMBER));
    const ready = await proposePost(at.world, 'two');
    await approve(at.world.deps, ready.approval.id, ready.effect.digest, inChat(OPERATOR));
    await withdraw(at.world.deps, ready.approval.id, inChat(MEMBER));
    await runOutbox(at.world);
    for (const { effect, approval } of [waiting, ready]) {
      expect(arrivedOf(at.world, effect.id)).toEqual([]);
      expect((await at.world.effect(effect.id)).state).toBe('withdrawn');
      expect((await at.world.approval(approval.id)).state).toBe('withdrawn');
    }
  });

  test('nobody else does, and not after it left', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await expect(withdraw(at.world.deps, approval.id, signed(BOSS))).rejects.toEqual(
      codeOf('approval.decision.denied'),
    );
    expect(await at.world.actions(approval.id)).toEqual(['approval.refuse']);
    await approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR));
    await runOutbox(at.world);
    await expect(withdraw(at.world.deps, approval.id, inChat(MEMBER))).rejects.toEqual(
      codeOf('effect.state.conflict'),
    );
  });
});

describe('edit', () => {
  test('supersedes and asks anew; the answer to the old bytes is worth nothing', async () => {
    const { effect, approval } = await proposePost(at.world, 'helo');
    const next = await edit(at.world.deps, approval.id, 'hello', signed(OPERATOR));
    expect((await at.world.effect(effect.id)).state).toBe('superseded');
    expect((await at.world.approval(approval.id)).state).toBe('superseded');
    expect(next.effect.supersedes).toBe(effect.id);
    expect(next.effect.payloads).toEqual([{ text: 'hello' }]);
    expect([next.approval.state, next.approval.tier, next.approval.requesterPerson]).toEqual([
      'pending',
      approval.tier,
      MEMBER,
    ]);
    await expect(approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR))).rejects.toEqual(
      codeOf('approval.state.conflict'),
    );
    await expect(approve(at.world.deps, next.approval.id, effect.digest, inChat(OPERATOR))).rejects.toEqual(
      codeOf('approval.digest.conflict'),
    );
    await approve(at.world.deps, next.approval.id, next.effect.digest, inChat(OPERATOR));
    await runOutbox(at.world);
    expect(arrivedOf(at.world, effect.id)).toEqual([]);
    expect(arrivedOf(at.world, next.effect.id)).toEqual([{ text: 'hello' }]);
  });

  test('the requester may, a stranger may not', async () => {
    const { approval } = await proposePost(at.world, 'helo');
    await at.world.grant('user_0000000000000000000z' as typeof MEMBER, 'member'); // safe: alphabet of ids
    await expect(
      edit(at.world.deps, approval.id, 'evil', inChat('user_0000000000000000000z' as typeof MEMBER)), // safe: as above
    ).rejects.toEqual(codeOf('approval.decision.denied'));
    expect(await at.world.actions(approval.id)).toEqual(['approval.refuse']);
    expect((await edit(at.world.deps, approval.id, 'hello', inChat(MEMBER))).approval.state).toBe('pending');
  });

  test('of a file change keeps the path and what must be there', async () => {
    const { effect, approval } = await proposeWrite(at.world, 'AGENTS.md', 'rules');
    const next = await edit(at.world.deps, approval.id, 'better rules', signed(BOSS));
    expect(next.effect.payloads).toEqual([{ path: 'AGENTS.md', expected: 'absent', text: 'better rules' }]);
    expect(next.effect.digest).not.toBe(effect.digest);
  });

  test('nothing is edited after an answer', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await approve(at.world.deps, approval.id, effect.digest, inChat(OPERATOR));
    await expect(edit(at.world.deps, approval.id, 'other', signed(BOSS))).rejects.toEqual(
      codeOf('approval.state.conflict'),
    );
    expect((await at.world.effect(effect.id)).state).toBe('approved');
  });

  test('is rendered by the connector and the account it goes to, or not at all', async () => {
    const { effect, approval } = await proposePost(at.world, 'helo');
    const { chat } = at.world;
    const other = (name: string, account: string): Connector => ({
      ...chat,
      name,
      account,
      render: () => [{ text: 'not mine' }],
    });
    const others = [other('chat', 'second'), other('mail', 'test')];
    const world = await at.restart({ connectors: others });
    await expect(edit(world.deps, approval.id, 'hello', signed(BOSS))).rejects.toEqual(
      codeOf('effect.sink.unavailable'),
    );
    expect((await world.effect(effect.id)).state).toBe('proposed');
    const again = await at.restart({ connectors: [...others, chat] });
    const next = await edit(again.deps, approval.id, 'hello', signed(BOSS));
    expect(next.effect.payloads).toEqual([{ text: 'hello' }]);
  });

  test('an empty text is nothing to send', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await expect(edit(at.world.deps, approval.id, '', signed(BOSS))).rejects.toEqual(
      codeOf('effect.payload.invalid'),
    );
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
  });
});

describe('expire', () => {
  test('ends what nobody answered and what could not leave in time, and nothing earlier', async () => {
    const waiting = await proposePost(at.world, 'one');
    const ready = await approvedPost(at.world, 'two');
    await at.world.clock.advance(24 * 3_600_000 - 1);
    expect(await expireQuestions(at.world.deps, makeDeadlines(at.world.clock))).toBe(0);
    await at.world.clock.advance(1);
    expect(await expireQuestions(at.world.deps, makeDeadlines(at.world.clock))).toBe(2);
    expect((await at.world.effect(waiting.effect.id)).state).toBe('expired');
    expect((await at.world.effect(ready)).state).toBe('expired');
    expect(await expireQuestions(at.world.deps, makeDeadlines(at.world.clock))).toBe(0);
    await runOutbox(at.world);
    expect(arrivedOf(at.world, ready)).toEqual([]);
    const events = await at.world.deps.store.read.find('context_message', { direction: 'event' });
    expect(events.map((event) => event.text).join()).toMatch(/nobody answered.*could not leave/s);
  });

  test('a question whose end was moved while the sweep looked at it stays open', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await at.world.clock.advance(24 * 3_600_000);
    const { store } = at.world.deps;
    const late: Store = {
      ...store,
      commit: async (audit, body) => {
        const expiresAt = at.world.clock.nowMs() + 1;
        await tamper(at.world, 'approval', { id: approval.id }, { expiresAt });
        return store.commit(audit, body);
      },
    };
    expect(await expireQuestions({ ...at.world.deps, store: late }, makeDeadlines(at.world.clock))).toBe(0);
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
    expect(await at.world.actions(approval.id)).toEqual([]);
  });

  test('a question that was answered or is gone by then ends nothing', async () => {
    const { effect, approval } = await proposePost(at.world, 'hello');
    await at.world.clock.advance(24 * 3_600_000);
    const { store } = at.world.deps;
    const sweep = (deps: EngineDeps) => expireQuestions(deps, makeDeadlines(at.world.clock));
    expect(await sweep({ ...at.world.deps, store: outrun(store, 'approval') })).toBe(0);
    const gone: Store = {
      ...store,
      commit: async (audit, body) => {
        await store.commit(TEST_AUDIT, (tx) => tx.remove('approval', { id: approval.id }));
        return store.commit(audit, body);
      },
    };
    expect(await sweep({ ...at.world.deps, store: gone })).toBe(0);
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
  });

  test.each([
    ['a full disk', fault('unavailable')],
    ['what is no error of ours', Object.assign(new Error('x'), { kind: 'conflict' })],
  ])('%s stops the sweep loudly', async (_name, thrown) => {
    await proposePost(at.world, 'hello');
    await at.world.clock.advance(24 * 3_600_000);
    const store: Store = { ...at.world.deps.store, commit: () => Promise.reject(thrown) };
    await expect(expireQuestions({ ...at.world.deps, store }, makeDeadlines(at.world.clock))).rejects.toBe(
      thrown,
    );
  });

  test('a question ends alone where its effect is gone or cannot expire any more', async () => {
    const over = await proposePost(at.world, 'over');
    const gone = await proposePost(at.world, 'gone');
    await tamper(at.world, 'effect', { id: over.effect.id }, { state: 'done' });
    await at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('effect', { id: gone.effect.id }));
    await at.world.clock.advance(24 * 3_600_000);
    expect(await expireQuestions(at.world.deps, makeDeadlines(at.world.clock))).toBe(2);
    for (const { approval } of [over, gone])
      expect((await at.world.approval(approval.id)).state).toBe('expired');
    expect((await at.world.effect(over.effect.id)).state).toBe('done');
  });

  test('what had left is said, and nothing where nothing had', async () => {
    const { effect } = await proposePost(at.world, 'one\n\ntwo');
    expect(whatLeft(effect)).toBe('');
    expect(whatLeft({ ...effect, receipts: [{ externalId: 'x' }] })).toBe(' after 1 of 2 parts had left');
  });

  test('what is not open any more is forgotten: asked anew it lasts its lifetime', async () => {
    const { clock } = at.world;
    const { approval } = await proposePost(at.world, 'hello');
    const deadlines = makeDeadlines(clock);
    expect(deadlines.passed([approval]).size).toBe(0);
    expect(deadlines.passed([]).size).toBe(0);
    await clock.advance(24 * 3_600_000);
    const anew = { ...approval, createdAt: clock.nowMs(), expiresAt: clock.nowMs() + 24 * 3_600_000 };
    expect(deadlines.passed([anew]).size).toBe(0);
    await clock.advance(24 * 3_600_000);
    expect(deadlines.passed([anew])).toEqual(new Set([approval.id]));
  });

  test('high ends after 4 hours', async () => {
    const { effect } = await proposeWrite(at.world, 'AGENTS.md', 'rules');
    await at.world.clock.advance(4 * 3_600_000);
    await expireQuestions(at.world.deps, makeDeadlines(at.world.clock));
    expect((await at.world.effect(effect.id)).state).toBe('expired');
  });
});

test('the head names the newest record of the log', async () => {
  const { seq, hash } = await at.world.opened.audit.head();
  expect(await currentHead(at.world.deps.audit)).toBe(`${seq}:${hash}`);
});
