import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAIRING_LIFETIME_MS } from '@agent-runtime/domain';
import { until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBooks, violations } from './invariants.fixture.ts';
import { type Ended, type Home, MORTAL, newHome, type Running } from './journey.fixture.ts';

/** The runtime's program with a wall clock that can be set ahead. */
const CODE = /(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}/;
const LIMIT_MS = 60_000;

describe('pairing', { timeout: 300_000 }, () => {
  let home: Home;
  let runtime: Running;
  let crash: string;
  let said = 0;
  const codes: string[] = [];
  const logs: string[] = [];
  beforeAll(async () => {
    home = newHome({}, MORTAL);
    crash = join(home.folder, 'crash');
    for (const folder of [crash, join(home.folder, 'chat')]) mkdirSync(folder, { recursive: true });
    runtime = await home.start({ CRASH_DIR: crash });
  }, 300_000);
  afterAll(() => home.remove());

  /** Somebody says something in a direct talk. @returns the next text that arrives there */
  const dm = async (text: string, talk = 'talk-9', sender = 'u-4711'): Promise<string> => {
    const before = home.chat.textsIn(talk).length;
    said += 1;
    const line = { id: `p${said}`, channel: talk, channel_kind: 'direct', sender, text, name: 'Ada' };
    writeFileSync(join(home.folder, 'chat', 'inbox.jsonl'), `${JSON.stringify(line)}\n`, { flag: 'a' });
    await until(() => home.chat.textsIn(talk).length > before, `an answer to ${text}`, LIMIT_MS);
    return home.chat.textsIn(talk)[before] ?? '';
  };
  const pair = async (talk?: string, sender?: string): Promise<string> => {
    const code = CODE.exec(await dm('pair', talk, sender))?.[0] ?? 'none';
    codes.push(code);
    return code;
  };
  const approve = (code: string, ...more: readonly string[]): Promise<Ended> =>
    home.cli(
      [
        'pair',
        'approve',
        code,
        '--user',
        'ada',
        '--role',
        'member',
        '--scope',
        'ws:community',
        '--json',
      ].concat(more),
    );
  const errorOf = (ended: Ended): string => ended.json<{ error: { code: string } }>().error.code;

  test('a stranger hears how, asks, is approved at the command line, and is answered', async () => {
    // Somebody else: these words are said once a minute to each, and this one will hear them when they are unlinked.
    expect(await dm('When do you open?', 'talk-3', 'u-3')).toContain('Send the direct message "pair"');
    const code = await pair();
    expect((await home.cli(['pair', 'list', '--json'])).json()).toMatchObject({
      items: [{ connector: 'memory', external_id: 'u-4711', display_name: 'Ada' }],
    });
    expect((await home.cli(['pair', 'show', code])).out).toContain('memory u-4711 (Ada)');
    const before = home.chat.textsIn('talk-9').length;
    const approved = await approve(code, '--create-user');
    expect(approved.json()).toMatchObject({ connector: 'memory', external_id: 'u-4711', user: 'ada' });
    await until(() => home.chat.textsIn('talk-9').length > before, 'the notice', LIMIT_MS);
    expect(home.chat.textsIn('talk-9').at(-1)).toBe('You are paired as ada.');
    expect(await dm('/whoami')).toContain('You are ada, member in private-ada/');
    const books = openBooks(home.dataDir);
    await dm('ping');
    expect(
      books.rows(`select 1 from run where workspace = 'private-ada' and state = 'succeeded'`),
    ).toHaveLength(1);
    books.close();
    expect(await dm('pair')).toBe('You are paired as ada.');
  });

  test('a code is used once', async () => {
    const again = await approve(codes[0] ?? '');
    expect(again.code).toBe(5);
    expect(errorOf(again)).toBe('identity.code.missing');
  });

  test('unlinked, the next message is refused, and nothing of the private workspace is said', async () => {
    const { items } = (await home.cli(['identity', 'list', '--json'])).json<{ items: { id: string }[] }>();
    const unlinked = await home.cli(['identity', 'unlink', items[0]?.id ?? '', '--json']);
    expect(unlinked.code).toBe(0);
    expect(await dm('/whoami')).toContain('You are not paired here');
  });

  test('a code that is over is refused like a wrong one', async () => {
    const code = await pair('talk-8', 'u-8');
    logs.push(runtime.log());
    await runtime.stop();
    writeFileSync(join(crash, 'ahead'), String(PAIRING_LIFETIME_MS));
    runtime = await home.start({ CRASH_DIR: crash }, ['up', '--json']);
    const over = await approve(code);
    const wrong = await approve('0000-0000-0000-0000-0000-0000-0000');
    expect([over.code, over.json()]).toEqual([wrong.code, wrong.json()]);
    expect((await home.cli(['pair', 'list', '--json'])).json()).toEqual({ items: [] });
  });

  test('a second account of the same person, sent away and asking again', async () => {
    await pair('talk-7', 'u-7');
    const { items } = (await home.cli(['pair', 'list', '--json'])).json<{ items: { id: string }[] }>();
    expect((await home.cli(['pair', 'deny', items[0]?.id ?? ''])).out).toContain('memory u-7 (Ada)');
    expect(errorOf(await approve(codes.at(-1) ?? ''))).toBe('identity.code.missing');
    const linked = await approve(await pair('talk-7', 'u-7'));
    expect(linked.json()).toMatchObject({ external_id: 'u-7', user: 'ada' });
  });

  test('no code is in any file under data, nor in the log; every message left after its decision', async () => {
    logs.push(runtime.log());
    await runtime.stop();
    expect(codes).toHaveLength(4);
    const files = readdirSync(home.dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    const kept = [...files, ...logs].map((text) => text.toUpperCase().replaceAll('-', ''));
    // The search finds what is kept.
    expect(kept.some((text) => text.includes('U4711'))).toBe(true);
    for (const code of codes) {
      expect(code).toMatch(CODE);
      expect(kept.filter((text) => text.includes(code.replaceAll('-', '')))).toEqual([]);
    }
    const books = openBooks(home.dataDir);
    const witness = { dataDir: home.dataDir, received: home.chat.delivered(), accepted: [] };
    expect(violations(books, witness)).toEqual([]);
    books.close();
  });
});
