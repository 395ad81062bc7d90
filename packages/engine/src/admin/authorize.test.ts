import { readdirSync, readFileSync } from 'node:fs';
import { ADMIN_ROUTES, type AuditDraft, type Store, type StoreTx } from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { BOSS, signed } from '../settle/world.fixture.ts';
import { type AdminWorld, addPeople, SOCKET, useAdmin } from './admin.fixture.ts';
import { ADMIN } from './index.ts';

const at = useAdmin();
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);

beforeEach(async () => addPeople(at.admin));

/** A store that lets something happen between the first look and the write. */
function interrupted(store: Store, before: () => Promise<void>): Store {
  let isArmed = true;
  const commit = async <T>(
    audit: AuditDraft | readonly [AuditDraft, ...AuditDraft[]],
    body: (tx: StoreTx) => Promise<T>,
  ): Promise<T> => {
    if (isArmed) {
      isArmed = false;
      await before();
    }
    return store.commit(audit, body);
  };
  return { read: store.read, epoch: store.epoch, commit };
}

describe('change', () => {
  test.each([
    ['user.add', { name: 'ada' }],
    ['workspace.create', { id: 'garden' }],
    ['token.create', { name: 'site' }],
    ['context.set', { id: 'ops', title: 'x' }],
    ['secret.set', { name: 'A_KEY', value: 'x' }],
    ['grant.add', { user: 'mia', role: 'viewer', scope: '*' }],
  ] as const)('%s: a role that was taken away a moment ago no longer helps', async (name, input) => {
    const { store } = at.admin.world.deps;
    Object.assign(at.admin.deps, { store: interrupted(store, () => at.admin.world.ungrant(BOSS)) });
    const before = await at.admin.world.deps.audit.head();
    await expect(ask(name, signed(BOSS), input)).rejects.toMatchObject({ code: 'policy.admin.denied' });
    const events = (await at.admin.world.deps.audit.tail(20)).filter((event) => event.seq > before.seq);
    expect(events.map((event) => event.action)).toEqual(['test.change']); // the taking away, and nothing else
    expect(at.admin.secrets.size).toBe(0);
  });

  test('keeps the signature that ordered it', async () => {
    const proof = { keyId: 'k', signature: 's', signed: 'the request' };
    const row = await ask('user.add', { ...signed(BOSS), proof }, { name: 'ada' });
    const [event] = await at.admin.world.deps.audit.tail(1, { subject: row.id });
    expect(event?.data).toMatchObject({ proof, via: 'signed', decision: 'permit' });
  });

  test('a refusal stays a refusal when the log cannot be written', async () => {
    const { store } = at.admin.world.deps;
    const broken = interrupted(store, async () => {
      throw new Error('disk full');
    });
    Object.assign(at.admin.deps, { store: broken });
    await expect(ask('user.add', SOCKET, { name: 'ada' })).rejects.toMatchObject({
      code: 'policy.admin.denied',
    });
  });
});

describe('the table', () => {
  test('has a handler for every route, and none besides', () => {
    expect(Object.keys(ADMIN).sort()).toEqual(Object.keys(ADMIN_ROUTES).sort());
  });

  test('no handler writes around `change`, the file port or the two refusal paths', () => {
    const folder = new URL('./', import.meta.url);
    const direct = readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(name))
      .filter((name) => readFileSync(new URL(name, folder), 'utf8').includes('store.commit('));
    // authorize.ts is where `change` lives; ask.ts makes the context of the command line, decided by task.create.
    // held.ts hands on the commits of all others, with what is held over their reads.
    expect(direct.sort()).toEqual(['ask.ts', 'authorize.ts', 'held.ts']);
  });
});
