import { type Approval, makeLabel } from '@agent-runtime/domain';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { policyRules } from '../effect/index.ts';
import { useStage } from '../run/run.fixture.ts';
import { MEMBER, must, OPERATOR, ORIGIN, TEST_AUDIT } from '../settle/world.fixture.ts';
import { approvalOf, asked, buttonOf, type Pressed, press, quiet, updatesIn } from './press.fixture.ts';
import { NOT_VALID, takePress } from './press.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;
const tamper = (table: 'approval_button' | 'effect' | 'approval', where: object, patch: object) =>
  stage.deps.store.commit(TEST_AUDIT, (tx) => tx.update(table, where, patch));
const SIGNED = { principal: { kind: 'user', user: OPERATOR }, via: 'signed' } as const;
/** As a crash leaves it: what the event caused is there, its mark is not. */
const forget = (externalId: string) =>
  stage.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('ingest_event', { externalId }));
const refusals = () => stage.deps.audit.tail(1_000, { action: 'ingest.refuse' });
const stateOf = async (id: string) => (await approvalOf(stage, id)).state;

describe('a button on a card', { timeout: 60_000 }, () => {
  test('approves exactly what its card showed, once, as an operator’s word in chat', async () => {
    const question = await asked(stage);
    const { id, message } = await buttonOf(stage, question, 'approve');
    const said = await press(stage, { id, message, externalId: 'cb:1' });
    expect(said).toEqual({ outcome: 'command', isRepeat: false, reply: `Approved ${question.id}.` });
    // Offered again, the same press gets the same answer and does nothing.
    expect(await press(stage, { id, message, externalId: 'cb:1' })).toEqual({ ...said, isRepeat: true });
    await quiet(stage);
    expect(stage.heard.filter((text) => text === 'We open at nine.')).toHaveLength(1);
    expect((await approvalOf(stage, question.id)).votes).toMatchObject([
      { person: OPERATOR, via: 'chat', digest: question.digest, decision: 'grant' },
    ]);
    expect(await stage.deps.audit.tail(9, { action: 'ingest.press' })).toMatchObject([
      { actor: OPERATOR, context: ORIGIN, data: { act: 'approve', approval: question.id } },
    ]);
  });

  test.each([
    ['approve', 'Approved'],
    ['deny', 'Denied'],
  ] as const)(
    '%s that is offered again after a crash before its mark hears what it came to',
    async (act, word) => {
      const question = await asked(stage);
      const one = await buttonOf(stage, question, act);
      await press(stage, { ...one, externalId: 'cb:crash' });
      await quiet(stage);
      await forget('cb:crash');
      const again = await press(stage, { ...one, externalId: 'cb:crash' });
      expect(again).toEqual({ outcome: 'command', isRepeat: false, reply: `${word} ${question.id}.` });
      expect((await approvalOf(stage, question.id)).votes).toHaveLength(1);
      // Only their own answer is known again, and only where it was given.
      expect((await press(stage, { ...one, by: 'boss' })).reply).toBe(NOT_VALID);
      expect((await press(stage, { ...one, message: 'm9' })).reply).toBe(NOT_VALID);
      expect((await press(stage, { ...one, isRelayed: true })).reply).toBe(NOT_VALID);
      const other = await buttonOf(stage, question, act === 'deny' ? 'approve' : 'deny');
      if (act === 'deny') expect((await press(stage, other)).reply).toBe(NOT_VALID);
    },
  );

  test('that is pressed twice at once counts once', async () => {
    const question = await asked(stage);
    const { id, message } = await buttonOf(stage, question, 'approve');
    const both = await Promise.all([
      press(stage, { id, message }),
      press(stage, { id, message, by: 'boss' }),
    ]);
    expect(both.filter((one) => one.outcome === 'command')).toHaveLength(1);
    expect((await approvalOf(stage, question.id)).votes).toHaveLength(1);
  });

  test('denies, with the reason of the form or without one', async () => {
    const first = await asked(stage);
    const one = await buttonOf(stage, first, 'deny');
    expect((await press(stage, { ...one, text: ' not on a Sunday ' })).reply).toBe(`Denied ${first.id}.`);
    expect((await approvalOf(stage, first.id)).votes).toMatchObject([{ reason: 'not on a Sunday' }]);
    const second = await asked(stage);
    await press(stage, await buttonOf(stage, second, 'deny'));
    expect((await approvalOf(stage, second.id)).votes).toMatchObject([{ decision: 'deny', reason: '' }]);
  });

  test('edits with the words of a form: the old question is superseded, the new one is asked', async () => {
    const question = await asked(stage);
    const { reply } = await press(stage, { ...(await buttonOf(stage, question, 'edit')), text: 'At ten.' });
    expect(await stateOf(question.id)).toBe('superseded');
    const next = await approvalOf(stage, must(reply).split(' ')[0] ?? '');
    expect(next.state).toBe('pending');
    expect((await stage.world.effect(next.effect)).payloads).toEqual([{ text: 'At ten.' }]);
  });

  test.each([
    ['approve', 'mia', 'operator'],
    ['deny', 'mia', 'operator'],
    ['approve', 'otto', NOT_VALID],
  ] as const)('%s of %s is decided as the command is', async (act, by, words) => {
    const question = await asked(stage);
    const said = await press(stage, { ...(await buttonOf(stage, question, act)), by });
    expect(said.outcome).toBe('refused');
    expect(said.reply).toContain(words);
    expect(await stateOf(question.id)).toBe('pending');
  });

  test('may be pressed again by somebody who may', async () => {
    const question = await asked(stage);
    const one = await buttonOf(stage, question, 'approve');
    await press(stage, { ...one, by: 'mia' });
    expect((await press(stage, one)).outcome).toBe('command');
  });

  test('says yes to nothing under panic; a no is always possible, and other words are not asked for', async () => {
    const question = await asked(stage);
    const [yes, edit, no] = [
      await buttonOf(stage, question, 'approve'),
      await buttonOf(stage, question, 'edit'),
      await buttonOf(stage, question, 'deny'),
    ];
    stage.world.panic.turnOn('test', 0);
    expect((await press(stage, yes)).reply).toContain('panic');
    expect((await press(stage, edit)).reply).toContain('stopped');
    expect((await press(stage, no)).reply).toBe(`Denied ${question.id}.`);
    expect(updatesIn(stage)).toEqual([]);
    expect(await read().count('approval_button', { act: 'words' })).toBe(0);
  });

  test('gives no more approvals than chat allows in a day', async () => {
    await stage.restart({ config: { ...stage.deps.config, chatGrantsPerDay: 1 } });
    const [first, second] = [await asked(stage), await asked(stage)];
    expect((await press(stage, await buttonOf(stage, first, 'approve'))).outcome).toBe('command');
    expect((await press(stage, await buttonOf(stage, second, 'approve'))).reply).toContain(
      'all the approvals that chat allows in a day',
    );
    expect((await stage.tell(`/approve ${second.id}`, { by: 'olga' })).reply).toContain('chat allows');
    expect(await stateOf(second.id)).toBe('pending');
  });

  test('is echoed to every TUI', async () => {
    const heard: unknown[] = [];
    stage.deps.live.subscribe('approvals', (event) => {
      if (event.kind === 'approval.chat') heard.push(event.data);
    });
    const question = await asked(stage);
    await press(stage, await buttonOf(stage, question, 'approve'));
    expect(heard).toEqual([
      {
        id: question.id,
        decision: 'grant',
        by: OPERATOR,
        name: 'olga',
        workspace: question.workspace,
        context: ORIGIN,
      },
    ]);
    const other = await asked(stage);
    await stage.engine.deny(other.id, '', SIGNED);
    expect(heard).toHaveLength(1);
    const third = await asked(stage);
    await press(stage, { ...(await buttonOf(stage, third, 'edit')), text: 'At ten.' });
    expect(heard.at(-1)).toMatchObject({ id: third.id, decision: 'edit', by: OPERATOR });
  });

  test('of somebody who was unlinked or has left is nobody’s', async () => {
    const question = await asked(stage);
    const one = await buttonOf(stage, question, 'approve');
    await stage.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('identity_link', { externalId: 'olga' }));
    expect((await press(stage, one)).reply).toBe(NOT_VALID);
    await stage.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('identity_user', { name: 'boss' }, { isActive: false }),
    );
    expect((await press(stage, { ...one, by: 'boss' })).reply).toBe(NOT_VALID);
    expect(await stateOf(question.id)).toBe('pending');
  });

  test.each<[string, Partial<Pressed>]>([
    ['of a machine', { isBot: true }],
    ['that was passed on', { isRelayed: true }],
    ['on another message', { message: 'm9' }],
    ['on no message', { message: undefined }],
    ['without an id', { id: undefined }],
    ['in another channel', { channel: 'news-channel' }],
    ['in a place that is not bound', { channel: 'nowhere' }],
    ['of another account', { source: 'chat:other' }],
    ['of a stranger', { by: 'stranger-9' }],
  ])('%s is none', async (_what, more) => {
    const question = await asked(stage);
    const said = await press(stage, { ...(await buttonOf(stage, question, 'approve')), ...more });
    expect(said).toMatchObject({ outcome: 'refused', reply: NOT_VALID });
    expect(await stateOf(question.id)).toBe('pending');
  });

  test.each<[string, object]>([
    ['is over', { expiresAt: 1 }],
    ['was used', { usedAt: 1 }],
    ['is another’s', { person: MEMBER }],
    ['asks for words and is no button', { act: 'words' }],
    ['confirms a wish where nothing is confirmed', { act: 'confirm' }],
    ['stands in another context', { context: 'news' }],
    ['stands on a card that is not there', { card: 'efct_00000000000000000000' }],
    ['is about no question', { approval: undefined }],
    ['is about a question that is not there', { approval: 'appr_00000000000000000000' }],
    ['showed other bytes', { digest: 'sha256:00' }],
    ['showed nobody knows what', { digest: undefined }],
  ])('that %s is none', async (_what, patch) => {
    const question = await asked(stage);
    const { id, message } = await buttonOf(stage, question, 'approve');
    await tamper('approval_button', { id }, patch);
    expect((await press(stage, { id, message })).reply).toBe(NOT_VALID);
    expect(await stateOf(question.id)).toBe('pending');
  });

  test('that confirms a wish is handed on where something is confirmed, once everything about it fits', async () => {
    const question = await asked(stage);
    const { id, message } = await buttonOf(stage, question, 'approve');
    await tamper(
      'approval_button',
      { id },
      { act: 'confirm', intent: 'intn_00000000000000000001', approval: undefined, digest: undefined },
    );
    const { context } = stage.world;
    const confirmed: string[] = [];
    const done = { outcome: 'command', isRepeat: false, reply: 'Begun.' } as const;
    const hooks = {
      orders: stage.engine,
      onReply: () => {},
      confirm: async (_at: unknown, button: { readonly id: string }) => {
        confirmed.push(button.id);
        return done;
      },
    };
    const by = async (more: object, user = OPERATOR) => {
      const event = {
        source: 'chat:test',
        externalId: 'cb:9',
        kind: 'button' as const,
        channel: { id: context.channel, kind: context.kind, title: '' },
        sender: { id: 'olga', displayName: 'olga', isBot: false },
        text: '',
        isAddressed: true,
        isRelayed: false,
        sentAt: 0,
        buttonId: id,
        message,
        ...more,
      };
      const arrival = { event, door: 'chat' as const, conversationKey: 'ops' };
      return takePress(stage.deps, hooks, {
        arrival,
        where: { principal: { kind: 'user', user }, context },
        context,
        rules: await policyRules(stage.deps, read(), context.id),
      });
    };
    expect(await by({ message: 'm0' })).toMatchObject({ reply: NOT_VALID });
    await tamper('approval_button', { id }, { person: OPERATOR });
    expect(await by({}, MEMBER)).toMatchObject({ reply: NOT_VALID });
    expect(await by({})).toBe(done);
    await tamper('approval_button', { id }, { usedAt: 1 });
    expect(await by({})).toMatchObject({ reply: NOT_VALID });
    expect(confirmed).toEqual([id]);
  });

  test('on a card that has not arrived yet, or of whose first parts it is, is none', async () => {
    const question = await asked(stage);
    const { id, button, message } = await buttonOf(stage, question, 'approve');
    await tamper(
      'effect',
      { id: button.card },
      { receipts: [{ externalId: message }, { externalId: 'm8' }] },
    );
    expect((await press(stage, { id, message })).reply).toBe(NOT_VALID);
    await tamper('effect', { id: button.card }, { state: 'performing', receipts: [{ externalId: message }] });
    expect((await press(stage, { id, message })).reply).toBe(NOT_VALID);
    await tamper('effect', { id: button.card }, { state: 'done' });
    expect((await press(stage, { id, message })).outcome).toBe('command');
  });

  test('of stored bytes that were changed says yes to nothing', async () => {
    const question = await asked(stage);
    const one = await buttonOf(stage, question, 'approve');
    await tamper('effect', { id: question.effect }, { payloads: [{ text: 'changed' }] });
    expect((await press(stage, one)).outcome).toBe('refused');
    expect(await stateOf(question.id)).toBe('pending');
  });
});

