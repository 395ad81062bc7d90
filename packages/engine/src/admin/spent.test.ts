import { beforeEach, expect, test } from 'vitest';
import { BOSS, must, signed, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';
import { type AdminWorld, addPeople, SOCKET, STRANGER, useAdmin } from './admin.fixture.ts';
import { ADMIN } from './index.ts';

const at = useAdmin();
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);

beforeEach(async () => addPeople(at.admin));

test('adds up today’s tokens and money by model, as far as they are for the asker', async () => {
  const { world } = at.admin;
  const { deps } = world;
  const spend = async (place: string, route: string, tokens: number, costUsdMicros: number, atMs: number) => {
    const { run } = await at.admin.finished(BOSS, { in: place });
    const entry = { workspace: WORKSPACE, sender: 'user:x', run: run.id, route, tokens, costUsdMicros };
    await deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('ledger_entry', { ...entry, id: deps.ids.make('entry'), state: 'settled', at: atMs }),
    );
  };
  const now = deps.clock.nowMs();
  const priced = { ...must(at.admin.deps.routes[0]), inputUsdMicrosPerMTok: 1 };
  const read = async (actor: Parameters<typeof ask>[1], routes = [priced]) => {
    const status = await ADMIN['status.read']({ ...at.admin.deps, routes }, actor, {});
    return [status.cost_today_usd_micros, status.spent_today];
  };
  // Nothing has a price: no sum, for it would say that it was free.
  expect(await read(SOCKET, [])).toEqual([undefined, []]);
  expect(await read(SOCKET)).toEqual([0, []]);
  await spend('ops', 'big', 100, 5_000, now);
  await spend('news', 'big', 20, 700, now);
  await spend('news', 'old', 500, 0, now);
  await spend('ops', 'big', 9_999, 9_999, now - 86_400_000);
  const all = [
    { model: 'old', tokens: 500, cost_usd_micros: undefined },
    { model: 'big', tokens: 120, cost_usd_micros: 5_700 },
  ];
  expect(await read(SOCKET)).toEqual([5_700, all]);
  await world.grant(STRANGER, 'member', { kind: 'context', workspace: WORKSPACE, context: 'ops' });
  expect(await read(signed(STRANGER))).toEqual([
    5_000,
    [{ model: 'big', tokens: 100, cost_usd_micros: 5_000 }],
  ]);
  // The price left the settings; what was booked with it stays.
  expect(await read(SOCKET, [])).toEqual([5_700, all]);
});
