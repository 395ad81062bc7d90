import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Label, makeLabel, sha256 } from '@agent-runtime/domain';
import { crashPoints } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { MEMBER, OUTSIDE, openWorld, STAFF, W, type World, writing } from '../../bench/file-fixtures.ts';
import { draft, userId } from '../../bench/fixtures.ts';
import { makeGoodVersions } from './good-versions.ts';

const PUBLIC_STAFF = makeLabel(2);
const labelOf = async (world: World, path: string): Promise<Label> => (await world.files.read(W, path)).label;
/** What `label approve` and `label publish` write: exactly the bytes that are there. */
async function relabel(world: World, path: string, label: Label): Promise<void> {
  const { hash } = await world.files.read(W, path);
  await world.store.commit(draft('label.approve'), async (tx) => {
    await tx.update('label_file', { workspace: W, path }, { isCurrent: false, isGood: false });
    await tx.update(
      'label_file',
      { workspace: W, path, hash },
      { label, isCurrent: true, isGood: label.integrity >= 2 },
    );
  });
}

describe('a file that was never seen', () => {
  test('is staff’s under the rule `staff` and outside text under `review`', async () => {
    const trusting = await openWorld();
    trusting.edit('a.md', 'x\n');
    expect(await labelOf(trusting, 'a.md')).toEqual(STAFF);
    const careful = await openWorld({ workspace: { outsideEdits: 'review' } });
    careful.edit('a.md', 'x\n');
    expect(await labelOf(careful, 'a.md')).toEqual(OUTSIDE);
  });

  test('belongs to its context below contexts/, else to the workspace', async () => {
    const world = await openWorld();
    world.edit('contexts/memory-general/context.md', 'x\n');
    world.edit('notes/contexts/a.md', 'x y\n');
    expect(await labelOf(world, 'contexts/memory-general/context.md')).toEqual(
      makeLabel(2, ['ctx:garden/memory-general']),
    );
    expect(await labelOf(world, 'notes/contexts/a.md')).toEqual(STAFF);
  });

  test('is recorded once, in an audited commit', async () => {
    const world = await openWorld();
    world.edit('a.md', 'x\n');
    await labelOf(world, 'a.md');
    const [event] = await world.audit.tail(1);
    expect(event).toMatchObject({ action: 'label.observe', subject: 'a.md', workspace: W });
    expect(event?.data).toMatchObject({ hash: sha256('x\n'), integrity: 2 });
    await labelOf(world, 'a.md');
    expect(await world.audit.tail(9, { action: 'label.observe' })).toHaveLength(1);
  });
});

describe('what is recorded of a path', () => {
  const rows = async (world: World) =>
    (await world.store.read.find('label_file', { path: 'a.md' }, { orderBy: 'at' })).map((row) => [
      row.hash,
      row.isCurrent,
      row.isGood,
      row.by,
    ]);
  const [ONE, TWO] = [sha256('one\n'), sha256('two\n')];

  test('is one present version, also when an old one comes back, and under `staff` that is the good one', async () => {
    const world = await openWorld();
    for (const [text, expected] of [
      ['one\n', [[ONE, true, true, 'outside-edits']]],
      [
        'two\n',
        [
          [ONE, false, false, 'outside-edits'],
          [TWO, true, true, 'outside-edits'],
        ],
      ],
      [
        'one\n',
        [
          [TWO, false, false, 'outside-edits'],
          [ONE, true, true, 'outside-edits'],
        ],
      ],
    ] as const) {
      world.edit('a.md', text);
      await labelOf(world, 'a.md');
      expect(await rows(world)).toEqual(expected);
      await world.clock.advance(5);
    }
  });

  test('under `staff` low bytes are good too: who may write there decides, not what is written', async () => {
    const world = await openWorld();
    await world.files.write(writing('notes/web.md', 'one\n', OUTSIDE, 'absent'));
    world.edit('a.md', 'one\n');
    expect(await labelOf(world, 'a.md')).toEqual(OUTSIDE);
    expect(await rows(world)).toEqual([[ONE, true, true, 'outside-edits']]);
  });

  test('says where a public label came from', async () => {
    const world = await openWorld();
    world.edit('a.md', '---\naudience: public\n---\n');
    await labelOf(world, 'a.md');
    expect((await rows(world))[0]?.[3]).toBe('front-matter');
  });
});

