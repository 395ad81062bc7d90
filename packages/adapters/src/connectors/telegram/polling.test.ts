import { AppError } from '@agent-runtime/domain';
import { afterEach, describe, expect, test } from 'vitest';
import { closedPort, type Stage, stages } from './telegram.fixture.ts';

const { open, close } = stages();
afterEach(close);

const texts = ({ heard }: Stage): readonly string[] => heard.map(({ text }) => text);
const offsets = ({ server }: Stage) => server.callsOf('getUpdates').map(({ params }) => params.offset);
const refusal = (kind: AppError['kind']) =>
  new AppError({ code: `ingest.test.${kind}`, kind, message: 'No.' });
const polled = (one: Stage) => one.pass(() => one.server.updates.isPolled, 'it polls', 20);

describe('confirming', () => {
  test('a batch is confirmed only when all of it is durable', async () => {
    const one = await open();
    const gate = Promise.withResolvers<void>();
    for (const text of ['a', 'b']) one.server.people.say({ chat: one.group, from: one.ann, text });
    await one.connector.start(async (event) => {
      one.heard.push(event);
      if (event.text === 'b') await gate.promise;
    });
    await one.pass(() => one.heard.length === 2, 'both are offered', 20);
    expect(one.server.updates.pending).toHaveLength(2);
    expect(offsets(one)).toEqual([undefined]);
    gate.resolve();
    await one.pass(() => one.server.updates.pending.length === 0, 'both are confirmed', 20);
    expect(offsets(one)).toEqual([undefined, 3]);
  });

  test('chats side by side, each in order', async () => {
    const one = await open();
    const other = one.server.cast.chat({ type: 'group', title: 'Kitchen', members: [one.ann] });
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    for (const text of ['a1', 'a2']) one.server.people.say({ chat: one.group, from: one.ann, text });
    one.server.people.say({ chat: other, from: one.ann, text: 'b1' });
    await one.connector.start(async (event) => {
      one.heard.push(event);
      if (event.text !== 'a2') await gates[event.text === 'a1' ? 0 : 1]?.promise;
    });
    await one.pass(() => one.heard.length === 2, 'the first of each is offered', 20);
    expect(texts(one)).toEqual(['a1', 'b1']);
    gates[0]?.resolve();
    await one.pass(() => one.heard.length === 3, 'the second follows', 20);
    gates[1]?.resolve();
  });

  test('a refusal that passes brings what was refused again, in order; other chats go on', async () => {
    const one = await open();
    const other = one.server.cast.chat({ type: 'group', title: 'Kitchen', members: [one.ann] });
    for (const text of ['a1', 'a2']) one.server.people.say({ chat: one.group, from: one.ann, text });
    one.server.people.say({ chat: other, from: one.ann, text: 'b1' });
    let isDown = true;
    await one.connector.start(async (event) => {
      one.heard.push(event);
      if (event.text === 'a1' && isDown) throw refusal('unavailable');
    });
    await one.pass(() => one.connector.trouble?.() !== undefined, 'it was refused', 20);
    expect(texts(one).toSorted()).toEqual(['a1', 'b1']);
    isDown = false;
    await one.pass(() => one.heard.length === 4, 'all is taken');
    await one.pass(() => one.server.updates.pending.length === 0, 'all is confirmed');
    expect(texts(one).filter((text) => text.startsWith('a'))).toEqual(['a1', 'a1', 'a2']);
    expect(one.connector.trouble?.()).toBeUndefined();
  });

  test.each(['unavailable', 'exhausted', 'bug'] as const)('%s passes', async (kind) => {
    const one = await open();
    one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
    let tries = 0;
    await one.connector.start(async () => {
      tries += 1;
      if (tries < 3) throw refusal(kind);
    });
    await one.pass(() => tries === 3 && one.server.updates.pending.length === 0, 'it was taken at last');
  });

  test('a refusal for good is dropped with a line in the log', async () => {
    const one = await open();
    for (const text of ['a', 'b']) one.server.people.say({ chat: one.group, from: one.ann, text });
    await one.connector.start(async (event) => {
      one.heard.push(event);
      if (event.text === 'a') throw refusal('conflict');
    });
    await one.pass(() => one.server.updates.pending.length === 0, 'both are confirmed', 20);
    expect(texts(one)).toEqual(['a', 'b']);
    expect(one.log.lines.filter(({ message }) => message === 'An event was refused for good.')).toMatchObject(
      [{ fields: { code: 'ingest.test.conflict', external_id: `${one.group.id}:1` } }],
    );
  });

  test('an update of a form that nobody knows is left out, and does not come again', async () => {
    const one = await open();
    one.server.updates.inject({ update_id: 1, message: { message_id: 'x' } });
    one.server.updates.inject({ update_id: 2, future_kind: {} });
    one.server.updates.restart(3);
    one.server.people.say({ chat: one.group, from: one.ann, text: 'after' });
    await one.connector.start(one.accept);
    await one.pass(() => one.server.updates.pending.length === 0, 'all is confirmed', 20);
    expect(texts(one)).toEqual(['after']);
  });
});