describe('/approve in chat says yes to no words', { timeout: 60_000 }, () => {
  const UNSEEN = 'No card here shows all';
  const approve = async (id: string) => (await stage.tell(`/approve ${id}`, { by: 'olga' })).reply;
  const cardOf = async (id: string) =>
    must((await read().find('approval_button', { approval: id as never, act: 'deny' }))[0]).card; // safe: an id

  test('that are not whole on the card', async () => {
    const question = await asked(stage);
    const whole = await asked(stage);
    await tamper('effect', { id: question.effect }, { payloads: [{ text: 'x'.repeat(20_001) }] });
    expect(await approve(question.id)).toContain(UNSEEN);
    await tamper('effect', { id: question.effect }, { payloads: [{ blob: 'no words' }] });
    expect(await approve(question.id)).toContain(UNSEEN);
    expect(await stateOf(question.id)).toBe('pending');
    expect(await approve(whole.id)).toBe(`Approved ${whole.id}.`);
  });

  test('that do not fit the place', async () => {
    const question = await asked(stage);
    const one = await buttonOf(stage, question, 'approve');
    await tamper('effect', { id: question.effect }, { label: makeLabel(1, ['ws:cellar' as never]) }); // safe: a tag
    expect(await approve(question.id)).toContain(UNSEEN);
    expect((await press(stage, one)).reply).toBe(NOT_VALID);
    expect(await stateOf(question.id)).toBe('pending');
  });

  test('of tier high', async () => {
    const question = await asked(stage);
    await tamper('approval', { id: question.id }, { tier: 'high' });
    expect(await approve(question.id)).toContain('with your key');
    expect(await stateOf(question.id)).toBe('pending');
  });

  test('whose card did not arrive, or showed other bytes', async () => {
    const question = await asked(stage);
    await quiet(stage);
    const card = await cardOf(question.id);
    await tamper('effect', { id: card }, { state: 'rejected' });
    expect(await approve(question.id)).toContain(UNSEEN);
    await tamper('effect', { id: card }, { state: 'done' });
    await tamper('approval_button', { card }, { digest: 'sha256:00' });
    expect(await approve(question.id)).toContain(UNSEEN);
    await tamper('approval_button', { card }, { digest: question.digest });
    expect(await approve(question.id)).toBe(`Approved ${question.id}.`);
  });
});