describe('a changed file', () => {
  test('is never above the version before it', async () => {
    const world = await openWorld();
    await world.files.write(writing('notes/web.md', 'from the web\n', OUTSIDE, 'absent'));
    world.edit('notes/web.md', 'from the web, corrected\n');
    expect(await labelOf(world, 'notes/web.md')).toEqual(OUTSIDE);
  });

  test('also when nobody has read the version before it', async () => {
    const world = await openWorld();
    const { hash } = await world.files.write(writing('a.md', 'staff\n', STAFF, 'absent'));
    await world.clock.advance(5);
    await world.files.write(writing('a.md', 'web\n', OUTSIDE, hash));
    await world.clock.advance(5);
    world.edit('a.md', 'web\nmore\n');
    expect(await labelOf(world, 'a.md')).toEqual(OUTSIDE);
  });

  test.each([
    ['the present one', 5, true, true],
    ['written since, whether or not it reached the disk', 6, false, true],
    ['written at the same time', 5, false, true],
    ['written before', 4, false, false],
  ])('is bound by a version that is %s', async (_name, at, isCurrent, isBound) => {
    const world = await openWorld();
    const row = { workspace: W, path: 'a.md', by: 'test', isGood: true };
    await world.insert('label_file', { ...row, hash: sha256('low\n'), label: OUTSIDE, isCurrent, at });
    if (!isCurrent)
      await world.insert('label_file', {
        ...row,
        hash: sha256('now\n'),
        label: STAFF,
        isCurrent: true,
        at: 5,
      });
    world.edit('a.md', 'edited\n');
    expect(await labelOf(world, 'a.md')).toEqual(isBound ? OUTSIDE : STAFF);
  });

  test('is bound by all there is where no version is present', async () => {
    const world = await openWorld();
    const row = { workspace: W, path: 'a.md', by: 'test', isGood: true, isCurrent: false, at: 5 };
    await world.insert('label_file', { ...row, hash: sha256('low\n'), label: OUTSIDE });
    world.edit('a.md', 'edited\n');
    expect(await labelOf(world, 'a.md')).toEqual(OUTSIDE);
  });

  test('under `review` it is outside text, until exactly its bytes are approved', async () => {
    const world = await openWorld({ workspace: { outsideEdits: 'review' } });
    world.edit('a.md', 'one\n');
    await relabel(world, 'a.md', STAFF);
    expect(await labelOf(world, 'a.md')).toEqual(STAFF);
    world.edit('a.md', 'one!\n');
    expect(await labelOf(world, 'a.md')).toEqual(OUTSIDE);
    world.edit('a.md', 'one\n');
    expect(await labelOf(world, 'a.md')).toEqual(STAFF);
  });

  test('what was published is not public any more; what was private stays private', async () => {
    const world = await openWorld();
    world.edit('price.md', 'one\n');
    await relabel(world, 'price.md', PUBLIC_STAFF);
    expect(await labelOf(world, 'price.md')).toEqual(PUBLIC_STAFF);
    world.edit('price.md', 'two\n');
    expect(await labelOf(world, 'price.md')).toEqual(STAFF);

    const ada = `priv:${userId('ada')}` as const;
    await world.files.write(writing('notes/ada.md', 'hers\n', makeLabel(1, [ada]), 'absent'));
    world.edit('notes/ada.md', 'hers, changed\n');
    expect(await labelOf(world, 'notes/ada.md')).toEqual(makeLabel(1, [ada, `ws:${W}`]));
  });
});

describe('known low bytes', () => {
  test('stay low when renamed', async () => {
    const world = await openWorld();
    await world.files.write(writing('notes/web.md', 'from the web\n', OUTSIDE, 'absent'));
    renameSync(world.fullPath('notes/web.md'), world.fullPath('AGENTS.md'));
    expect(await labelOf(world, 'AGENTS.md')).toEqual(OUTSIDE);
  });

  test('stay low when copied, also after the first one is gone', async () => {
    const world = await openWorld();
    await world.files.write(writing('notes/web.md', 'from the web\n', OUTSIDE, 'absent'));
    rmSync(world.fullPath('notes/web.md'));
    world.edit('skills/new.md', 'from the web\n');
    expect(await labelOf(world, 'skills/new.md')).toEqual(OUTSIDE);
  });

  test('of another workspace say nothing here', async () => {
    const world = await openWorld();
    await world.insert('label_file', {
      workspace: 'other' as typeof W,
      path: 'a.md',
      hash: sha256('x\n'),
      label: makeLabel(0, ['ws:other']),
      isCurrent: true,
      isGood: false,
      by: 'test',
      at: 1,
    });
    world.edit('a.md', 'x\n');
    expect(await labelOf(world, 'a.md')).toEqual(STAFF);
  });
});

