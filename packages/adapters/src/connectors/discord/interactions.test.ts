import { AppError, type Draft, type InboundEvent, type Suggestion } from '@agent-runtime/domain';
import { until } from '@agent-runtime/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { customIdOf } from './custom-id.ts';
import { discordStage, type Stage, type StageOptions, skippingClock } from './discord.fixture.ts';

const open: Stage[] = [];
afterEach(async () => {
  for (const stage of open.splice(0)) await stage.close();
});

async function staged(options?: StageOptions): Promise<Stage> {
  const stage = await discordStage(options);
  open.push(stage);
  return stage;
}

const EPHEMERAL = 64;
const never = new AbortController().signal;

async function deliver(stage: Stage, draft: Draft, effectId = 'efct_1', connector = stage.connector) {
  const address = stage.channel;
  const payloads = connector.render(draft, { address, effectId, nowMs: 0 });
  const receipts: string[] = [];
  for (const [part, payload] of payloads.entries()) {
    const sink = { connector: 'discord', account: connector.account, address };
    const receipt = await connector.deliver(
      payload,
      { sink, effectId, part, createdAt: stage.clock.nowMs() },
      never,
    );
    receipts.push(receipt.externalId);
  }
  return receipts;
}

const command = (stage: Stage, name: string, values: Record<string, string> = {}) =>
  stage.server.command({ channel: stage.channel, from: stage.ada, name, values });

async function heardOne(stage: Stage): Promise<InboundEvent> {
  await until(() => stage.heard.length > 0, 'an event');
  const [event] = stage.heard;
  if (event === undefined) throw new Error('nothing was heard');
  return event;
}

