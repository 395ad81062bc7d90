import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canFlow, clearanceOf, makeLabel, type WorkspaceId } from '@agent-runtime/domain';
import { crashPoints, seededIds } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { codeOf, type Fixture, openFixture, temporaryFolder } from '../../bench/fixtures.ts';
import { makeWorkspaceFiles } from '../workspace/index.ts';
import { setupData } from './index.ts';

const EXAMPLE = join(import.meta.dirname, '../../../../data.example/workspaces');
const COMMUNITY = 'community' as WorkspaceId; // safe: a slug

function inputOf(open: Fixture, exampleDir: string | undefined = EXAMPLE) {
  const { store, clock, log, paths, projectorKey: macKey } = open;
  const files = makeWorkspaceFiles({
    root: paths.workspaces,
    goodFolder: join(paths.appliance, 'good'),
    macKey,
    store,
    clock,
    crash: crashPoints.none(),
    log,
  });
  return {
    store,
    files,
    clock,
    ids: seededIds(),
    log,
    workspacesDir: paths.workspaces,
    exampleDir,
    ownerName: 'owner',
  };
}

/** An example of one file, for what the real one does not show. */
function exampleOf(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe('a new instance', () => {
  test('has the example, its first person with all rights, and a private workspace', async () => {
    const open = await openFixture();
    const input = inputOf(open);
    const result = await setupData(input);
    expect([...result.workspaces].sort()).toEqual(['community', 'private-owner']);
    expect([...result.contexts].sort()).toEqual(['memory-general', 'memory-staff']);
    expect(result.blessed).toBe((await input.files.list(COMMUNITY)).length);
    expect(await open.store.read.get('identity_user', { id: result.owner })).toMatchObject({
      name: 'owner',
      isActive: true,
    });
    const grants = await open.store.read.find('identity_grant', {});
    expect(grants.map(({ principal, role, scope }) => [principal, role, scope])).toEqual([
      [result.owner, 'overlord', { kind: 'all' }],
    ]);
    const kinds = await open.store.read.find('workspace', {}, { orderBy: 'id' });
    expect(kinds.map(({ id, kind, owner }) => [id, kind, owner])).toEqual([
      ['community', 'community', result.owner],
      ['private-owner', 'private', result.owner],
    ]);
  });

  test('the example is staff’s; rules, voice, FAQ and handbook alone are public', async () => {
    const open = await openFixture();
    const input = inputOf(open);
    await setupData(input);
    const shown: string[] = [];
    for (const { path } of await input.files.list(COMMUNITY)) {
      const { label } = await input.files.read(COMMUNITY, path);
      expect(label.integrity, path).toBe(2);
      if (label.audience.length === 0) shown.push(path);
    }
    // Rules and voice are published so that they hold in open contexts as well.
    expect(shown).toEqual(['AGENTS.md', 'SOUL.md', 'faq.md', 'handbook.md']);
  });

  test('strangers read in `general` and not in `staff`, as the files say', async () => {
    const open = await openFixture();
    const input = inputOf(open);
    await setupData(input);
    const contexts = await open.store.read.find('context', {}, { orderBy: 'id' });
    expect(
      contexts.map(({ id, openness, connector, channel }) => [id, openness, connector, channel]),
    ).toEqual([
      ['memory-general', 'open', 'memory', 'general'],
      ['memory-staff', 'closed', 'memory', 'staff'],
    ]);
    const { label } = await input.files.read(COMMUNITY, 'pricing.md');
    expect(contexts.map((context) => canFlow(label, clearanceOf(context)))).toEqual([false, true]);
    expect(contexts[0]?.settings).toEqual({
      title: 'General',
      guests: 'ask',
      tools: ['qmd_search', 'md_read'],
    });
  });

  test('without an example it begins empty', async () => {
    const open = await openFixture();
    const result = await setupData({ ...inputOf(open), exampleDir: undefined });
    expect(result).toMatchObject({ workspaces: ['private-owner'], contexts: [], blessed: 0 });
  });
});

describe('doing it again', () => {
  test('changes nothing', async () => {
    const open = await openFixture();
    const first = await setupData(inputOf(open));
    const { seq } = await open.audit.head();
    expect(await setupData(inputOf(open))).toEqual({ ...first, contexts: [] });
    expect((await open.audit.head()).seq).toBe(seq);
  });

  test('never writes over what is there, nor brings back what was deleted', async () => {
    const open = await openFixture();
    await setupData(inputOf(open));
    const faq = join(open.paths.workspaces, 'community', 'faq.md');
    writeFileSync(faq, 'ours\n');
    rmSync(join(open.paths.workspaces, 'community', 'pricing.md'));
    await setupData(inputOf(open));
    expect(readFileSync(faq, 'utf8')).toBe('ours\n');
    expect(existsSync(join(open.paths.workspaces, 'community', 'pricing.md'))).toBe(false);
  });

  test('finishes what a killed set-up began', async () => {
    const open = await openFixture();
    const half = join(open.paths.workspaces, '.setup-community');
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, 'half.md'), 'half\n');
    await setupData(inputOf(open));
    expect(readdirSync(open.paths.workspaces).sort()).toEqual(['community', 'private-owner']);
    expect(existsSync(join(open.paths.workspaces, 'community', 'half.md'))).toBe(false);
  });
});

describe('an example that cannot all be used', () => {
  test('a broken context and a file that is no text are left out and named', async () => {
    const open = await openFixture();
    const root = exampleOf({
      'garden/contexts/memory-a/context.md': '---\nkind: opne\n---\n',
      'garden/contexts/memory-b/context.md': '---\nkind: closed\n---\n',
      'garden/contexts/nowhere/context.md': '---\nkind: closed\n---\n',
      'Not A Slug/a.md': 'x\n',
      'garden/a.md': 'x\n',
    });
    writeFileSync(join(root, 'garden/latin.md'), Uint8Array.from([0xe9]));
    const result = await setupData(inputOf(open, root));
    expect(result.contexts).toEqual(['memory-b']);
    expect(result.workspaces).toEqual(['garden', 'private-owner']);
    expect(open.log.dump()).toContain('contexts/memory-a/context.md was left out');
    expect(open.log.dump()).toContain('latin.md was left out');
  });

  test('a workspace that asks for review still knows its example as staff’s', async () => {
    const open = await openFixture();
    const input = inputOf(
      open,
      exampleOf({
        'garden/workspace.md': '---\noutside_edits: review\n---\n',
        'garden/AGENTS.md': 'Be kind.\n',
        'garden/contexts/memory-b/context.md': '---\nkind: closed\n---\n',
      }),
    );
    const result = await setupData(input);
    expect(result.contexts).toEqual(['garden', 'memory-b']);
    const garden = 'garden' as WorkspaceId;
    expect((await input.files.readControl(garden, 'AGENTS.md'))?.label).toEqual(makeLabel(2, ['ws:garden']));
    writeFileSync(join(open.paths.workspaces, 'garden', 'AGENTS.md'), 'Be evil.\n');
    expect((await input.files.readControl(garden, 'AGENTS.md'))?.text).toBe('Be kind.\n');
  });
});

test.each(['', '../owner', 'Owner', 'a/b', '-a', 'a\nb', 'a'.repeat(48)])(
  'a first person called %j is refused, and nothing is made',
  async (ownerName) => {
    const open = await openFixture();
    expect(await codeOf(setupData({ ...inputOf(open), ownerName }))).toBe('setup.owner.invalid');
    expect(existsSync(open.paths.workspaces)).toBe(false);
    expect(await open.store.read.count('identity_user', {})).toBe(0);
  },
);
