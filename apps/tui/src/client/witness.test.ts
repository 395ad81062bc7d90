import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, EXTENSION_LINKS, extendHead, GENESIS, sha256 } from '@agent-runtime/domain';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AdminClient } from './client.ts';
import { newKeys } from './new-keys.ts';
import { type FakeLog, fakeLog, memoryWitnesses } from './witness.fixture.ts';
import { checkExtension, compareLogs, type ExtensionInput } from './witness.ts';
import { witnessStore } from './witness-store.ts';

const CONFLICT = expect.objectContaining({ code: 'tui.log.conflict', kind: 'conflict' });

/** A machine and the server that it talks to. */
function machine(
  log: FakeLog,
  witnesses = memoryWitnesses(),
): ExtensionInput & {
  readonly witnesses: ReturnType<typeof memoryWitnesses>;
} {
  const call = async (_name: string, input: object) => log.answer(input);
  const client = { call: call as AdminClient['call'], instanceId: async () => 'instance-1' }; // safe: asked for this route alone
  return { client, witnesses };
}

describe('a log', () => {
  test('is taken as it is at first, and must go on from there', async () => {
    const log = fakeLog();
    const here = machine(log);
    expect(await checkExtension(here)).toEqual(log.head());
    log.add(3);
    expect(await checkExtension(here)).toEqual(log.head());
    expect(here.witnesses.kept.get('instance-1')?.checkpoint).toMatchObject(log.head());
    expect(await checkExtension(here)).toEqual(log.head());
  });

  test('that grew by more than one answer holds is followed page by page', async () => {
    const log = fakeLog();
    const here = machine(log);
    await checkExtension(here);
    log.add(2 * EXTENSION_LINKS + 1);
    const before = log.pages();
    expect((await checkExtension(here)).seq).toBe(2 * EXTENSION_LINKS + 8);
    expect(log.pages() - before).toBe(3);
  });

  test.each<readonly [string, (log: FakeLog) => void]>([
    ['was cut off', (log) => log.rewrite(6, 0)],
    ['was cut off and went on differently', (log) => log.rewrite(6, 5)],
    ['was rewritten at the head', (log) => log.rewrite(6, 1)],
    ['was rewritten in the middle', (log) => log.rewrite(2, 5)],
    ['was rewritten in the middle and went on', (log) => log.rewrite(2, 14)],
    ['starts anew', (log) => log.rewrite(0, 20)],
    ['is signed by another key', (log) => log.changeKey()],
  ])('that %s is refused, again and again, and what was seen stays', async (_name, change) => {
    const log = fakeLog();
    const here = machine(log);
    await checkExtension(here);
    const seen = here.witnesses.kept.get('instance-1');
    change(log);
    await expect(checkExtension(here)).rejects.toEqual(CONFLICT);
    await expect(checkExtension(here)).rejects.toEqual(CONFLICT);
    expect(here.witnesses.kept.get('instance-1')).toEqual(seen);
    expect(await compareLogs(here)).toMatchObject({ known: seen, isExtension: false });
  });

  test.each<readonly [string, (page: ReturnType<FakeLog['answer']>) => object]>([
    ['a false signature', (page) => ({ checkpoint: { ...page.checkpoint, signature: 'AAAA' } })],
    ['another time', (page) => ({ checkpoint: { ...page.checkpoint, at: 1 } })],
    ['too few links', (page) => ({ links: page.links.slice(1) })],
    ['no links', () => ({ links: [] })],
    ['too many links', (page) => ({ links: [...page.links, sha256('one more')] })],
    ['links in another order', (page) => ({ links: [...page.links].reverse() })],
    ['a key that is none', () => ({ public_key: 'no key' })],
  ])('whose proof has %s is refused', async (_name, lie) => {
    const log = fakeLog();
    const here = machine(log);
    await checkExtension(here);
    log.add(4);
    const answer = log.answer;
    log.answer = (input) => ({ ...answer(input), ...lie(answer(input)) });
    await expect(checkExtension(here)).rejects.toEqual(CONFLICT);
  });

  test('a first head that nobody signed is refused too', async () => {
    const log = fakeLog();
    const here = machine(log);
    const answer = log.answer;
    log.answer = (input) => ({ ...answer(input), public_key: answer(input).public_key.replace('A', 'B') });
    await expect(checkExtension(here)).rejects.toEqual(CONFLICT);
    expect(here.witnesses.kept.size).toBe(0);
  });

  test('what another command saw meanwhile is not taken back', async () => {
    const log = fakeLog();
    const here = machine(log);
    await checkExtension(here);
    log.add(1);
    const pages = log.pages();
    const gate = Promise.withResolvers<void>();
    const call = async (_name: string, input: object) => {
      const page = log.answer(input);
      await gate.promise;
      return page;
    };
    const late = { ...here, client: { ...here.client, call: call as AdminClient['call'] } }; // safe: asked for this route alone
    const first = checkExtension(late);
    while (log.pages() === pages) await Promise.resolve();
    // While its answer is on the way, a second command comes further.
    log.add(5);
    expect((await checkExtension(here)).seq).toBe(13);
    gate.resolve();
    expect((await first).seq).toBe(8);
    expect(here.witnesses.kept.get('instance-1')?.checkpoint.seq).toBe(13);
  });

  test('links add up to the head of the same records', () => {
    const log = fakeLog();
    const half = extendHead({ seq: 0, hash: GENESIS }, log.links.slice(0, 3));
    expect(extendHead(half, log.links.slice(3))).toEqual(log.head());
  });
});