describe('1,000 forged callbacks', { timeout: 300_000 }, () => {
  test('are all refused with the same words, and leave one record per sender and minute', async () => {
    const [open, decided, old] = [await asked(stage, 'a'), await asked(stage, 'b'), await asked(stage, 'c')];
    const real = await buttonOf(stage, open, 'approve');
    const other = await buttonOf(stage, old, 'approve');
    const used = await buttonOf(stage, decided, 'approve');
    await press(stage, await buttonOf(stage, decided, 'deny'));
    await quiet(stage);
    await tamper('approval_button', { approval: old.id }, { expiresAt: stage.world.clock.nowMs() });
    const text = fc.string({ maxLength: 64 });
    const word = fc.constantFrom('', 'a', 'yes');
    const forged: fc.Arbitrary<Partial<Pressed>> = fc.oneof(
      fc.record({ id: text, message: fc.constant(real.message) }),
      fc.nat(real.id.length - 1).map((n) => ({ id: real.id.slice(0, n), message: real.message })),
      fc.record({
        id: fc.constant(real.id),
        message: text.filter((one) => one !== '' && one !== real.message),
      }),
      fc.record({
        id: fc.constant(real.id),
        message: fc.constant(real.message),
        channel: fc.constantFrom('news-channel', 'nowhere'),
      }),
      fc.record({
        id: fc.constant(real.id),
        message: fc.constant(real.message),
        by: fc.constantFrom('stranger-1', 'stranger-2', 'otto', 'OLGA', 'olga '),
      }),
      // The card of one question, the button of another.
      fc.constant({ id: real.id, message: other.message }),
      // Replayed after it was decided, or after its end.
      fc.constant({ id: used.id, message: used.message }),
      fc.constant({ id: other.id, message: other.message }),
      fc.record({
        id: fc.constant(real.id),
        message: fc.constant(real.message),
        isRelayed: fc.constant(true),
      }),
    );
    let count = 0;
    await fc.assert(
      fc.asyncProperty(forged, word, async (one, typed) => {
        count += 1;
        const said = await press(stage, { ...one, text: typed });
        expect(said).toEqual({ outcome: 'refused', isRepeat: false, reply: NOT_VALID });
      }),
      { numRuns: 1_000 },
    );
    expect(count).toBe(1_000);
    expect(await stateOf(open.id)).toBe('pending');
    expect(await stateOf(old.id)).toBe('pending');
    expect((await approvalOf(stage, decided.id)).votes).toHaveLength(1);
    expect((await refusals()).length).toBeLessThanOrEqual(6);
    await stage.world.clock.advance(60_000);
    const before = (await refusals()).length;
    await press(stage, { id: 'x', message: real.message });
    await press(stage, { id: 'y', message: real.message });
    expect(await refusals()).toHaveLength(before + 1);
    // What is not forged still works.
    expect((await press(stage, real)).outcome).toBe('command');
  });
});

