import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InboundEvent, JsonObject } from '@agent-runtime/domain';
import { type ManualClock, manualClock, recordingLogger, settle, until } from '@agent-runtime/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { connectorConformance } from '../conformance.ts';
import { folderConnector } from './folder.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'memory-chat-'));
  folders.push(folder);
  return folder;
}

const outbox = (
  folder: string,
): readonly { id: string; effect_id: string; part: number; payload: JsonObject }[] => {
  try {
    return readFileSync(join(folder, 'outbox.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  } catch {
    return [];
  }
};
const speak = (folder: string, ...lines: readonly object[]): void =>
  appendFileSync(join(folder, 'inbox.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
const pass = async (clock: ManualClock): Promise<void> => {
  await clock.advance(50);
  await settle();
};

/** The clock stands still for the inbox unless it is told to go on; reading files takes real time as well. */
const passUntil = (clock: ManualClock, isDone: () => boolean, what: string): Promise<void> =>
  until(async () => {
    await pass(clock);
    return isDone();
  }, what);

for (const dropsRepeats of [true, false]) {
  connectorConformance(
    `memory in a folder, dropsRepeats ${dropsRepeats}`,
    { arrives: true, breaks: true, speaks: true },
    async () => {
      const folder = newFolder();
      const clock = manualClock();
      return {
        connector: folderConnector({ folder, clock, limitChars: 1_000, dropsRepeats }),
        address: 'general',
        limitChars: 1_000,
        arrived: () => outbox(folder).map(({ payload }) => payload),
        breakNext: (kind, doesArrive) =>
          writeFileSync(join(folder, 'fault.json'), JSON.stringify({ kind, doesArrive })),
        speak: (text, id) => speak(folder, { id, channel: 'general', sender: 'u1', text }),
        pass: () => pass(clock),
      };
    },
  );
}

const target = (effectId: string, part = 0) => ({
  sink: { connector: 'memory', account: 'demo', address: 'general' },
  effectId,
  part,
});
const payload = { channel: 'general', text: 'x' };
const never = new AbortController().signal;

describe('memory chat in a folder', () => {
  test('another process knows what left, and closes a torn line', async () => {
    const folder = newFolder();
    const options = { folder, clock: manualClock() };
    await folderConnector(options).deliver(payload, target('efct_1'), never);
    appendFileSync(join(folder, 'outbox.jsonl'), '{"id":"m2","addr');
    const second = folderConnector(options);
    expect(await second.reconcile(payload, target('efct_1'), never)).toEqual({
      kind: 'sent',
      receipt: { externalId: 'm1' },
    });
    expect(await second.reconcile(payload, target('efct_2'), never)).toEqual({ kind: 'not-sent' });
    await second.deliver(payload, target('efct_1'), never);
    await second.deliver(payload, target('efct_2'), never);
    const lines = readFileSync(join(folder, 'outbox.jsonl'), 'utf8').split('\n');
    expect(
      lines.filter((line) => line.includes('"effect_id":"efct_')).map((line) => JSON.parse(line).effect_id),
    ).toEqual(['efct_1', 'efct_2']);
  });

  test('another process goes on where the last one stopped; what was not accepted comes again', async () => {
    const folder = newFolder();
    const clock = manualClock();
    speak(
      folder,
      { id: '1', channel: 'c', sender: 'u', text: 'one' },
      { id: '2', channel: 'c', sender: 'u', text: 'two' },
    );
    const first: string[] = [];
    const dying = folderConnector({ folder, clock });
    const hang = Promise.withResolvers<void>();
    await dying.start(async (event) => {
      first.push(event.externalId);
      if (event.externalId === '2') await hang.promise;
    });
    await passUntil(clock, () => first.length === 2, 'both were offered');
    // The first process is gone without a word: nobody acknowledged the second event.
    const second: string[] = [];
    const next = folderConnector({ folder, clock });
    await next.start(async (event) => void second.push(event.externalId));
    await passUntil(clock, () => second.length === 1, 'the second event came again');
    expect(second).toEqual(['2']);
    await next.stop();
    hang.resolve();
    await dying.stop();
  });

  test('half a line waits for its rest, a line that cannot be read is left out and logged', async () => {
    const folder = newFolder();
    const clock = manualClock();
    const log = recordingLogger();
    const heard: InboundEvent[] = [];
    const chat = folderConnector({ folder, clock, log });
    await chat.start(async (event) => void heard.push(event));
    appendFileSync(
      join(folder, 'inbox.jsonl'),
      'no json\n{"channel":"c"}\n\n{"id":"9","channel":"c","sender":"u","te',
    );
    await passUntil(clock, () => log.lines.length === 2, 'both lines were logged');
    expect(heard).toEqual([]);
    appendFileSync(
      join(folder, 'inbox.jsonl'),
      'xt":"gr\u00fc\u00df","channel_kind":"direct","button":"b1","message":"m7","replies_to":"m8","name":"Ada"}\n',
    );
    await passUntil(clock, () => heard.length === 1, 'the line came whole');
    expect(heard[0]).toMatchObject({
      externalId: '9',
      text: 'gr\u00fc\u00df',
      kind: 'button',
      buttonId: 'b1',
      message: 'm7',
      repliesTo: 'm8',
      channel: { kind: 'direct' },
      sender: { displayName: 'Ada' },
    });
    await chat.stop();
  });

  test('a lasting refusal does not hold back what comes after it', async () => {
    const folder = newFolder();
    const clock = manualClock();
    const offered: string[] = [];
    const chat = folderConnector({ folder, clock, log: recordingLogger() });
    await chat.start(async (event) => {
      offered.push(event.externalId);
      if (event.externalId === '1') throw new Error('broken');
    });
    speak(folder, { id: '1', channel: 'c', sender: 'u' }, { id: '2', channel: 'c', sender: 'u' });
    await passUntil(clock, () => offered.length === 2, 'the second was offered');
    expect(offered).toEqual(['1', '2']);
    await chat.stop();
  });

  test('planned trouble counts down in its file', async () => {
    const folder = newFolder();
    const chat = folderConnector({ folder, clock: manualClock() });
    writeFileSync(join(folder, 'fault.json'), JSON.stringify({ kind: 'unavailable', times: 2 }));
    for (let time = 0; time < 2; time += 1)
      await expect(chat.deliver(payload, target('efct_1'), never)).rejects.toMatchObject({
        kind: 'unavailable',
      });
    await chat.deliver(payload, target('efct_1'), never);
    expect(outbox(folder)).toHaveLength(1);
  });

  test('an outbox that cannot be written is unavailable, not sent', async () => {
    const folder = newFolder();
    const chat = folderConnector({ folder, clock: manualClock() });
    await chat.reconcile(payload, target('efct_1'), never);
    rmSync(folder, { recursive: true });
    await expect(chat.deliver(payload, target('efct_1'), never)).rejects.toMatchObject({
      kind: 'unavailable',
    });
    expect(await chat.reconcile(payload, target('efct_1'), never)).toEqual({ kind: 'not-sent' });
  });

  test('a chat as unhelpful as its file says: it takes repeats, and nobody can ask what arrived', async () => {
    const folder = newFolder();
    writeFileSync(
      join(folder, 'chat.json'),
      JSON.stringify({ dropsRepeats: false, canReconcile: false, limitChars: 100 }),
    );
    const chat = folderConnector({ folder, clock: manualClock() });
    expect(chat.dropsRepeats).toBe(false);
    for (let time = 0; time < 2; time += 1) await chat.deliver(payload, target('efct_1'), never);
    expect(outbox(folder)).toHaveLength(2);
    expect(await chat.reconcile(payload, target('efct_1'), never)).toEqual({ kind: 'unknown' });
    const draft = { text: 'word '.repeat(60) };
    expect(chat.render(draft, { address: 'c', effectId: 'e', nowMs: 0 }).length).toBeGreaterThan(2);
    writeFileSync(join(folder, 'chat.json'), '{"drops_repeats":false}');
    expect(() => folderConnector({ folder, clock: manualClock() })).toThrow();
  });
});