describe('client keys', () => {
  const row = (id: string) => ({ id, user: 'ada', name: 'laptop', created_at: '2026-11-21T14:03:00.000Z' });
  /** A machine whose server lists these keys; none: it may not look. */
  const listing = (ids: readonly string[] | undefined, witnesses = memoryWitnesses()) => {
    const call = async (): Promise<object> => {
      if (ids === undefined)
        throw new AppError({ code: 'policy.admin.denied', kind: 'denied', message: 'no' });
      return { items: ids.map(row) };
    };
    const client = { call: call as AdminClient['call'], instanceId: async () => 'instance-1' }; // safe: asked for this route alone
    return { client, witnesses };
  };

  test('that are new are told once; the first look only remembers', async () => {
    const { witnesses } = listing([]);
    const look = async (ids: readonly string[] | undefined) =>
      (await newKeys(listing(ids, witnesses))).map(({ id }) => id);
    expect(await look(undefined)).toEqual([]);
    expect(await look(['k1'])).toEqual([]);
    expect(await look(['k1', 'k2'])).toEqual(['k2']);
    expect(await look(['k1', 'k2'])).toEqual([]);
    expect(await look(undefined)).toEqual([]);
    expect(await look(['k3', 'k2'])).toEqual(['k3']);
  });

  test('are remembered on the disk, for the owner alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keys-'));
    const store = witnessStore(folder);
    expect(store.keysSeen('instance-1')).toBeUndefined();
    store.rememberKeys('instance-1', ['k1']);
    expect(store.keysSeen('instance-1')).toEqual(['k1']);
    const path = join(folder, 'instance-1', 'keys-seen.json');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, 'x');
    expect(store.keysSeen('instance-1')).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

describe('on the disk', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'witness-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const path = (): string => join(folder, 'instance-1', 'witness.json');

  test('is for its owner alone, one for each instance, and comes back as it went', async () => {
    const store = witnessStore(folder);
    const log = fakeLog();
    await checkExtension({ ...machine(log), witnesses: store });
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(store.read('instance-1')?.checkpoint).toMatchObject(log.head());
    expect(store.read('instance-2')).toBeUndefined();
    expect(() => store.read('../other')).toThrow(expect.objectContaining({ code: 'tui.instance.invalid' }));
  });

  test('a damaged one is never taken for none', async () => {
    const store = witnessStore(folder);
    const here = { ...machine(fakeLog()), witnesses: store };
    await checkExtension(here);
    writeFileSync(path(), '{"public_key":"x"}');
    await expect(checkExtension(here)).rejects.toMatchObject({ code: 'tui.witness.invalid' });
    expect(readFileSync(path(), 'utf8')).toBe('{"public_key":"x"}');
  });

  test('where nothing can be written, nothing is taken for seen', async () => {
    writeFileSync(join(folder, 'instance-1'), 'in the way');
    const here = { ...machine(fakeLog()), witnesses: witnessStore(folder) };
    await expect(checkExtension(here)).rejects.toMatchObject({ code: 'tui.witness.unavailable' });
  });

  test('replaced, it stays beside as evidence', async () => {
    const store = witnessStore(folder);
    const log = fakeLog();
    await checkExtension({ ...machine(log), witnesses: store });
    const old = readFileSync(path(), 'utf8');
    log.rewrite(0, 2);
    const { offered } = await compareLogs({ ...machine(log), witnesses: store });
    store.replace('instance-1', offered);
    expect(readFileSync(`${path()}.old`, 'utf8')).toBe(old);
    expect(store.read('instance-1')?.checkpoint.seq).toBe(2);
  });
});
