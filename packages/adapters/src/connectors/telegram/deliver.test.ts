import { inspect } from 'node:util';
import type { JsonObject } from '@agent-runtime/domain';
import { afterEach, describe, expect, test } from 'vitest';
import { closedPort, stages } from './telegram.fixture.ts';

const { open, close } = stages();
afterEach(close);

const CANARY = 'AAcanary-canary-canary-canary-canary';

describe('answers of the server', () => {
  test.each([
    ['Forbidden: bot was blocked by the user', 403, 'This person has blocked the bot.'],
    [
      "Forbidden: bot can't initiate conversation with a user",
      403,
      'This person must write to the bot first.',
    ],
    ['Forbidden: bot was kicked from the supergroup chat', 403, 'The bot is not in this chat any more.'],
    ['Bad Request: chat not found', 400, 'This chat is gone, or the bot was never in it.'],
    ['Bad Request: message thread not found', 400, 'This topic is gone.'],
    [
      "Bad Request: can't parse entities: secret words of the message",
      400,
      'Telegram cannot read the formatting of this message.',
    ],
    ['Bad Request: message is too long', 400, 'Telegram takes no message of this size.'],
    ['Bad Request: message text is empty', 400, 'Telegram takes no empty message.'],
    ['Bad Request: something new about secret words', 400, 'Telegram refuses this message for good (400).'],
  ])('%s', async (description, status, message) => {
    const one = await open();
    one.server.faults.add({ kind: 'refuse', status, description });
    await expect(one.send({ text: 'x' })).rejects.toMatchObject({
      kind: 'rejected',
      message,
      detail: { status, description },
    });
    expect(one.played).toEqual([]);
  });

  test.each([
    ['a 500', { kind: 'refuse', status: 500, description: 'Internal Server Error' }, 0],
    ['an error page of a proxy', { kind: 'server-error', status: 502 }, 0],
    ['a line that breaks before', { kind: 'drop-before' }, 0],
    ['a line that breaks after', { kind: 'drop-after' }, 1],
  ] as const)('%s: nobody knows', async (_name, fault, arrived) => {
    const one = await open();
    one.server.faults.add(fault);
    await expect(one.send({ text: 'x' })).rejects.toMatchObject({ kind: 'uncertain' });
    expect(one.played).toHaveLength(arrived);
    expect(one.server.callsOf('sendMessage')).toHaveLength(1);
  });

  test.each(['hang', 'hang-after'] as const)(
    'no answer at all (%s): nobody knows after half a minute',
    async (kind) => {
      const one = await open();
      one.server.faults.add({ kind });
      const sent = one.send({ text: 'x' }).catch((error: unknown) => error);
      await one.pass(() => one.server.calls.length === 1, 'it came', 20);
      await one.clock.advance(30_000);
      expect(await sent).toMatchObject({ kind: 'uncertain' });
    },
  );

  test('stopped on its way: nobody knows', async () => {
    const one = await open();
    one.server.faults.add({ kind: 'hang' });
    const control = new AbortController();
    const [payload = {}] = one.connector.render(
      { text: 'x' },
      { address: String(one.group.id), effectId: 'e', nowMs: 1 },
    );
    const sent = one.deliver(payload, { signal: control.signal }).catch((error: unknown) => error);
    await one.pass(() => one.server.calls.length === 1, 'it came', 20);
    control.abort();
    expect(await sent).toMatchObject({ kind: 'uncertain' });
  });

  test('nobody there: nothing was sent, by the library’s own way to the network', async () => {
    const one = await open({ apiRoot: `http://127.0.0.1:${await closedPort()}` });
    await expect(one.send({ text: 'x' })).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('haste', () => {
  test('429 storm: each waits exactly as told, and nothing is asked meanwhile', async () => {
    const one = await open();
    one.server.faults.add({ kind: 'too-many', retryAfterSeconds: 7 });
    await expect(one.send({ text: 'x' })).rejects.toMatchObject({ kind: 'exhausted', retryAfterMs: 7_000 });
    await one.clock.advance(3_000);
    for (let call = 0; call < 50; call += 1)
      await expect(one.send({ text: 'x' })).rejects.toMatchObject({ kind: 'exhausted', retryAfterMs: 4_000 });
    expect(one.server.calls).toHaveLength(1);
    await one.clock.advance(4_000);
    await one.send({ text: 'x' });
    expect(one.server.faults.tooEarly).toBe(0);
    expect(one.server.invalid.tooMany).toBe(1);
  });

  test('a wait of no time counts as a second', async () => {
    let calls = 0;
    const parameters = { retry_after: 0 };
    const answer = { ok: false, error_code: 429, description: 'Too Many Requests', parameters };
    const one = await open({
      fetch: async () => {
        calls += 1;
        return Response.json(answer, { status: 429 });
      },
    });
    for (const _try of [1, 2])
      await expect(one.send({ text: 'x' })).rejects.toMatchObject({ kind: 'exhausted', retryAfterMs: 1_000 });
    expect(calls).toBe(1);
  });

  test('one chat waits, another speaks', async () => {
    const one = await open();
    const other = one.server.cast.chat({ type: 'group', title: 'Kitchen' });
    one.server.faults.add({ kind: 'too-many', retryAfterSeconds: 7, chat: one.group });
    await expect(one.send({ text: 'x' })).rejects.toMatchObject({ kind: 'exhausted' });
    await one.send({ text: 'y' }, String(other.id));
    await expect(one.send({ text: 'x' })).rejects.toMatchObject({ kind: 'exhausted' });
    expect(one.server.calls).toHaveLength(2);
  });

  test('three chats must wait at once: it is meant for all, and no fourth one asks', async () => {
    const one = await open();
    const chats = ['B', 'C', 'D'].map((title) => one.server.cast.chat({ type: 'group', title }));
    one.server.faults.add({ kind: 'too-many', retryAfterSeconds: 7, isGlobal: true });
    await expect(one.send({ text: 'x' })).rejects.toMatchObject({ kind: 'exhausted' });
    for (const chat of [...chats, ...chats])
      await expect(one.send({ text: 'x' }, String(chat.id))).rejects.toMatchObject({ kind: 'exhausted' });
    expect(one.server.calls).toHaveLength(3);
  });

  test('no second sees more calls than it may, over all chats', async () => {
    const left: number[] = [];
    const one = await open({
      fetch: (input, init) => {
        left.push(one.clock.monotonicMs());
        return globalThis.fetch(input, init);
      },
    });
    const chats = Array.from({ length: 12 }, (_, index) =>
      String(one.server.cast.chat({ type: 'group', title: `Garden ${index}` }).id),
    );
    const sent = Promise.all(
      Array.from({ length: 60 }, (_, index) => one.send({ text: 'x' }, chats[index % 12])),
    );
    await one.pass(() => left.length === 60, 'all have gone out', 100);
    await sent;
    for (const at of left)
      expect(left.filter((other) => other >= at && other < at + 1_000).length).toBeLessThanOrEqual(25);
  });

  test('who waits for a turn and is stopped has sent nothing', async () => {
    const one = await open({ perSecond: 1 });
    await one.send({ text: 'x' });
    const control = new AbortController();
    const [payload = {}] = one.connector.render(
      { text: 'y' },
      { address: String(one.group.id), effectId: 'e', nowMs: 1 },
    );
    const waiting = one.deliver(payload, { signal: control.signal }).catch((error: unknown) => error);
    await one.clock.settle();
    control.abort();
    expect(await waiting).toMatchObject({ kind: 'unavailable' });
    expect(one.played).toHaveLength(1);
  });
});

describe('what goes where', () => {
  test('the receipt names the message; buttons come back from it', async () => {
    const one = await open();
    await one.connector.start(async (event) => {
      one.heard.push(event);
      return { isAnswered: false, words: `Taken${'!'.repeat(300)}` };
    });
    const { externalId } = await one.send({ text: 'x', buttons: [{ id: 'b-1', label: 'Yes' }] });
    one.server.people.press({ chat: one.group, message_id: Number(externalId) }, 'b-1', one.ann);
    await one.pass(() => one.server.openPresses.size === 0, 'it is answered', 20);
    expect(one.heard).toMatchObject([{ kind: 'button', message: externalId, buttonId: 'b-1' }]);
    expect(one.server.callsOf('answerCallbackQuery')).toMatchObject([
      { params: { text: `Taken${'!'.repeat(195)}` }, status: 200 },
    ]);
  });

  test('a press that comes twice is answered once', async () => {
    const one = await open();
    const { externalId } = await one.send({ text: 'x', buttons: [{ id: 'b-1', label: 'Yes' }] });
    one.server.people.press({ chat: one.group, message_id: Number(externalId) }, 'b-1', one.ann);
    const [press] = one.server.updates.pending;
    await one.connector.start(one.accept);
    await one.pass(() => one.server.openPresses.size === 0, 'it is answered', 20);
    if (press !== undefined) one.server.updates.inject({ ...press, update_id: press.update_id + 1 });
    await one.pass(() => one.heard.length === 2 && one.server.updates.pending.length === 0, 'both came', 20);
    expect(one.server.callsOf('answerCallbackQuery')).toHaveLength(1);
  });

  test('a topic gets its message, and a file is a file', async () => {
    const one = await open();
    const forum = one.server.cast.chat({
      type: 'supergroup',
      title: 'Forum',
      isForum: true,
      members: [one.ann],
    });
    const topic = one.server.people.openTopic(forum, 'Planting', one.ann);
    await one.send({ text: 'x' }, `${forum.id}/${topic}`);
    const whole = 'word '.repeat(9_000);
    const address = `${forum.id}/${topic}`;
    for (const payload of one.connector.render({ text: whole }, { address, effectId: 'e', nowMs: 1 }))
      await one.deliver(payload, { address });
    const [text, , document] = one.server.sentTo(forum).map(({ now }) => now);
    expect(text).toMatchObject({ message_thread_id: topic, text: 'x' });
    expect(document).toMatchObject({
      message_thread_id: topic,
      caption: 'The whole answer.',
      document: { file_name: 'answer.md' },
    });
    expect(Buffer.from(one.server.fileBytes(document?.document?.file_id ?? '') ?? []).toString()).toBe(whole);
    expect(one.server.violations).toEqual([]);
  });

  test.each<[string, (chat_id: number) => JsonObject]>([
    ['another chat', () => ({ method: 'sendMessage', body: { chat_id: 1, text: 'x' } })],
    [
      'another topic',
      (chat_id) => ({ method: 'sendMessage', body: { chat_id, message_thread_id: 5, text: 'x' } }),
    ],
    ['another method', (chat_id) => ({ method: 'deleteMessage', body: { chat_id, message_id: 1 } })],
    ['no body', () => ({ method: 'sendMessage' })],
  ])('a payload with %s is refused', async (_name, payload) => {
    const one = await open();
    await expect(one.deliver(payload(one.group.id))).rejects.toMatchObject({ kind: 'rejected' });
    expect(one.server.calls).toEqual([]);
  });

  test('a group that moved: refused in words, told to whoever listens, not followed', async () => {
    const one = await open();
    const small = one.server.cast.chat({ type: 'group', title: 'Small', members: [one.ann] });
    const large = one.server.people.migrate(small, one.ann);
    one.server.updates.clear();
    await one.connector.start(one.accept);
    await one.pass(() => one.server.updates.isPolled, 'it polls', 20);
    await expect(one.send({ text: 'x' }, String(small.id))).rejects.toMatchObject({
      kind: 'rejected',
      message: expect.stringMatching(/has become a supergroup/),
    });
    await one.pass(() => one.heard.length === 1, 'it is told', 20);
    expect(one.heard[0]).toMatchObject({
      kind: 'moved',
      movedFrom: String(small.id),
      channel: { id: String(large.id) },
    });
    expect(one.server.sentTo(large)).toEqual([]);
  });
});

describe('edits', () => {
  test('the same edit again is a success, also when the first got lost', async () => {
    const one = await open();
    const { externalId } = await one.send({ text: 'x', buttons: [{ id: 'b', label: 'B' }] });
    const edited = { text: 'y', edits: externalId };
    one.server.faults.add({ kind: 'drop-after' });
    const sent = one.send(edited);
    await one.pass(() => one.server.callsOf('editMessageText').length === 2, 'it is sent again', 500);
    expect(await sent).toEqual({ externalId });
    expect(await one.send(edited)).toEqual({ externalId });
    const [now] = one.server.visible(one.group);
    expect(now).toMatchObject({ text: 'y' });
    expect(now).not.toHaveProperty('reply_markup');
  });

  test('after three tries nobody knows', async () => {
    const one = await open();
    const { externalId } = await one.send({ text: 'x' });
    one.server.faults.add({ kind: 'drop-before', times: 9 });
    const sent = one.send({ text: 'y', edits: externalId }).catch((error: unknown) => error);
    await one.pass(() => one.server.callsOf('editMessageText').length === 3, 'three tries', 500);
    expect(await sent).toMatchObject({ kind: 'uncertain' });
  });
});

test('no token reaches a log or an error, whatever goes wrong', async () => {
  const port = await closedPort();
  for (const apiRoot of [`http://127.0.0.1:${port}`, 'http://[broken', undefined]) {
    const one = await open({
      token: () => `100200300:${CANARY}`,
      ...(apiRoot === undefined ? {} : { apiRoot }),
    });
    await one.connector.start(one.accept);
    await one.pass(() => one.log.lines.length > 0, 'it is logged');
    const thrown = await one.send({ text: 'x' }).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(Error);
    const seen = [
      one.log.dump(),
      one.connector.trouble?.() ?? '',
      inspect(thrown, { depth: 20, showHidden: true }),
    ];
    expect(seen.join('\n')).not.toContain('canary');
  }
});