describe('other words where there are no forms', { timeout: 60_000 }, () => {
  const prompt = async (by = 'olga') => {
    const question = await asked(stage);
    const said = await press(stage, { ...(await buttonOf(stage, question, 'edit')), by });
    await quiet(stage);
    const rows = await read().find('approval_button', { act: 'words', approval: question.id });
    const words = rows.at(-1);
    const message =
      words === undefined ? '' : String((await stage.world.effect(words.card)).receipts.at(-1)?.externalId);
    return { question, said, message, words };
  };
  const reply = (repliesTo: string | undefined, more: Partial<Pressed> = {}) =>
    press(stage, { kind: 'message', text: 'At ten.', repliesTo, message: 'm77', ...more });

  test('are asked for by a message of its own, and its answer is the new text', async () => {
    const { question, said, message } = await prompt();
    expect(said.reply).toContain('Answer the message');
    const asking = must(stage.world.chat.sent.find((one) => one.payload.asksReply === true));
    expect(String(asking.payload.text)).toContain(question.id);
    const answered = await reply(message);
    expect(answered.reply).toMatch(/^appr_\w+ asks for the new words\.$/);
    expect(await stateOf(question.id)).toBe('superseded');
    const next = await approvalOf(stage, must(answered.reply).split(' ')[0] ?? '');
    expect((await stage.world.effect(next.effect)).payloads).toEqual([{ text: 'At ten.' }]);
    expect(await stage.deps.audit.tail(1, { action: 'ingest.command' })).toMatchObject([
      { data: { act: 'words', approval: question.id } },
    ]);
  });

  // It was written for the eyes of approvers: a model that answers it in a wider place would carry it there.
  test.each<[string, (question: Approval, message: string) => Promise<unknown>, string]>([
    ['is over', () => stage.world.clock.advance(600_000), 'nothing was changed'],
    ['was used', (_question, message) => reply(message), 'asks for other words'],
    [
      'is about what was denied',
      (question) => stage.engine.deny(question.id, '', SIGNED),
      'nothing was changed',
    ],
    [
      'is about what was put in other words',
      (question) => stage.engine.edit(question.id, 'At eleven.', SIGNED),
      'asks for other words',
    ],
    [
      'was asked when the channel was another context',
      (question) => tamper('approval_button', { approval: question.id, act: 'words' }, { context: 'news' }),
      'nothing was changed',
    ],
    [
      'was marked as used',
      (question) => tamper('approval_button', { approval: question.id }, { usedAt: 1 }),
      'nothing',
    ],
  ])('an answer to a prompt that %s is no question, and is kept nowhere', async (_what, before, words) => {
    const { question, message } = await prompt();
    await before(question, message);
    const known = [await read().count('run', {}), await read().count('context_message', {})];
    const said = await reply(message, { text: 'At twelve, says Mia.' });
    expect(said.outcome).toBe('command');
    expect(said.reply).toContain('This is not open any more');
    expect(said.reply).toContain(words);
    expect([await read().count('run', {}), await read().count('context_message', {})]).toEqual(known);
  });

  test('an answer without words changes nothing', async () => {
    const { question, message } = await prompt();
    const picture = { kind: 'photo', id: 'p1' } as const;
    const said = await reply(message, { text: ' ', attachments: [picture] });
    expect(said.reply).toContain('nothing was changed');
    expect(await read().count('context_message', { text: ' ' })).toBe(0);
    expect(await stateOf(question.id)).toBe('pending');
  });

  test('are taken once, also after a crash between the edit and the mark of its event', async () => {
    const { question, message } = await prompt();
    const first = await reply(message, { externalId: 'words:1' });
    const next = must(first.reply).split(' ')[0];
    await forget('words:1');
    const again = await reply(message, { externalId: 'words:1' });
    expect(again.reply).toBe(`This is not open any more; ${next} asks for other words.`);
    expect(await read().count('approval', {})).toBe(2);
    expect(await stateOf(question.id)).toBe('superseded');
  });

  test('are asked for once, however often Edit is pressed, and anew when the message is over', async () => {
    const { question } = await prompt();
    const edit = await buttonOf(stage, question, 'edit');
    const asking = () => read().count('approval_button', { act: 'words', approval: question.id });
    expect((await press(stage, edit)).reply).toContain('Answer the message');
    await Promise.all([press(stage, edit), press(stage, edit)]);
    expect(await asking()).toBe(1);
    await press(stage, { ...edit, by: 'boss' });
    expect(await asking()).toBe(2);
    await stage.world.clock.advance(600_000 - 60_000);
    await press(stage, edit);
    expect(await asking()).toBe(3);
  });

  test('are asked for anew when the message never arrived', async () => {
    const { question, words } = await prompt();
    await tamper('effect', { id: must(words).card }, { state: 'rejected' });
    await press(stage, await buttonOf(stage, question, 'edit'));
    expect(await read().count('approval_button', { act: 'words', approval: question.id })).toBe(2);
  });

  test('of whoever asked for it are welcome, of other members not', async () => {
    const { said } = await prompt('mia');
    expect(said.outcome).toBe('command');
    const question = await asked(stage);
    await tamper('approval', { id: question.id }, { requesterPerson: OPERATOR });
    const no = await press(stage, { ...(await buttonOf(stage, question, 'edit')), by: 'mia' });
    expect(no.outcome).toBe('refused');
    expect(no.reply).toContain('operator');
    expect(await read().count('approval_button', { act: 'words', approval: question.id })).toBe(0);
  });

  test.each<[string, Partial<Pressed>, number]>([
    ['by somebody else', { by: 'boss' }, 0],
    ['by a stranger', { by: 'stranger-9' }, 0],
    ['that was passed on', { isRelayed: true }, 0],
    ['in another place', { channel: 'news-channel' }, 0],
    ['to another message', { repliesTo: 'm9' }, 0],
    ['to nothing', { repliesTo: undefined }, 0],
    ['that was edited in', { kind: 'edit' }, 0],
    ['after ten minutes', {}, 600_000],
  ])('are not an answer %s', async (_what, more, waitMs) => {
    const { question, message } = await prompt();
    await stage.world.clock.advance(waitMs);
    await reply(message, { ...more });
    expect(await stateOf(question.id)).toBe('pending');
  });

  test('are the last moment before ten minutes are over', async () => {
    const { question, message } = await prompt();
    await stage.world.clock.advance(599_999);
    await reply(message);
    expect(await stateOf(question.id)).toBe('superseded');
  });

  test('a command that answers it is a command, a slash that is none is a text', async () => {
    const { question, message } = await prompt();
    expect((await reply(message, { text: '/status' })).reply).toContain('to approve');
    expect(await stateOf(question.id)).toBe('pending');
    await reply(message, { text: '/etc is full' });
    expect(await stateOf(question.id)).toBe('superseded');
  });

  test('of a right that was lost meanwhile are refused with words', async () => {
    const { question, message } = await prompt();
    await stage.world.ungrant(OPERATOR);
    expect((await reply(message)).reply).toContain('operator');
    expect(await stateOf(question.id)).toBe('pending');
  });
});
