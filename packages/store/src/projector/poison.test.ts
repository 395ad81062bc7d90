import { expect, test } from 'vitest';
import { contextRow, conversationRow, messageRow, openWorld, W } from '../../bench/file-fixtures.ts';
import { parseRecords } from './record.ts';

test('half a character in a name, a text or an id stops nothing', async () => {
  const world = await openWorld();
  await world.insert('context', contextRow({ channel: 'x\ud800' }));
  await world.insert('context_conversation', conversationRow({ key: 'k\ud800' }));
  await world.insert(
    'context_message',
    messageRow(1, { senderName: 'a\ud800b', externalId: '\udc00', text: 'x\ud800\u2028y' }),
    messageRow(2),
  );
  await world.projector().run();
  const rows = await world.store.read.find('context_message', {}, { orderBy: 'seq' });
  const [path = ''] = (await world.files.list(W)).map((file) => file.path);
  const { records, foreignLines } = parseRecords(world.onDisk(path), world.projectorKey);
  expect(foreignLines).toBe(0);
  expect(records.map(({ head, text }) => [head.seq, text])).toEqual(rows.map(({ seq, text }) => [seq, text]));
});