describe('native commands of discord', () => {
  test('are deferred, come as if typed, and the answer takes the place of "is thinking"', async () => {
    const stage = await staged();
    await stage.listen(() => ({ isAnswered: true }));
    const record = command(stage, 'run', { input: 'the numbers of May', skill: 'report' });
    const event = await heardOne(stage);
    expect(event).toMatchObject({
      kind: 'command',
      text: '/run report the numbers of May',
      externalId: record.id,
      message: `i:${record.id}`,
      isAddressed: true,
      channel: { id: stage.channel, kind: 'channel', group: stage.guild },
      sender: { id: stage.ada, displayName: 'Ada', isBot: false },
    });
    await until(() => record.answer !== undefined, 'the first answer');
    expect(record.answer).toMatchObject({ type: 5 });
    await deliver(stage, { text: 'Done.', replyTo: event.message });
    expect(record.original?.wire).toMatchObject({ content: 'Done.' });
    expect(record.isLoading).toBe(false);
    expect(stage.server.messages(stage.channel)).toHaveLength(1);
    expect(stage.server.violations).toEqual([]);
  });

  test('a long answer: the rest follows; the same effect once more changes nothing', async () => {
    const stage = await staged();
    await stage.listen(() => ({ isAnswered: true }));
    command(stage, 'task', { text: 'count' });
    const { message: replyTo } = await heardOne(stage);
    const text = Array.from({ length: 900 }, (_, index) => `word${index}`).join(' ');
    const first = await deliver(stage, { text, replyTo });
    expect(first.length).toBeGreaterThan(2);
    const payloads = stage.connector.render(
      { text, replyTo },
      { address: stage.channel, effectId: 'efct_1', nowMs: 0 },
    );
    const sink = { connector: 'discord', account: stage.connector.account, address: stage.channel };
    for (const [part, payload] of payloads.entries()) {
      const to = { sink, effectId: 'efct_1', part, attempt: 2, createdAt: stage.clock.nowMs() };
      expect((await stage.connector.deliver(payload, to, never)).externalId).toBe(first[part]);
    }
    expect(stage.server.messages(stage.channel)).toHaveLength(first.length);
  });

  test.each(['pair', 'whoami', 'status', 'help', 'start'])(
    '/%s is answered to the asker alone',
    async (name) => {
      const stage = await staged();
      await stage.listen(() => ({ isAnswered: true }));
      const record = command(stage, name);
      const { message: replyTo } = await heardOne(stage);
      await deliver(stage, { text: `code 123 ${'long '.repeat(500)}`, replyTo });
      for (const said of [record.original, ...record.followUps]) expect(said?.ephemeralFor).toBe(stage.ada);
      expect(record.followUps.length).toBeGreaterThan(0);
      expect(stage.server.messages(stage.channel)).toEqual([]);
    },
  );

  test('after a quarter of an hour an answer is an ordinary message, but never a private one', async () => {
    const stage = await staged();
    await stage.listen(() => ({ isAnswered: true }));
    command(stage, 'task', { text: 'slow' });
    command(stage, 'pair');
    await until(() => stage.heard.length === 2, 'both');
    const answerTo = (text: string) => stage.heard.find((event) => event.text.startsWith(text))?.message;
    stage.clock.skip(15 * 60_000);
    await deliver(stage, { text: 'At last.', replyTo: answerTo('/task') });
    const messages = stage.server.messages(stage.channel).map(({ wire }) => wire.content);
    expect(messages).toContain('At last.');
    await expect(deliver(stage, { text: 'code 123', replyTo: answerTo('/pair') })).rejects.toMatchObject({
      kind: 'rejected',
    });
    expect(JSON.stringify(stage.server.allMessages(stage.channel).map(({ wire }) => wire))).not.toContain(
      'code 123',
    );
  });

  test('after a restart the answer still finds its place', async () => {
    const stage = await staged();
    await stage.listen(() => ({ isAnswered: true }));
    const record = command(stage, 'task', { text: 'x' });
    const { message: replyTo } = await heardOne(stage);
    await stage.connector.stop();
    await deliver(stage, { text: 'Back again.', replyTo }, 'efct_1', stage.again());
    expect(record.original?.wire.content).toBe('Back again.');
  });

  test('where no answer comes by itself, the words of the engine do, or the thinking ends', async () => {
    const stage = await staged();
    const words: (string | undefined)[] = ['Not for you.', undefined];
    await stage.listen(() => ({ isAnswered: false, words: words.shift() }));
    const first = command(stage, 'status');
    await until(() => first.original?.wire.content === 'Not for you.', 'the words');
    const second = command(stage, 'new');
    await until(() => second.original?.deletedAtMs !== undefined, 'the end of thinking');
  });

  test('neither the memory nor the work before it holds the first answer up', async () => {
    const stage = await staged();
    const gate = Promise.withResolvers<void>();
    await stage.listen(async () => {
      await gate.promise;
      return { isAnswered: true };
    });
    const { set } = stage.memory;
    stage.memory.set = async (key, value) => {
      await gate.promise;
      await set(key, value);
    };
    const records = [command(stage, 'new'), command(stage, 'status')];
    await until(() => records.every(({ answer }) => answer !== undefined), 'both first answers');
    gate.resolve();
    await until(() => stage.heard.length === 2, 'both commands');
  });

  test('a lasting refusal says why', async () => {
    const stage = await staged();
    await stage.listen(() => {
      throw new AppError({ code: 'ingest.text.invalid', kind: 'invalid', message: 'That is too long.' });
    });
    const record = command(stage, 'task', { text: 'x' });
    await until(() => record.original?.wire.content === 'That is too long.', 'the reason');
  });

  test('the first answer is lost on the way: it is given once more', async () => {
    const stage = await staged();
    await stage.listen(() => ({ isAnswered: true }));
    stage.server.faults.add({ kind: 'drop-before', method: 'POST', route: '/interactions/' });
    const record = command(stage, 'new');
    await heardOne(stage);
    await until(() => record.answer !== undefined, 'the first answer');
    expect(record.answer?.type).toBe(5);
  });

  test('200 commands at once: each has its first answer, and they are worked on in their order', async () => {
    const stage = await staged({ clock: skippingClock(true) });
    await stage.listen(() => ({ isAnswered: true }));
    const records = Array.from({ length: 200 }, (_, index) =>
      command(stage, 'task', { text: `no ${index}` }),
    );
    await until(() => stage.heard.length === 200, 'all commands', 30_000);
    await until(() => records.every(({ answer }) => answer?.type === 5), 'all first answers', 30_000);
    expect(stage.heard.map(({ text }) => text)).toEqual(records.map((_, index) => `/task no ${index}`));
  }, 60_000);

  test('a full limit of other calls does not hold the first answer up', async () => {
    const stage = await staged();
    await stage.listen(() => ({ isAnswered: true }));
    stage.server.faults.add({
      kind: 'too-many',
      retryAfterS: 60,
      scope: 'global',
      route: '/channels/{channel_id}/messages',
    });
    await expect(deliver(stage, { text: 'x' })).rejects.toMatchObject({ kind: 'exhausted' });
    const record = command(stage, 'new');
    await heardOne(stage);
    await until(() => record.answer !== undefined, 'the first answer');
    expect(record.answer?.type).toBe(5);
  });
});

