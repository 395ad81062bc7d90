import type { StoreTx } from '@agent-runtime/domain';
import { crashPoints } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { codeOf, draft, openFixture, userRow } from '../../bench/fixtures.ts';

const actions = async (open: Awaited<ReturnType<typeof openFixture>>) =>
  (await open.audit.tail(50)).map((event) => event.action).reverse();

describe('commit', () => {
  test('writes rows and audit together, and gives the value of the body', async () => {
    const open = await openFixture();
    const value = await open.store.commit([draft('user.add'), draft('user.greet')], async (tx) => {
      await tx.insert('identity_user', userRow('ann'));
      tx.audit(draft('user.found'));
      return 41 + 1;
    });
    expect(value).toBe(42);
    expect(await open.store.read.get('identity_user', { name: 'ann' })).toEqual(userRow('ann'));
    expect(await actions(open)).toEqual(['boot.open', 'user.add', 'user.greet', 'user.found']);
  });

  test('a body that throws leaves neither rows nor audit nor a gap in the numbers', async () => {
    const open = await openFixture();
    const failing = open.store.commit(draft('user.add'), async (tx) => {
      await tx.insert('identity_user', userRow('ann'));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await open.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('bob')));
    expect(await open.store.read.find('identity_user', {})).toEqual([userRow('bob')]);
    expect((await open.audit.tail(10)).map(({ seq }) => seq)).toEqual([2, 1]);
    expect((await open.audit.verify()).isIntact).toBe(true);
  });

  test('when its second record cannot be written the first leaves no gap for those who share the transaction', async () => {
    const open = await openFixture();
    const broken = draft('user.break', { data: { value: Number.NaN } });
    const results = await Promise.allSettled([
      open.store.commit([draft('user.add'), broken], async () => undefined),
      open.store.commit(draft('user.greet'), async () => undefined),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(await open.audit.verify()).toMatchObject({ isIntact: true, count: 2 });
  });

  test('one failing body among many takes back only its own writes', async () => {
    const open = await openFixture();
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, at) =>
        open.store.commit(draft('user.add', { subject: `n${at}` }), async (tx) => {
          await tx.insert('identity_user', userRow(`u${at}`));
          if (at % 3 === 1) throw new Error(`refused ${at}`);
          return at;
        }),
      ),
    );
    const kept = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(kept).toEqual(Array.from({ length: 40 }, (_, at) => at).filter((at) => at % 3 !== 1));
    const names = (await open.store.read.find('identity_user', {})).map(({ name }) => name);
    expect(names).toEqual(kept.map((at) => `u${at}`));
    expect(await open.audit.verify()).toMatchObject({ isIntact: true, count: 1 + kept.length });
  });

  test('commits of one turn share a transaction; readers see it only as a whole', async () => {
    const open = await openFixture();
    const seenInside: number[] = [];
    const seenOutside: number[] = [];
    const add = (name: string) =>
      open.store.commit(draft('user.add'), async (tx) => {
        seenInside.push(await tx.count('identity_user', {}));
        seenOutside.push(await open.store.read.count('identity_user', {}));
        await tx.insert('identity_user', userRow(name));
      });
    await Promise.all(['a', 'b', 'c'].map(add));
    expect(seenInside).toEqual([0, 1, 2]);
    expect(seenOutside).toEqual([0, 0, 0]);
    expect(await open.store.read.count('identity_user', {})).toBe(3);
  });

  test('bodies run one after another, also when one waits for something outside', async () => {
    const open = await openFixture();
    const order: string[] = [];
    await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        open.store.commit(draft('user.add'), async () => {
          order.push(`${name} in`);
          await new Promise((resolve) => setImmediate(resolve));
          await new Promise((resolve) => setImmediate(resolve));
          order.push(`${name} out`);
        }),
      ),
    );
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
  });

  test('a commit inside a body is refused instead of waiting for itself for ever', async () => {
    const open = await openFixture();
    const outer = open.store.commit(draft('user.add'), async () => {
      await open.store.commit(draft('user.add'), async () => undefined);
    });
    expect(await codeOf(outer)).toBe('database.nested.bug');
    expect(
      await codeOf(open.store.commit(draft('user.add'), async () => open.journal.cancel('x', 'because'))),
    ).toBe('database.nested.bug');
  });

  test('what a body starts and does not wait for may commit once the body is over', async () => {
    const open = await openFixture();
    let later: Promise<unknown> = Promise.resolve();
    await open.store.commit(draft('user.add'), async () => {
      later = new Promise((resolve) => setTimeout(resolve, 1)).then(() =>
        open.store.commit(draft('user.later'), async () => undefined),
      );
    });
    await later;
    expect(await actions(open)).toEqual(['boot.open', 'user.add', 'user.later']);
  });

  test('a transaction that is used after its body is refused', async () => {
    const open = await openFixture();
    const kept: StoreTx[] = [];
    await open.store.commit(draft('user.add'), async (tx) => void kept.push(tx));
    const [tx] = kept;
    if (tx === undefined) throw new Error('the body did not run');
    expect(await codeOf(tx.insert('identity_user', userRow('late')))).toBe('database.transaction.bug');
    expect(await codeOf(tx.get('identity_user', {}))).toBe('database.transaction.bug');
    expect(() => tx.audit(draft('user.late'))).toThrow(/after its end/);
  });

  test('a body that never ends is taken back after its time, and others go on', async () => {
    const open = await openFixture({ config: { bodyTimeoutMs: 1_000 } });
    const stuck = codeOf(
      open.store.commit(draft('user.stuck'), async (tx) => {
        await tx.insert('identity_user', userRow('stuck'));
        await new Promise(() => undefined);
      }),
    );
    while (open.clock.sleeping === 0) await open.clock.settle();
    const next = open.store.commit(draft('user.add'), async (tx) =>
      tx.insert('identity_user', userRow('ann')),
    );
    await open.clock.advance(1_000);
    expect(await stuck).toBe('database.body.bug');
    await next;
    expect(await open.store.read.find('identity_user', {})).toEqual([userRow('ann')]);
    expect(open.log.dump()).toContain('user.stuck');
  });

  test('after close nothing is written', async () => {
    const open = await openFixture();
    await open.close();
    expect(await codeOf(open.store.commit(draft('user.add'), async () => undefined))).toBe(
      'database.closed.unavailable',
    );
  });
});

