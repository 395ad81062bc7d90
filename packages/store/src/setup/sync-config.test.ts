import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import {
  contextRow,
  GENERAL,
  OUTSIDE,
  openWorld,
  W,
  type World,
  workspaceRow,
  writing,
} from '../../bench/file-fixtures.ts';
import { draft, userId } from '../../bench/fixtures.ts';
import {
  contextText,
  makeConfigFiles,
  parseContextFile,
  parseWorkspaceFile,
  type SyncInput,
  syncConfig,
  workspaceText,
} from './index.ts';

const FILE = `contexts/${GENERAL}/context.md`;
const sync = ({ store, files, clock, log }: World) => syncConfig({ store, files, clock, log });
const contextOf = (world: World): Promise<Context | undefined> =>
  world.store.read.get('context', { id: GENERAL });

describe('binding rules in workspace.md', () => {
  const FILE_OF_WORKSPACE = 'workspace.md';
  const rule = (group: string) => ({ connector: 'chat', account: 'test', group });

  test('count, with limits and manners, and come back as they were written', async () => {
    const world = await openWorld();
    const settings = {
      bindings: [rule('guild-1')],
      output: 'answers',
      acknowledge: 'confirm',
      messagesPerMinute: 3,
      maxPromptChars: 100,
    } as const;
    world.edit(FILE_OF_WORKSPACE, workspaceText(workspaceRow({ settings }), undefined));
    await sync(world);
    expect((await world.store.read.get('workspace', { id: W }))?.settings).toEqual(settings);
    world.edit(FILE_OF_WORKSPACE, '---\nbindings: [{connector: chat}]\n---\n');
    await sync(world);
    expect((await world.store.read.get('workspace', { id: W }))?.settings).toEqual(settings);
  });

  test('take no group over from another workspace; the rest of the file counts', async () => {
    const world = await openWorld();
    await world.insert(
      'workspace',
      workspaceRow({ id: 'second' as typeof W, settings: { bindings: [rule('guild-1')] } }), // safe: a slug
    );
    const text = workspaceText(
      workspaceRow({ settings: { bindings: [rule('guild-1'), rule('guild-2')], guests: 'off' } }),
      undefined,
    );
    world.edit(FILE_OF_WORKSPACE, text);
    await sync(world);
    expect((await world.store.read.get('workspace', { id: W }))?.settings).toEqual({
      bindings: [rule('guild-2')],
      guests: 'off',
    });
  });
});

describe('an edit of context.md', () => {
  test('counts, once', async () => {
    const world = await openWorld();
    await world.insert('context', contextRow());
    world.edit(FILE, '---\nkind: closed\ntools: [md_read]\nbudget: {tokensPerDay: 0}\n---\nBe brief.\n');
    expect(await sync(world)).toEqual([GENERAL]);
    expect(await contextOf(world)).toEqual(
      contextRow({ openness: 'closed', settings: { tools: ['md_read'], budget: { tokensPerDay: 0 } } }),
    );
    const { seq } = await world.audit.head();
    expect(await sync(world)).toEqual([]);
    expect((await world.audit.head()).seq).toBe(seq);
    expect((await world.audit.tail(1))[0]).toMatchObject({
      action: 'setup.sync',
      subject: GENERAL,
      workspace: W,
    });
  });

  test.each([
    ['does not parse', '---\nkind: opne\n---\n'],
    ['holds an unknown field', '---\nkind: closed\nroles: [admin]\n---\n'],
    ['is executable elsewhere', '---js\n({kind: "closed"})\n---\n'],
  ])('that %s leaves the last good settings', async (_how, text) => {
    const world = await openWorld();
    world.edit(FILE, '---\nkind: open\ntools: [md_read]\n---\n');
    await sync(world);
    const before = await contextOf(world);
    world.edit(FILE, text);
    await sync(world);
    expect((await contextOf(world))?.openness).toBe('open');
    if (text.startsWith('---\n')) {
      expect(await contextOf(world)).toEqual(before);
      expect(world.log.dump()).toContain('was left out');
    }
  });

  test('that staff does not own changes nothing', async () => {
    const world = await openWorld();
    await world.insert('context', contextRow());
    await world.files.write(writing(FILE, '---\nkind: closed\n---\n', OUTSIDE, 'absent'));
    expect(await sync(world)).toEqual([]);
    expect((await contextOf(world))?.openness).toBe('open');
    const careful = await openWorld({ workspace: { outsideEdits: 'review' } });
    await careful.insert('context', contextRow());
    careful.edit(FILE, '---\nkind: closed\n---\n');
    expect(await sync(careful)).toEqual([]);
  });

  test('does not reach into another workspace, nor move the place', async () => {
    const world = await openWorld();
    const other = 'other' as typeof W;
    await world.insert('workspace', workspaceRow({ id: other }));
    await world.insert('context', contextRow({ workspace: other }));
    world.edit(FILE, '---\nkind: closed\nplace: {type: hub, connector: x, account: y, channel: z}\n---\n');
    expect(await sync(world)).toEqual([]);
    const own = await openWorld();
    await own.insert('context', contextRow());
    own.edit(FILE, '---\nkind: open\nplace: {type: hub, connector: x, account: y, channel: z}\n---\n');
    await sync(own);
    expect(await contextOf(own)).toEqual(contextRow());
  });
});