describe('buttons of discord', () => {
  const buttons: Draft['buttons'] = [
    { id: 'yes-1', label: 'Approve', tone: 'good' },
    {
      id: 'no-2',
      label: 'Deny',
      tone: 'bad',
      form: { title: 'Deny the mail', field: 'Why?', about: 'reason' },
    },
    { id: 'edit-3', label: 'Edit', form: { title: 'Edit the mail', field: 'New text', about: 'edit' } },
  ];
  const card: Draft = {
    text: 'Send a mail to bob@example.org?',
    card: { title: 'Approval', tone: 'ask' },
    buttons,
  };
  const idOf = (index: number): string => {
    const button = buttons[index];
    if (button === undefined) throw new Error('no such button');
    return customIdOf(button);
  };

  test('a press is taken at once and names its card; words come to the one who pressed', async () => {
    const stage = await staged();
    await stage.listen(() => ({ isAnswered: false, words: 'Approved.' }));
    const [message = ''] = await deliver(stage, card);
    const record = stage.server.press({ message, customId: idOf(0), from: stage.ada });
    await until(() => record.followUps.length > 0, 'the words');
    expect(record.answer?.type).toBe(6);
    expect(stage.heard[0]).toMatchObject({
      kind: 'button',
      buttonId: 'yes-1',
      message,
      text: '',
      externalId: record.id,
    });
    expect(record.followUps[0]).toMatchObject({ ephemeralFor: stage.ada, wire: { content: 'Approved.' } });
    expect(Number(record.followUps[0]?.wire.flags) & EPHEMERAL).toBe(EPHEMERAL);
  });

  test('a form is the first answer, and what was typed comes as the text of the press', async () => {
    const stage = await staged();
    await stage.listen();
    const [message = ''] = await deliver(stage, card);
    const pressed = stage.server.press({ message, customId: idOf(1), from: stage.ada });
    await until(() => pressed.answer !== undefined, 'the form');
    expect(pressed.answer).toMatchObject({ type: 9, data: { title: 'Deny the mail' } });
    const sent = stage.server.submitModal({
      interaction: pressed,
      from: stage.ada,
      values: { text: 'wrong address' },
    });
    const event = await heardOne(stage);
    expect(event).toMatchObject({
      kind: 'button',
      buttonId: 'no-2',
      message,
      text: 'wrong address',
      externalId: sent.id,
    });
    await until(() => sent.answer !== undefined, 'the first answer');
    expect(sent.answer?.type).toBe(6);
  });

  test('a form for an edit begins with the present text', async () => {
    const stage = await staged();
    const asked: unknown[] = [];
    await stage.listen(undefined, async (question) => {
      asked.push([question.about, question.typed, question.sender.id]);
      return [{ label: '', value: 'Dear Bob' }];
    });
    const [message = ''] = await deliver(stage, card);
    const pressed = stage.server.press({ message, customId: idOf(2), from: stage.ada });
    await until(() => pressed.answer !== undefined, 'the form');
    expect(asked).toEqual([['edit', 'edit-3', stage.ada]]);
    expect(JSON.stringify(pressed.answer?.data)).toContain('"value":"Dear Bob"');
  });

  test.each([
    ['answers too late', () => new Promise<Suggestion[]>(() => {})],
    ['breaks', () => Promise.reject(new Error('broken'))],
    [
      'has more than fits: half a text would be approved as the whole',
      async () => [{ label: '', value: 'x'.repeat(4_001) }],
    ],
  ])('the present text %s: an empty form within 3 s', async (_name, suggest) => {
    const stage = await staged();
    await stage.listen(undefined, suggest);
    const [message = ''] = await deliver(stage, card);
    const pressed = stage.server.press({ message, customId: idOf(2), from: stage.ada });
    await until(() => pressed.answer !== undefined, 'the form');
    expect(pressed.answer?.type).toBe(9);
    expect(JSON.stringify(pressed.answer?.data)).not.toContain('"value"');
  });

  test('a forged button is offered as it is: refusing it is for the engine', async () => {
    const stage = await staged();
    await stage.listen();
    const [message = ''] = await deliver(stage, card);
    const forged = ['', 'zzz', 'f', 'fe', 'b', '~~~', 'fx~a~b', '\u0000', 'm'.repeat(100)];
    for (const customId of forged) stage.server.press({ message, customId, from: stage.ada, isForged: true });
    await until(() => stage.heard.length === forged.length, 'all of them');
    expect(stage.heard.every(({ kind, sender }) => kind === 'button' && sender.id === stage.ada)).toBe(true);
  });
});

