import type { WorkspaceId } from '@agent-runtime/domain';
import { expect, test } from 'vitest';
import { draft, ledgerRow, openFixture } from '../../bench/fixtures.ts';

const other = 'other' as WorkspaceId; // safe: a slug

test('reserved counts like settled, released counts nothing; by workspace, sender and time', async () => {
  const open = await openFixture();
  await open.store.commit(draft('ledger.reserve'), async (tx) => {
    await tx.insert('ledger_entry', ledgerRow('1', { tokens: 1 }));
    await tx.insert('ledger_entry', ledgerRow('2', { tokens: 2, state: 'reserved' }));
    await tx.insert('ledger_entry', ledgerRow('3', { tokens: 4, state: 'released' }));
    await tx.insert('ledger_entry', ledgerRow('4', { tokens: 8, at: 999 }));
    await tx.insert('ledger_entry', ledgerRow('5', { tokens: 16, workspace: other }));
    await tx.insert('ledger_entry', ledgerRow('6', { tokens: 32, sender: 'user_b' }));
    expect(await tx.tokensSpent({ sinceMs: 0, sender: 'user_b' })).toBe(32);
  });
  const workspace = ledgerRow('x').workspace;
  const spent = open.store.read.tokensSpent;
  expect(await spent({ sinceMs: 1_000 })).toBe(51);
  expect(await spent({ sinceMs: 0 })).toBe(59);
  expect(await spent({ sinceMs: 1_000, workspace })).toBe(35);
  expect(await spent({ sinceMs: 1_000, sender: 'user_a' })).toBe(19);
  expect(await spent({ sinceMs: 1_000, workspace, sender: 'user_a' })).toBe(3);
  expect(await spent({ sinceMs: 2_000 })).toBe(0);
});

test('tokens and cost are added up by route, under the same rule', async () => {
  const open = await openFixture();
  await open.store.commit(draft('ledger.reserve'), async (tx) => {
    await tx.insert('ledger_entry', ledgerRow('1', { route: 'big', tokens: 1, costUsdMicros: 100 }));
    await tx.insert(
      'ledger_entry',
      ledgerRow('2', { route: 'big', tokens: 2, costUsdMicros: 200, state: 'reserved' }),
    );
    await tx.insert(
      'ledger_entry',
      ledgerRow('3', { route: 'big', tokens: 4, costUsdMicros: 400, state: 'released' }),
    );
    await tx.insert('ledger_entry', ledgerRow('4', { route: 'big', tokens: 8, costUsdMicros: 800, at: 999 }));
    await tx.insert('ledger_entry', ledgerRow('5', { route: 'a', tokens: 16, costUsdMicros: 0 }));
    await tx.insert(
      'ledger_entry',
      ledgerRow('6', { route: 'a', tokens: 32, costUsdMicros: 7, workspace: other }),
    );
  });
  const { spentByRoute } = open.store.read;
  expect(await spentByRoute({ sinceMs: 1_000 })).toEqual([
    { route: 'a', tokens: 48, costUsdMicros: 7 },
    { route: 'big', tokens: 3, costUsdMicros: 300 },
  ]);
  expect(await spentByRoute({ sinceMs: 1_000, workspace: other })).toEqual([
    { route: 'a', tokens: 32, costUsdMicros: 7 },
  ]);
  expect(await spentByRoute({ sinceMs: 5_000 })).toEqual([]);
});

test('reservations of a dead process are released at the next start, with a record', async () => {
  const open = await openFixture();
  await open.store.commit(draft('ledger.reserve'), async (tx) => {
    await tx.insert('ledger_entry', ledgerRow('1', { state: 'reserved', tokens: 5 }));
    await tx.insert('ledger_entry', ledgerRow('2', { state: 'reserved', tokens: 7 }));
    await tx.insert('ledger_entry', ledgerRow('3', { tokens: 11 }));
  });
  await open.close();
  const again = await openFixture({ dataDir: open.dataDir });
  expect(await again.store.read.tokensSpent({ sinceMs: 0 })).toBe(11);
  expect((await again.store.read.find('ledger_entry', {})).map(({ state }) => state)).toEqual([
    'released',
    'released',
    'settled',
  ]);
  expect((await again.audit.tail(1))[0]).toMatchObject({
    action: 'ledger.release',
    data: { count: 2, tokens: 12 },
  });
  await again.close();
  const third = await openFixture({ dataDir: open.dataDir });
  expect((await third.audit.tail(1))[0]?.action).toBe('boot.open');
});
