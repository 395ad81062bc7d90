import type { Connector, Context, Door } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { HERE_LABEL, MEMBER, person, useWorld } from '../settle/world.fixture.ts';
import { fetchingDoor, replyEffect } from './reply.ts';

const at = useWorld();

interface Case {
  readonly context?: Partial<Context>;
  readonly connectors?: readonly Partial<Connector>[];
  readonly door?: Door;
  readonly kind?: 'reply' | 'notice';
}

function replied({ context = {}, connectors = [{}], door, kind = 'reply' }: Case) {
  const { chat } = at.world;
  const deps = { ...at.world.deps, connectors: connectors.map((change) => ({ ...chat, ...change })) };
  return replyEffect(deps, {
    context: { ...at.world.context, ...context },
    requester: person(MEMBER),
    draft: { text: 'a\n\nb' },
    label: HERE_LABEL,
    trustedUrls: new Set(),
    kind,
    door,
  }).effect;
}

const PARTS = [{ text: 'a' }, { text: 'b' }];
const WHOLE = [{ text: 'a\n\nb' }];

describe('an answer', () => {
  test.each<readonly [string, Case]>([
    ['without a door of its own', {}],
    ['that came in by chat', { door: 'chat' }],
    ['where another account is served too', { connectors: [{ account: 'second' }, {}] }],
  ])('%s leaves through the channel of its context, rendered for it', (_name, one) => {
    const effect = replied(one);
    expect(effect).toMatchObject({
      state: 'approved',
      decision: 'permit',
      kind: 'message.reply',
      class: 'E0',
      label: HERE_LABEL,
      sink: { connector: 'chat', account: 'test', address: 'ops-channel' },
      recipients: ['ops-channel'],
      payloads: PARTS,
      summary: 'Answer to chat/ops-channel',
    });
    expect([effect.settledAt, effect.error]).toEqual([undefined, undefined]);
  });

  test.each<readonly [string, Case, string]>([
    ['at the command line', { door: 'cli' }, 'cli'],
    ['over HTTP', { door: 'http' }, 'http'],
    ['at the command line of a context that nobody serves', { door: 'cli', connectors: [] }, 'cli'],
    ['from a place that delivers nothing', { connectors: [{ delivery: 'pull' }] }, 'chat'],
    ['from a context of HTTP', { context: { kind: 'http' }, connectors: [] }, 'chat'],
    ['from a context of the command line', { context: { kind: 'cli' }, connectors: [] }, 'chat'],
  ])(
    'asked for %s is fetched there: it is whole, done, and never of the channel',
    (_name, one, connector) => {
      const effect = replied(one);
      expect(effect).toMatchObject({
        state: 'done',
        settledAt: at.world.clock.nowMs(),
        sink: { connector },
        payloads: WHOLE,
      });
      expect(effect.error).toBeUndefined();
    },
  );

  test.each<readonly [string, Case]>([
    ['that nobody serves', { connectors: [] }],
    ['of another name', { connectors: [{ name: 'mail' }] }],
    ['of another account', { connectors: [{ account: 'second' }] }],
  ])('to a place %s is lost, and says so', (_name, one) => {
    expect(replied(one)).toMatchObject({
      state: 'rejected',
      settledAt: at.world.clock.nowMs(),
      error: { code: 'effect.sink.unavailable' },
      payloads: WHOLE,
    });
  });

  test('is no notice', () => {
    expect(replied({ kind: 'notice' })).toMatchObject({
      kind: 'message.notice',
      summary: 'Notice to chat/ops-channel',
    });
  });

  test('is fetched at two doors', () => {
    const doors: readonly (Door | undefined)[] = ['cli', 'http', 'chat', 'mail', 'cron', 'file', undefined];
    expect(doors.map(fetchingDoor)).toEqual(['cli', 'http', ...Array(5).fill(undefined)]);
  });
});