describe('a new context.md', () => {
  test('makes a context where its id or its words name a place', async () => {
    const world = await openWorld();
    world.edit(FILE, 'No front matter.\n');
    world.edit(
      'contexts/den/context.md',
      '---\nkind: closed\nplace: {type: group, connector: telegram, account: bot, channel: "-100"}\n---\n',
    );
    world.edit('contexts/plain/context.md', '---\nkind: closed\n---\n');
    world.edit('contexts/Not_A_Slug/context.md', '---\nkind: closed\n---\n');
    expect([...(await sync(world))].sort()).toEqual(['den', GENERAL]);
    expect(await contextOf(world)).toEqual(contextRow({ createdAt: world.clock.nowMs() }));
    expect(await world.store.read.get('context', { channel: '-100' })).toMatchObject({
      kind: 'group',
      openness: 'closed',
      connector: 'telegram',
    });
  });

  test('never makes a direct one: who reads there is a matter of pairing', async () => {
    const world = await openWorld();
    world.edit(
      FILE,
      `---\nplace: {type: direct, connector: t, account: b, channel: c, directWith: ${userId('ada')}}\n---\n`,
    );
    expect(await sync(world)).toEqual([]);
    expect(await contextOf(world)).toBeUndefined();
  });
});

describe('settings as Markdown', () => {
  const workspace = workspaceRow({
    outsideEdits: 'review',
    kind: 'private',
    settings: {
      guests: 'ask',
      models: { allowed: ['a'] },
      concurrency: 2,
      approversForHigh: 2,
      timeZone: 'Europe/Oslo',
    },
  });
  const context = contextRow({
    openness: 'closed',
    settings: {
      title: 'A: "b" #c\n---',
      tools: [],
      queue: { maxSteps: 3 },
      budget: { tokensPerDay: 1 },
      prompt: 'prompts/a.md',
    },
  });

  test('come back as they were, and the words below stay', () => {
    const text = contextText(context, '---\nold: true\n---\nBe brief.\n---\nMore.\n');
    expect(text.endsWith('---\nBe brief.\n---\nMore.\n')).toBe(true);
    const { kind, place, ...settings } = parseContextFile(text);
    expect(settings).toEqual(context.settings);
    expect([kind, place]).toEqual([
      'closed',
      { type: 'channel', connector: 'memory', account: 'demo', channel: 'general' },
    ]);
    const said = parseWorkspaceFile(workspaceText(workspace, undefined));
    expect(said).toEqual({
      ...workspace.settings,
      title: 'Garden',
      kind: 'private',
      outside_edits: 'review',
    });
  });

  test('a row that is saved is read back without a change', async () => {
    const world = await openWorld({ workspace });
    await world.insert('context', context);
    const config = makeConfigFiles(
      world.files,
      async (id) => void mkdirSync(join(world.root, id), { recursive: true }),
    );
    await config.saveWorkspace(workspace);
    await config.saveContext(context);
    expect(await sync(world)).toEqual([]);
    const text = world.onDisk(FILE);
    await config.saveContext(context);
    expect(world.onDisk(FILE)).toBe(text);
    expect((await world.files.readControl(W, 'workspace.md'))?.label.integrity).toBe(2);
  });

  test('a title of the workspace is not inherited by its contexts', async () => {
    const world = await openWorld();
    world.edit('workspace.md', '---\ntitle: The garden\nkind: private\nguests: off\n---\n');
    expect(await sync(world)).toEqual([W]);
    expect(await world.store.read.get('workspace', { id: W })).toEqual(
      workspaceRow({ title: 'The garden', kind: 'private', settings: { guests: 'off' } }),
    );
  });
});

describe('a file that was taken before', () => {
  const hourly = (world: World, taken: SyncInput['taken']) =>
    syncConfig({ store: world.store, files: world.files, clock: world.clock, log: world.log, taken });

  test('does not undo what was changed since; another edit counts, and so does the file after a restart', async () => {
    const world = await openWorld();
    const taken: SyncInput['taken'] = new Map();
    world.edit('workspace.md', '---\ntitle: First\n---\n');
    expect(await hourly(world, taken)).toEqual([W]);
    // Signed, and its file is not written yet.
    await world.store.commit(draft('workspace.set'), (tx) =>
      tx.update('workspace', { id: W }, { title: 'Signed' }),
    );
    expect(await hourly(world, taken)).toEqual([]);
    expect((await world.store.read.get('workspace', { id: W }))?.title).toBe('Signed');
    world.edit('workspace.md', '---\ntitle: Third\n---\n');
    expect(await hourly(world, taken)).toEqual([W]);
    await world.store.commit(draft('workspace.set'), (tx) =>
      tx.update('workspace', { id: W }, { title: 'Signed again' }),
    );
    expect(await sync(world)).toEqual([W]);
    expect((await world.store.read.get('workspace', { id: W }))?.title).toBe('Third');
  });
});
