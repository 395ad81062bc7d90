import type { Door } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { deny } from '../approval/index.ts';
import { MEMBER, must, OPERATOR, ORIGIN, person, signed } from '../settle/world.fixture.ts';
import { callTool, replies, say, useStage } from './run.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;

/** A member asks about the channel of `ops` at another door; returns the run once everything has left that would leave. */
async function ask(door: Door) {
  const accepted = await stage.engine.accept({
    event: {
      source: `${door}:here`,
      externalId: 'one',
      kind: 'message',
      channel: { id: 'ops-channel', kind: 'channel', title: 'Ops' },
      sender: { id: MEMBER, displayName: 'Mia', isBot: false },
      text: 'what is new?',
      isAddressed: true,
      isRelayed: false,
      sentAt: stage.world.clock.nowMs(),
    },
    door,
    conversationKey: `${door}:${MEMBER}:1`,
    authenticated: { principal: person(MEMBER), context: ORIGIN },
  });
  return stage.settled(accepted.run);
}

describe.each(['cli', 'http'] as const)('what was asked about a channel at the door %s', (door) => {
  test('is answered there: nothing is posted into the channel, and nothing could be', async () => {
    stage.script = () => say('all is well');
    const run = await ask(door);
    expect(run).toMatchObject({ state: 'succeeded', output: 'all is well' });
    expect(stage.heard).toEqual([]);
    const [effect] = await read().find('effect', { run: run.id });
    expect(effect).toMatchObject({ state: 'done', class: 'E0', sink: { connector: door } });
  });

  test('keeps its cards and outcomes in its own conversation', async () => {
    stage.script = replies(
      callTool('post_message', { connector: 'chat', channel: 'news-channel', text: 'a post' }),
      say('asked'),
    );
    const run = await ask(door);
    const approval = must(run.pendingApprovals[0]);
    await deny(stage.deps, approval, 'no', signed(OPERATOR));
    await stage.settled(run.id);
    expect(stage.heard).toEqual([]);
    const said = await read().find('context_message', { conversation: run.conversation, direction: 'out' });
    const texts = said.map((message) => message.text).join('\n');
    expect(texts).toContain(`${approval} waits for an answer`);
    expect(texts).toContain('was denied');
  });

  test('fails there too', async () => {
    stage.script = () => [
      { kind: 'failed', error: { code: 'llm.call.rejected', kind: 'rejected', message: 'No.' } },
    ];
    const run = await ask(door);
    expect(run.state).toBe('failed');
    expect(stage.heard).toEqual([]);
    const said = await read().find('context_message', { conversation: run.conversation, direction: 'out' });
    expect(said.map((message) => message.text).join('\n')).toContain('That did not work');
  });
});

test('the same question in chat is answered in the channel', async () => {
  await stage.settled((await stage.tell('what is new?')).run);
  expect(stage.heard).toEqual(['ok']);
});