describe('suggestions of discord', () => {
  const typing = (stage: Stage, name: string, values: Record<string, string>, focused: string) =>
    stage.server.autocomplete({ channel: stage.channel, from: stage.ada, name, values, focused });

  test('/open and /run ask the engine, who sees who asks and where', async () => {
    const stage = await staged();
    const asked: unknown[] = [];
    await stage.listen(undefined, async ({ about, typed, sender, channel }) => {
      asked.push([about, typed, sender.id, channel.id]);
      return Array.from({ length: 40 }, (_, index) => ({
        label: 'l'.repeat(150),
        value: index === 3 ? 'v'.repeat(101) : `p${index}`,
      }));
    });
    const record = typing(stage, 'open', { path: 'no' }, 'path');
    await until(() => record.answer !== undefined, 'suggestions');
    expect(asked).toEqual([['open', 'no', stage.ada, stage.channel]]);
    const { choices = [] } = (record.answer?.data ?? {}) as { choices?: { name: string; value: string }[] }; // safe: checked by the emulator
    expect(choices).toHaveLength(25);
    expect(choices.every(({ name, value }) => name.length === 100 && value.length <= 100)).toBe(true);
    // A shortened value would name another file.
    expect(choices.map(({ value }) => value)).not.toContain('v'.repeat(100));
    const run = typing(stage, 'run', { skill: 're' }, 'skill');
    await until(() => run.answer !== undefined, 'suggestions');
    expect(asked[1]).toEqual(['run', 're', stage.ada, stage.channel]);
  });

  test.each([
    ['is late', () => new Promise<Suggestion[]>(() => {})],
    ['breaks', () => Promise.reject(new Error('broken'))],
  ])('when the engine %s there are none, in time', async (_name, suggest) => {
    const stage = await staged();
    await stage.listen(undefined, suggest);
    const record = typing(stage, 'open', { path: '' }, 'path');
    await until(() => record.answer !== undefined, 'an answer');
    expect(record.answer).toMatchObject({ type: 8, data: { choices: [] } });
    expect(record.answer?.afterMs).toBeLessThan(3_000);
  });
});

describe('the menu of discord', () => {
  test('is written once, and again only when it differs', async () => {
    const stage = await staged();
    await stage.listen();
    expect(stage.server.commandWrites.calls).toBe(1);
    await stage.connector.stop();
    const calls = stage.server.calls.length;
    await stage.listen();
    await until(
      () => stage.server.calls.slice(calls).some(({ route }) => route.endsWith('/commands')),
      'a look at the menu',
    );
    await stage.connector.stop();
    expect(stage.server.commandWrites.calls).toBe(1);
    const fewer = stage.again({ commands: [{ name: 'help', help: 'What can be asked of me' }] });
    await fewer.start(async () => undefined);
    await until(() => stage.server.commands().length === 1, 'the new menu');
    await fewer.stop();
    expect(stage.server.violations).toEqual([]);
  });

  test('is there although Discord was busy at first', async () => {
    const stage = await staged();
    const { sleep } = stage.clock;
    stage.clock.sleep = (ms, signal) => sleep(ms >= 60_000 ? 1 : ms, signal);
    stage.server.faults.add({ kind: 'server-error', status: 503, method: 'PUT' });
    await stage.connector.start(async () => undefined);
    await until(() => stage.server.commands().length > 0, 'the menu');
    expect(stage.log.lines.filter(({ message }) => message.includes('could not be registered'))).toHaveLength(
      1,
    );
    expect(stage.server.commandWrites.calls).toBeGreaterThan(0);
  });
});
