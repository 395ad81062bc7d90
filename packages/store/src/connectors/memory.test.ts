import { describe, expect, test } from 'vitest';
import { behindItsBack, openFixture } from '../../bench/fixtures.ts';

describe('what a connector keeps', () => {
  test('is found again by another process, by this account alone, and can be forgotten', async () => {
    const first = await openFixture();
    const { dataDir } = first;
    const memory = first.connectorMemory('discord:1');
    expect(await memory.get('token:9')).toBeUndefined();
    await memory.set('token:9', 'early');
    await memory.set('token:9', 'late');
    await first.connectorMemory('discord:2').set('token:9', 'of another');
    await first.close();
    const again = (await openFixture({ dataDir })).connectorMemory('discord:1');
    expect(await again.get('token:9')).toBe('late');
    await again.remove('token:9');
    expect(await again.get('token:9')).toBeUndefined();
  });

  test('is pruned by age and by how its key begins, letter by letter', async () => {
    const open = await openFixture();
    const memory = open.connectorMemory('discord:1');
    for (const key of ['live:1', 'LIVE:1', 'token:1']) await memory.set(key, 'old');
    await open.clock.advance(1_000);
    await memory.set('live:2', 'new');
    await memory.prune('live:', open.clock.nowMs());
    const left = await Promise.all(['live:1', 'LIVE:1', 'token:1', 'live:2'].map((key) => memory.get(key)));
    expect(left).toEqual([undefined, 'old', 'old', 'new']);
  });

  test('is sealed: the file does not hold the words', async () => {
    const open = await openFixture();
    await open.connectorMemory('discord:1').set('token:9', 'secret-canary');
    const rows = behindItsBack(open.paths.database, (database) =>
      database.prepare('select value from connectors_memory').all(),
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('secret-canary');
  });
});