describe('fault rows of reliability.md', () => {
  test('duplicate and out-of-order updates: each is offered, with the id that it always had', async () => {
    const one = await open();
    for (let round = 0; round < 3; round += 1)
      for (const text of ['a', 'b', 'c']) one.server.people.say({ chat: one.group, from: one.ann, text });
    one.server.updates.duplicate();
    one.server.updates.reorder((pending) => pending.toReversed());
    await one.connector.start(one.accept);
    await one.pass(() => one.server.updates.pending.length === 0, 'all is confirmed', 20);
    const said = (id: number) =>
      one.heard.find(({ externalId }) => externalId === `${one.group.id}:${id}`)?.text;
    expect(Array.from({ length: 9 }, (_, index) => said(index + 1)).join('')).toBe('abcabcabc');
  });

  test('an edit before its message: both come in as they are', async () => {
    const one = await open();
    const message = one.server.people.say({ chat: one.group, from: one.ann, text: 'before' });
    one.server.people.edit(message, { text: 'after' });
    one.server.updates.reorder((pending) => pending.toReversed());
    await one.connector.start(one.accept);
    await one.pass(() => one.heard.length >= 2, 'both came', 20);
    expect(one.heard.slice(0, 2).map(({ kind, text }) => [kind, text])).toEqual([
      ['edit', 'after'],
      ['message', 'before'],
    ]);
  });

  test('update_id begins again at a lower value: nothing is lost', async () => {
    const one = await open({}, { firstUpdateId: 8 });
    await one.connector.start(one.accept);
    await polled(one);
    one.server.people.say({ chat: one.group, from: one.ann, text: 'old' });
    await one.pass(() => one.server.updates.pending.length === 0, 'the old one is confirmed', 20);
    // Time passes until a question comes back empty, as it does long before ids begin anew.
    const { polls } = one.server.updates;
    await one.pass(() => one.server.updates.polls > polls + 1, 'a question came back empty');
    await polled(one);
    // It comes between two questions, where a confirmation of the old ids would take it away unseen.
    one.server.updates.conflict('a test');
    await one.pass(() => !one.server.updates.isPolled, 'nobody asks', 20);
    one.server.updates.restart(2);
    one.server.people.say({ chat: one.group, from: one.ann, text: 'new' });
    await one.pass(() => one.heard.length === 2, 'the new one came');
    expect(texts(one)).toEqual(['old', 'new']);
    expect(offsets(one)).toContain(9);
  });

  test('update_id begins again in the middle of a batch: what follows is not confirmed unseen', async () => {
    const one = await open({}, { firstUpdateId: 110 });
    one.server.people.say({ chat: one.group, from: one.ann, text: 'old' });
    one.server.updates.restart(5);
    for (let count = 0; count < 120; count += 1)
      one.server.people.say({ chat: one.group, from: one.ann, text: `n${count}` });
    await one.connector.start(one.accept);
    await one.pass(() => one.server.updates.pending.length === 0, 'all is confirmed', 20);
    expect(new Set(texts(one)).size).toBe(121);
  });

  test('409 conflict: alarm, backoff, on it goes; one poller', async () => {
    const one = await open();
    one.server.faults.add({
      kind: 'refuse',
      method: 'getUpdates',
      status: 409,
      description: 'Conflict: terminated by other getUpdates request',
      times: 4,
    });
    one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
    await one.connector.start(one.accept);
    await one.pass(() => one.connector.trouble?.() !== undefined, 'it is told');
    expect(one.connector.trouble?.()).toMatch(/revoke the token/);
    expect(one.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    await one.pass(() => one.heard.length === 1, 'it comes after all');
    const at = one.server.callsOf('getUpdates').map((call) => call.at);
    expect(at.slice(1, 5).map((time, index) => time - (at[index] ?? 0))).toEqual([
      1_000, 2_000, 4_000, 8_000,
    ]);
    expect(one.connector.trouble?.()).toBeUndefined();
  });

  test('never two pollers: a second start ends the first one', async () => {
    const one = await open();
    await Promise.all([
      one.connector.start(one.accept),
      one.connector.start(one.accept),
      one.connector.start(one.accept),
    ]);
    await polled(one);
    one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
    await one.pass(() => one.server.updates.pending.length === 0, 'it is confirmed', 20);
    expect(texts(one)).toEqual(['a']);
    expect(one.server.callsOf('getUpdates').filter(({ status }) => status === 409)).toEqual([]);
  });

  test('401: alarm, and hardly anything is asked until there is another token', async () => {
    let token = '100200300:wrong';
    const one = await open({ token: () => token });
    await one.connector.start(one.accept);
    await one.pass(() => one.connector.trouble?.() !== undefined, 'it is told', 20);
    expect(one.connector.trouble?.()).toMatch(/refuses the token/);
    await expect(one.send({ text: 'x' })).rejects.toMatchObject({ kind: 'unavailable' });
    for (let minute = 0; minute < 30; minute += 1) await one.clock.advance(60_000);
    // After 30 seconds, and then twice as long each time, up to ten minutes.
    expect(one.server.invalid.unauthorized).toBeGreaterThan(4);
    expect(one.server.invalid.unauthorized).toBeLessThan(9);
    expect(new Set(one.server.calls.map(({ method }) => method)).size).toBeLessThan(2);
    token = one.server.token;
    one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
    await one.pass(() => one.heard.length === 1, 'it comes with the new token');
    expect(one.connector.trouble?.()).toBeUndefined();
  });

  test('401, and the token is given back: it goes on within ten minutes, by itself', async () => {
    const one = await open();
    await one.connector.start(one.accept);
    await polled(one);
    const restore = one.server.faults.add({
      kind: 'refuse',
      status: 401,
      description: 'Unauthorized',
      times: 1_000,
    });
    one.server.updates.conflict('a test');
    await one.pass(() => /refuses the token/.test(one.connector.trouble?.() ?? ''), 'it is told');
    for (let minute = 0; minute < 60; minute += 1) await one.clock.advance(60_000);
    restore();
    one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
    const givenAt = one.clock.monotonicMs();
    await one.pass(() => one.heard.length === 1, 'it is heard', 5_000);
    expect(one.clock.monotonicMs() - givenAt).toBeLessThan(620_000);
    expect(one.connector.trouble?.()).toBeUndefined();
  });

  test('one 404 is no refused token; that of the question for our name is', async () => {
    const one = await open();
    await one.connector.start(one.accept);
    await polled(one);
    const lost = { kind: 'refuse', status: 404, description: 'Not Found' } as const;
    one.server.faults.add({ ...lost, method: 'sendMessage' });
    await expect(one.send({ text: 'x' })).rejects.toMatchObject({ kind: 'unavailable' });
    expect(one.connector.trouble?.()).toBeUndefined();
    await one.send({ text: 'x' });
    for (const method of ['getMe', 'getUpdates']) one.server.faults.add({ ...lost, method });
    one.server.updates.conflict('a test');
    await one.pass(() => /refuses the token/.test(one.connector.trouble?.() ?? ''), 'it is told');
  });

  test('401 and a restart: the same token is asked with once more', async () => {
    const one = await open({ token: () => '100200300:wrong' });
    for (const tries of [1, 2]) {
      await one.connector.start(one.accept);
      await one.pass(() => one.server.invalid.unauthorized === tries, 'it was asked', 20);
    }
  });

  test('getUpdates hangs: it times out and is asked again', async () => {
    const one = await open();
    one.server.faults.add({ kind: 'hang', method: 'getUpdates' });
    await one.connector.start(one.accept);
    await one.pass(() => one.server.callsOf('getUpdates').length === 1, 'it hangs', 20);
    one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
    await one.pass(() => one.heard.length === 1, 'it comes', 5_000);
  });

  test.each([
    ['an error page', { kind: 'server-error' }],
    ['a broken line', { kind: 'drop-before' }],
    ['a batch that was lost on its way', { kind: 'drop-after' }],
    ['a 500', { kind: 'refuse', status: 500, description: 'Internal Server Error' }],
  ] as const)('getUpdates meets %s: asked again, nothing lost', async (_name, fault) => {
    const one = await open();
    one.server.faults.add({ ...fault, method: 'getUpdates', times: 3 });
    one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
    await one.connector.start(one.accept);
    await one.pass(() => one.server.updates.pending.length === 0, 'it is confirmed');
    expect(texts(one)).toEqual(['a']);
    expect(one.connector.trouble?.()).toBeUndefined();
  });

  test('429 to getUpdates: it waits as long as it was told', async () => {
    const one = await open();
    one.server.faults.add({ kind: 'too-many', method: 'getUpdates', retryAfterSeconds: 17 });
    one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
    await one.connector.start(one.accept);
    await one.pass(() => one.heard.length === 1, 'it comes');
    expect(one.server.faults.tooEarly).toBe(0);
    expect(one.server.invalid.tooMany).toBe(1);
  });

  test('nobody there: start comes back at once, and it says so', async () => {
    const one = await open({ apiRoot: `http://127.0.0.1:${await closedPort()}` });
    await one.connector.start(one.accept);
    await one.pass(() => one.connector.trouble?.() !== undefined, 'it is told');
    expect(one.connector.trouble?.()).toMatch(/cannot be reached/);
  });

  test('a group becomes a supergroup: one event, whichever chat tells it first', async () => {
    const one = await open();
    const small = one.server.cast.chat({ type: 'group', title: 'Small', members: [one.ann] });
    await one.connector.start(one.accept);
    const large = one.server.people.migrate(small, one.ann);
    await one.pass(
      () => one.heard.length > 0 && one.server.updates.pending.length === 0,
      'both were told',
      20,
    );
    const [first, ...others] = one.heard;
    expect(first).toMatchObject({
      kind: 'moved',
      movedFrom: String(small.id),
      channel: { id: String(large.id) },
    });
    expect(others).toEqual(others.map(() => first));
  });

  test('a webhook that somebody left is taken away at the start, and what waits there comes', async () => {
    const one = await open();
    one.server.webhook.changeBehindBack('http://127.0.0.1:9/old');
    one.server.people.say({ chat: one.group, from: one.ann, text: 'waited' });
    await one.connector.start(one.accept);
    await one.pass(() => one.heard.length === 1, 'it came');
    expect(one.server.callsOf('deleteWebhook').map(({ params }) => params)).toEqual([{}]);
  });

  test('somebody sets a webhook with our token: alarm within five minutes, and it is taken away', async () => {
    const one = await open();
    await one.connector.start(one.accept);
    await polled(one);
    one.server.webhook.changeBehindBack('http://127.0.0.1:9/thief');
    await one.pass(() => /token is stolen/.test(one.connector.trouble?.() ?? ''), 'it is told', 20_000);
    await one.pass(() => one.server.webhook.url === undefined, 'it is taken away', 20);
    one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
    await one.pass(() => one.heard.length === 1, 'it is heard again');
    for (let minute = 0; minute < 20; minute += 1) await one.clock.advance(60_000);
    expect(one.connector.trouble?.()).toMatch(/token is stolen/);
  });
});
