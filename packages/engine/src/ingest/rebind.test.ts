import { makeLabel, type WorkspaceId } from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { PLATFORM_IDS, say, shownTo, useStage } from '../run/run.fixture.ts';
import { BOSS, contextRow, MEMBER, must, TEST_AUDIT } from '../settle/world.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;
const DM = { channel: 'dm-mia', channelKind: 'direct', key: 'chat:test/dm-mia' } as const;
const here = async () =>
  must(await read().get('context', { connector: 'chat', account: 'test', channel: 'dm-mia' }));
const HIDDEN = 'hidden' as WorkspaceId; // safe: a slug

beforeEach(async () => {
  await stage.world.deps.store.commit(TEST_AUDIT, async (tx) => {
    for (const [id, owner] of [
      ['private-mia', MEMBER],
      ['hidden', BOSS],
    ] as const)
      await tx.insert('workspace', {
        id: id as WorkspaceId, // safe: a slug
        title: id,
        kind: 'private',
        owner,
        outsideEdits: 'staff',
        settings: {},
        createdAt: 1,
      });
    await tx.insert('context', {
      ...contextRow('direct-mia' as never, 'dm-mia', 1), // safe: a slug
      workspace: 'private-mia' as WorkspaceId, // safe: a slug
      kind: 'direct',
      directWith: MEMBER,
      owner: MEMBER,
      settings: { title: 'Direct talk' },
    });
    await tx.update('identity_link', { externalId: 'mia' }, { context: 'direct-mia' as never }); // safe: a slug
    // A role in these two, and none in the third.
    await tx.remove('identity_grant', { principal: MEMBER });
    for (const workspace of ['private-mia', 'acme'])
      await tx.insert('identity_grant', {
        id: stage.world.deps.ids.make('grant'),
        principal: MEMBER,
        role: 'member',
        scope: { kind: 'workspace', workspace },
        grantedBy: 'test',
        createdAt: 1,
      });
  });
});

describe('/workspace', () => {
  test('has a direct talk be about another workspace, and nothing of before is in a prompt there', async () => {
    await stage.settled((await stage.tell('my private canary', DM)).run);
    const rebound = await stage.tell('/workspace acme', DM);
    expect(rebound.reply).toContain('about acme now');
    await stage.world.clock.settle();
    expect(stage.heard.at(-1)).toBe(rebound.reply);
    const place = await here();
    expect(place).toMatchObject({
      workspace: 'acme',
      directWith: MEMBER,
      kind: 'direct',
      openness: 'closed',
    });
    expect(await read().get('identity_link', { externalId: 'mia' })).toMatchObject({ context: place.id });
    expect(await read().get('context', { id: 'direct-mia' as never })).toMatchObject({
      account: 'retired:direct-mia',
      workspace: 'private-mia',
    });
    const run = await stage.settled((await stage.tell('and here?', DM)).run);
    expect(run).toMatchObject({ workspace: 'acme', context: place.id });
    expect(run.label).toEqual(makeLabel(1, [`ctx:acme/${place.id}`, `priv:${MEMBER}`]));
    expect(shownTo(stage.provider.requests.at(-1)?.messages)).not.toContain('canary');
    expect(await stage.world.actions('direct-mia')).toContain('context.rebind');
  });

  test('goes back to the old place, which begins afresh', async () => {
    const before = await stage.settled((await stage.tell('first', DM)).run);
    await stage.tell('/workspace acme', DM);
    await stage.tell('/workspace private-mia', DM);
    expect((await here()).id).toBe('direct-mia');
    const after = await stage.settled((await stage.tell('again', DM)).run);
    expect(after.context).toBe('direct-mia');
    expect(after.conversation).not.toBe(before.conversation);
    expect(shownTo(stage.provider.requests.at(-1)?.messages)).not.toContain('first');
    await stage.tell('/workspace acme', DM);
    expect(await read().count('context', { directWith: MEMBER })).toBe(2);
  });

  test('says the same of a workspace without a role and of none, and lists the others', async () => {
    const said = async (id: string) => (await stage.tell(`/workspace ${id}`, DM)).reply?.replace(id, 'ID');
    expect(await said(HIDDEN)).toBe(await said('nothere'));
    expect(await said(HIDDEN)).toContain('You can choose: acme, private-mia');
    expect((await stage.tell('/workspace', DM)).reply).toBe(
      'This talk is about private-mia.\nYou can choose: acme',
    );
    expect(await here()).toMatchObject({ id: 'direct-mia' });
  });

  test('does not work in a channel, nor for somebody else in a direct talk', async () => {
    expect((await stage.tell('/workspace acme')).reply).toContain('Only your own direct talk');
    expect((await stage.tell('/workspace acme', { ...DM, by: 'boss' })).reply).toContain('Only your own');
    expect(PLATFORM_IDS.boss).toBe(BOSS);
    expect(await here()).toMatchObject({ workspace: 'private-mia' });
  });

  test('ends a wish that waited for an OK', async () => {
    await stage.world.deps.store.commit(
      TEST_AUDIT,
      (tx) =>
        tx.update(
          'workspace',
          { id: 'private-mia' as WorkspaceId },
          { settings: { acknowledge: 'confirm' } },
        ), // safe: a slug
    );
    expect(await stage.tell('/task it', DM)).toMatchObject({ outcome: 'command' });
    expect((await stage.tell('/workspace acme', DM)).reply).toContain('about acme now');
    expect(await read().find('task_intent', {})).toMatchObject([{ state: 'expired', context: 'direct-mia' }]);
  });

  test('waits for what runs: its answer would find no place', async () => {
    const gate = Promise.withResolvers<void>();
    stage.script = () => [{ kind: 'hold', until: gate.promise }, ...say('ok')];
    const asked = await stage.tell('a long task', DM);
    expect((await stage.tell('/workspace acme', DM)).reply).toContain('still runs');
    gate.resolve();
    await stage.settled(asked.run);
    expect((await stage.tell('/workspace acme', DM)).reply).toContain('about acme now');
  });
});
