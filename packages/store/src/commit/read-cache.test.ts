import { crashPoints } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { behindItsBack, draft, openFixture, userId, userRow } from '../../bench/fixtures.ts';
import { makeReadCache } from './read-cache.ts';

const ann = { id: userId('ann') };

describe('what is known of quiet tables', () => {
  test('is not asked of the file again', async () => {
    const open = await openFixture();
    await open.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('ann')));
    const first = await open.store.read.get('identity_user', ann);
    behindItsBack(open.paths.database, (file) =>
      file.exec("update identity_user set display_name = 'behind'"),
    );
    expect(await open.store.read.get('identity_user', ann)).toBe(first);
    await open.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('bob')));
    expect(await open.store.read.get('identity_user', ann)).toMatchObject({ displayName: 'behind' });
  });

  test('ends with each kind of write, and an answer of nothing does as well', async () => {
    const open = await openFixture();
    const { read, commit } = open.store;
    const names = async () => (await read.find('identity_user', {})).map(({ displayName }) => displayName);
    expect([await read.get('identity_user', ann), await names()]).toEqual([undefined, []]);
    await commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('ann')));
    expect([(await read.get('identity_user', ann))?.displayName, await names()]).toEqual(['ANN', ['ANN']]);
    await commit(draft('user.set'), async (tx) => tx.update('identity_user', ann, { displayName: 'Anna' }));
    expect([(await read.get('identity_user', ann))?.displayName, await names()]).toEqual(['Anna', ['Anna']]);
    await commit(draft('user.rm'), async (tx) => tx.remove('identity_user', ann));
    expect([await read.get('identity_user', ann), await names()]).toEqual([undefined, []]);
  });

  test('a body sees its own writes, everybody else what is committed', async () => {
    const open = await openFixture();
    await open.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('ann')));
    const seen: unknown[] = [];
    const look = async (reader: Pick<typeof open.store.read, 'get'>) =>
      seen.push((await reader.get('identity_user', ann))?.displayName);
    await open.store.commit(draft('user.set'), async (tx) => {
      await look(tx);
      await tx.update('identity_user', ann, { displayName: 'Anna' });
      await look(tx);
      await look(open.store.read);
      await look(tx);
    });
    await look(open.store.read);
    expect(seen).toEqual(['ANN', 'Anna', 'ANN', 'Anna', 'Anna']);
  });

  test('ends for good when another process has taken over the file', async () => {
    const open = await openFixture();
    await open.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('ann')));
    const name = async () => (await open.store.read.get('identity_user', ann))?.displayName;
    const change = (to: string) =>
      behindItsBack(open.paths.database, (file) =>
        file.exec(
          `update identity_user set display_name = '${to}'; update database_boot set epoch = epoch + 1`,
        ),
      );
    expect(await name()).toBe('ANN');
    change('behind');
    await expect(
      open.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('bob'))),
    ).rejects.toMatchObject({ code: 'database.epoch.conflict' });
    expect(await name()).toBe('behind');
    change('again');
    expect(await name()).toBe('again');
  });

  test.each(['the body throws', 'the process meets its crash point'])(
    'what was taken back is not remembered: %s',
    async (how) => {
      const crash = crashPoints.throwAt('commit.before:user.set');
      const open = await openFixture(how.startsWith('the process') ? { crash } : {});
      await open.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('ann')));
      const failing = open.store.commit(draft('user.set'), async (tx) => {
        await tx.update('identity_user', ann, { displayName: 'Anna' });
        await tx.get('identity_user', ann);
        if (!how.startsWith('the process')) throw new Error('no');
      });
      await expect(failing).rejects.toThrow();
      expect(await open.store.read.get('identity_user', ann)).toEqual(userRow('ann'));
    },
  );

  test('many questions of strangers do not pile up: all are forgotten, and asked again', () => {
    const cache = makeReadCache();
    let asked = 0;
    const ask = (question: string) => cache.answer('identity_link', question, () => (asked += 1));
    ask('first');
    ask('first');
    for (let at = 0; at < 1_000; at += 1) ask(`stranger ${at}`);
    expect(asked).toBe(1_001);
    ask('first');
    expect(asked).toBe(1_002);
  });
});
