import { expect, test } from 'vitest';
import { DOORS, doorConnectors } from './doors.ts';

test('the doors without a platform hand nothing over', async () => {
  const connectors = doorConnectors();
  expect(connectors.map(({ name, account }) => ({ connector: name, account }))).toEqual([
    DOORS.http,
    DOORS.cli,
  ]);
  for (const one of connectors) {
    expect(one.delivery).toBe('pull');
    const context = { address: 'a', effectId: 'efct_1', nowMs: 0 };
    expect(one.render({ text: 'hello' }, context)).toEqual([{ channel: 'a', text: 'hello' }]);
    const to = {
      sink: { connector: one.name, account: one.account, address: 'a' },
      effectId: 'efct_1',
      part: 0,
    };
    const signal = new AbortController().signal;
    await expect(one.deliver({ text: 'hello' }, to, signal)).rejects.toMatchObject({ kind: 'rejected' });
    expect(await one.reconcile({ text: 'hello' }, to, signal)).toEqual({ kind: 'unknown' });
  }
});