describe('crash points', () => {
  test('before: nothing was written · after: everything was, though the caller never heard', async () => {
    for (const [point, users] of [
      ['commit.before:user.add', 0],
      ['commit.after:user.add', 1],
    ] as const) {
      const crash = crashPoints.throwAt(point);
      const open = await openFixture({ crash });
      const dying = open.store.commit(draft('user.add'), async (tx) =>
        tx.insert('identity_user', userRow('ann')),
      );
      await expect(dying).rejects.toThrow(point);
      await open.close();
      const again = await openFixture({ dataDir: open.dataDir });
      expect(await again.store.read.count('identity_user', {})).toBe(users);
      expect((await again.audit.verify()).isIntact).toBe(true);
    }
  });

  test('each commit passes both, named by its first action', async () => {
    const crash = crashPoints.record();
    const open = await openFixture({ crash });
    await open.store.commit([draft('user.add'), draft('user.greet')], async () => undefined);
    expect(crash.reached).toEqual([
      'commit.before:boot.open',
      'commit.after:boot.open',
      'commit.before:audit.checkpoint',
      'commit.after:audit.checkpoint',
      'commit.before:user.add',
      'commit.after:user.add',
    ]);
  });
});

test('a sequence counts from 1 without holes, also over failures', async () => {
  const open = await openFixture();
  const next = (fails: boolean) =>
    open.store
      .commit(draft('message.add'), async (tx) => {
        const number = await tx.next('message');
        if (fails) throw new Error('no');
        return number;
      })
      .catch(() => 'failed');
  expect(await Promise.all([next(false), next(true), next(false)])).toEqual([1, 'failed', 2]);
});