describe('audience: public in front matter', () => {
  const FAQ = '---\ntitle: FAQ\naudience: public\n---\nAnswers.\n';

  test('publishes a file of staff', async () => {
    const world = await openWorld();
    world.edit('faq.md', FAQ);
    expect(await labelOf(world, 'faq.md')).toEqual(PUBLIC_STAFF);
  });

  test('publishes nothing that staff does not own', async () => {
    const careful = await openWorld({ workspace: { outsideEdits: 'review' } });
    careful.edit('faq.md', FAQ);
    expect(await labelOf(careful, 'faq.md')).toEqual(OUTSIDE);
    const world = await openWorld();
    await world.files.write(writing('notes/mine.md', FAQ, MEMBER, 'absent'));
    expect(await labelOf(world, 'notes/mine.md')).toEqual(MEMBER);
    world.edit('notes/mine.md', `${FAQ}More.\n`);
    expect(await labelOf(world, 'notes/mine.md')).toEqual(MEMBER);
  });

  test('publishes nobody’s private text', async () => {
    const world = await openWorld();
    const label = makeLabel(2, [`priv:${userId('ada')}`]);
    await world.files.write(writing('a.md', 'hers\n', label, 'absent'));
    world.edit('a.md', FAQ);
    expect((await labelOf(world, 'a.md')).audience).toContain(`priv:${userId('ada')}`);
  });

  test('ends with the front matter, and a broken one publishes nothing', async () => {
    const world = await openWorld();
    world.edit('faq.md', FAQ);
    await labelOf(world, 'faq.md');
    world.edit('faq.md', FAQ.replace('audience: public\n', ''));
    expect(await labelOf(world, 'faq.md')).toEqual(STAFF);
    for (const broken of [
      'audience: [public',
      'audience: !secret public',
      'audience: Public',
      'x: &a 1\naudience: public\ny: *a',
    ]) {
      world.edit('faq.md', `---\n${broken}\n---\n`);
      expect(await labelOf(world, 'faq.md'), broken).toEqual(STAFF);
    }
    world.edit('faq.md', 'Text\n---\naudience: public\n---\n');
    expect(await labelOf(world, 'faq.md')).toEqual(STAFF);
  });
});

describe('control files', () => {
  const good = async (world: World, path = 'AGENTS.md') => (await world.files.readControl(W, path))?.text;

  test('under `staff` the present version counts', async () => {
    const world = await openWorld();
    world.edit('AGENTS.md', 'one\n');
    expect(await good(world)).toBe('one\n');
    world.edit('AGENTS.md', 'two\n');
    expect(await good(world)).toBe('two\n');
  });

  test('under `review` the last approved version counts until another is approved', async () => {
    const world = await openWorld({ workspace: { outsideEdits: 'review' } });
    world.edit('AGENTS.md', 'one\n');
    expect(await good(world)).toBeUndefined();
    await relabel(world, 'AGENTS.md', STAFF);
    expect(await good(world)).toBe('one\n');
    world.edit('AGENTS.md', 'evil\n');
    expect(await good(world)).toBe('one\n');
    expect((await world.files.readControl(W, 'AGENTS.md'))?.label).toEqual(STAFF);
    rmSync(world.fullPath('AGENTS.md'));
    expect(await good(world)).toBe('one\n');
    world.edit('AGENTS.md', 'three\n');
    await relabel(world, 'AGENTS.md', STAFF);
    expect(await good(world)).toBe('three\n');
  });

  test('a rule that becomes `review` later keeps what counted before', async () => {
    const world = await openWorld();
    world.edit('AGENTS.md', 'one\n');
    await world.files.read(W, 'AGENTS.md');
    await world.store.commit(draft('workspace.set'), (tx) =>
      tx.update('workspace', { id: W }, { outsideEdits: 'review' }),
    );
    world.edit('AGENTS.md', 'two\n');
    expect(await good(world)).toBe('one\n');
  });

  test('also when that was an old version which came back', async () => {
    const world = await openWorld();
    for (const text of ['one\n', 'two\n', 'one\n']) {
      world.edit('AGENTS.md', text);
      expect(await good(world)).toBe(text);
      await world.clock.advance(5);
    }
    await world.store.commit(draft('workspace.set'), (tx) =>
      tx.update('workspace', { id: W }, { outsideEdits: 'review' }),
    );
    world.edit('AGENTS.md', 'evil\n');
    expect(await good(world)).toBe('one\n');
  });

  test('a write by an approved effect counts at once', async () => {
    const world = await openWorld({ workspace: { outsideEdits: 'review' } });
    await world.files.write(writing('skills/a.md', 'approved\n', STAFF, 'absent'));
    expect(await good(world, 'skills/a.md')).toBe('approved\n');
  });

  test('bytes that were never kept are not there', async () => {
    const world = await openWorld();
    const versions = makeGoodVersions(world.fullPath('good'), crashPoints.none());
    expect(await versions.read(sha256('one\n'))).toBeUndefined();
    await versions.keep(sha256('one\n'), 'one\n');
    await versions.keep(sha256('one\n'), 'one\n');
    expect(await versions.read(sha256('one\n'))).toBe('one\n');
  });

  test('kept bytes that somebody changed are not used', async () => {
    const world = await openWorld({ workspace: { outsideEdits: 'review' } });
    world.edit('AGENTS.md', 'one\n');
    await relabel(world, 'AGENTS.md', STAFF);
    world.edit('AGENTS.md', 'two\n');
    expect(await good(world)).toBe('one\n');
    const kept = join('..', '..', 'agent-runtime', 'good', `${sha256('one\n').slice(7)}.md`);
    world.edit(kept, 'evil\n');
    expect(await good(world)).toBeUndefined();
  });
});
