import { callTool, say } from '@agent-runtime/adapters';
import {
  type EffectId,
  type JsonObject,
  type Principal,
  type RunId,
  type Store,
  sha256,
  type TokenId,
  type UserId,
} from '@agent-runtime/domain';
import { type MemoryLiveFeed, until } from '@agent-runtime/testkit';
import type { EngineDeps } from '../api.ts';
import { approve } from '../approval/index.ts';
import { fault } from '../settle/outside.fixture.ts';
import {
  approvedPost,
  HERE,
  inChat,
  insertReply,
  MEMBER,
  must,
  OPERATOR,
  ORIGIN,
  proposePost,
  signed,
  TEST_AUDIT,
  tamper,
  WORKSPACE,
} from '../settle/world.fixture.ts';
import type { Stage } from './run.fixture.ts';

/** Where a run, or what it proposed, can be when somebody stops it. */
export const PHASES = [
  'queued',
  'the prompt is built',
  'the model is connected to',
  'the model speaks',
  'a tool runs',
  'between a tool and the next call',
  'a proposal is committed',
  'the answer is committed',
  'the answer waits behind another',
  'approved, not begun',
  'on its way',
  'a part has left, the next is on its way',
  'between two tries',
  'between two tries, a part has left',
  'uncertain',
] as const;
export type Phase = (typeof PHASES)[number];

/** A run or an effect that stands still in its phase. */
export interface Held {
  readonly run?: RunId;
  readonly effect?: EffectId;
  /** Lets what is held go on. */
  readonly go: () => void;
}

/** What is taken away. */
export const TAKINGS = ['panic', 'token', 'identity', 'grant'] as const;
export type Taking = (typeof TAKINGS)[number];

export const TOKEN = 'tokn_00000000000000000001' as TokenId; // safe: alphabet of ids
const TOKEN_PRINCIPAL: Principal = { kind: 'token', token: TOKEN, owner: MEMBER, workspace: WORKSPACE };

/** A token of the member, allowed to ask. */
export async function seedToken(stage: Stage): Promise<void> {
  await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
    tx.insert('identity_token', {
      id: TOKEN,
      name: 'website',
      owner: MEMBER,
      workspace: WORKSPACE,
      secretHash: sha256('none'),
      context: ORIGIN,
      createdAt: stage.world.clock.nowMs(),
    }),
  );
  await stage.world.grant(TOKEN as string as UserId, 'member', HERE); // safe: grants are keyed by any principal
}

export async function take(stage: Stage, taking: Taking): Promise<void> {
  const { store } = stage.world.deps;
  switch (taking) {
    case 'panic':
      return stage.engine.panicOn(inChat(OPERATOR));
    case 'token':
      await tamper(stage.world, 'identity_token', { id: TOKEN }, { revokedAt: stage.world.clock.nowMs() });
      return stage.engine.revoked(TOKEN);
    case 'identity':
      await store.commit(TEST_AUDIT, (tx) => tx.remove('identity_link', { user: MEMBER }));
      return stage.engine.revoked(MEMBER);
    case 'grant':
      await stage.world.ungrant(MEMBER);
      return stage.engine.revoked(MEMBER);
    default:
      return taking satisfies never;
  }
}

/** Brings a fresh stage into a phase. @param isToken asked through the HTTP door by a token, else by a person in chat */
export const REACH: Readonly<Record<Phase, (stage: Stage, isToken: boolean) => Promise<Held>>> = {
  queued: async (stage, isToken) => {
    const gate = Promise.withResolvers<void>();
    stage.script = () => [{ kind: 'hold', until: gate.promise }, ...say('the first')];
    await ask(stage, isToken);
    await until(() => stage.provider.running === 1, 'the first call');
    const waiting = await ask(stage, isToken);
    return { run: waiting, go: gate.resolve };
  },
  'the prompt is built': (stage, isToken) =>
    heldAt(stage, isToken, (hold) => ({ store: onFind(stage, 'context_message', hold) })),
  'the model is connected to': async (stage, isToken) => {
    const gate = Promise.withResolvers<void>();
    stage.script = () => [{ kind: 'hold', until: gate.promise }, ...say('too late'), ...WRITE];
    const run = await ask(stage, isToken);
    await until(() => stage.provider.running === 1, 'the call');
    return { run, go: gate.resolve };
  },
  'the model speaks': async (stage, isToken) => {
    const gate = Promise.withResolvers<void>();
    stage.script = () => [...say('a word'), { kind: 'hold', until: gate.promise }, ...say(' more'), ...WRITE];
    const run = await ask(stage, isToken);
    await until(() => framesOf(stage).length > 0, 'the first frame');
    return { run, go: gate.resolve };
  },
  'a tool runs': (stage, isToken) => {
    stage.script = oneTool([callTool('qmd_search', { query: 'x' })].flat());
    return heldAt(stage, isToken, (hold) => ({
      search: { level: 'none', search: () => hold().then(() => []) },
    }));
  },
  'between a tool and the next call': (stage, isToken) => {
    stage.script = oneTool(callTool('md_list', {}));
    return heldAt(stage, isToken, (hold) => ({
      store: onCommit(stage, { after: (audit) => (audit.data?.tool === 'md_list' ? hold() : undefined) }),
    }));
  },
  'a proposal is committed': (stage, isToken) => {
    stage.script = oneTool(
      callTool('post_message', { connector: 'chat', channel: 'news-channel', text: 'a post' }),
    );
    return heldAt(stage, isToken, (hold) => ({
      store: onCommit(stage, { before: (audit) => (audit.action === 'effect.propose' ? hold() : undefined) }),
    }));
  },
  'the answer is committed': (stage, isToken) =>
    heldAt(stage, isToken, (hold) => ({
      store: onCommit(stage, { before: (audit) => (audit.data?.route === undefined ? undefined : hold()) }),
    })),
  'the answer waits behind another': async (stage) => {
    const first = await insertReply(stage.world, 'earlier');
    stage.world.chat.onDeliver = (sent) => (sent.effectId === first ? 'hang' : undefined);
    const run = await ask(stage, false);
    await until(async () => (await stage.world.effect(first)).state === 'performing', 'the one before');
    await until(async () => (await stage.run(run)).state === 'succeeded', 'the answer');
    const [reply] = await stage.world.deps.store.read.find('effect', { run, kind: 'message.reply' });
    return { effect: must(reply).id, go: () => undefined };
  },
  'approved, not begun': async (stage, isToken) => ({
    effect: await approved(stage, isToken, 'a post'),
    go: () => undefined,
  }),
  'on its way': async (stage, isToken) => {
    const effect = await approved(stage, isToken, 'a post');
    stage.world.chat.onDeliver = (sent) => (sent.effectId === effect ? 'hang' : undefined);
    return begun(stage, effect, 'performing');
  },
  'a part has left, the next is on its way': async (stage, isToken) => {
    const effect = await approved(stage, isToken, 'one\n\ntwo\n\nthree');
    stage.world.chat.onDeliver = (sent) => (sent.effectId === effect && sent.part === 1 ? 'hang' : undefined);
    const held = await begun(stage, effect, 'performing');
    await until(async () => (await stage.world.effect(effect)).receipts.length === 1, 'the first part');
    return held;
  },
  'between two tries': async (stage, isToken) => {
    const effect = await approved(stage, isToken, 'a post');
    return failing(stage, effect, 0, 'unavailable', 'approved');
  },
  'between two tries, a part has left': async (stage, isToken) => {
    const effect = await approved(stage, isToken, 'one\n\ntwo');
    return failing(stage, effect, 1, 'unavailable', 'approved');
  },
  uncertain: async (stage, isToken) => {
    const effect = await approved(stage, isToken, 'a post');
    return failing(stage, effect, 0, 'uncertain', 'uncertain');
  },
};

const WRITE = callTool('md_write', { path: 'notes/a.md', text: 'x', mode: 'create' });

export function framesOf(stage: Stage): readonly unknown[] {
  // safe: the world's feed is the one in memory
  return (stage.deps.live as MemoryLiveFeed).events.filter(({ kind }) => kind === 'text');
}

function oneTool(call: ReturnType<typeof callTool>): Stage['script'] {
  return ({ index }) => (index === 0 ? call : say('the answer'));
}

async function ask(stage: Stage, isToken: boolean): Promise<RunId> {
  const accepted = isToken
    ? await stage.post('a question', {}, { principal: TOKEN_PRINCIPAL, context: ORIGIN })
    : await stage.tell('a question');
  return must(accepted.run);
}

/** The engine with something in it that stops the first time it is reached. */
async function heldAt(
  stage: Stage,
  isToken: boolean,
  override: (hold: () => Promise<void>) => Partial<EngineDeps>,
): Promise<Held> {
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  let isFirst = true;
  const hold = async (): Promise<void> => {
    if (!isFirst) return;
    isFirst = false;
    reached.resolve();
    await gate.promise;
  };
  await stage.restart(override(hold));
  const run = await ask(stage, isToken);
  await reached.promise;
  return { run, go: gate.resolve };
}

interface Audit {
  readonly action: string;
  readonly data?: JsonObject | undefined;
}

/** A store that waits before or after some of its commits. */
function onCommit(
  stage: Stage,
  hooks: {
    readonly before?: (audit: Audit) => Promise<void> | undefined;
    readonly after?: (audit: Audit) => Promise<void> | undefined;
  },
): Store {
  return {
    get read() {
      return stage.world.deps.store.read;
    },
    get epoch() {
      return stage.world.deps.store.epoch;
    },
    commit: async (audit, body) => {
      let written: Audit = { action: '' };
      for (const one of [audit].flat()) if ('action' in one) written = one as Audit; // safe: a draft
      await hooks.before?.(written);
      const value = await stage.world.deps.store.commit(audit, body);
      await hooks.after?.(written);
      return value;
    },
  };
}

/** A store in which reading one table while a run is under way waits. */
function onFind(stage: Stage, table: string, hold: () => Promise<void>): Store {
  const isRunning = async (): Promise<boolean> =>
    (await stage.world.deps.store.read.count('run', { state: { in: ['queued', 'running'] } })) > 0;
  return {
    get read() {
      const { read } = stage.world.deps.store;
      const find: typeof read.find = async (name, ...rest) => {
        if (name === table && (await isRunning())) await hold();
        return read.find(name, ...rest);
      };
      return { ...read, find };
    },
    get epoch() {
      return stage.world.deps.store.epoch;
    },
    commit: (audit, body) => stage.world.deps.store.commit(audit, body),
  };
}

async function approved(stage: Stage, isToken: boolean, text: string): Promise<EffectId> {
  if (!isToken) return approvedPost(stage.world, text);
  const { effect, approval } = await proposePost(stage.world, text, { requester: TOKEN_PRINCIPAL });
  await approve(stage.world.deps, approval.id, effect.digest, signed(OPERATOR));
  return effect.id;
}

/** Lets the outbox look, which an act of the engine does: an answer to somebody else. */
async function begun(stage: Stage, effect: EffectId, state: string): Promise<Held> {
  await stage.tell('/whoami', { by: 'olga', key: 'olga' });
  await until(async () => (await stage.world.effect(effect)).state === state, `it to be ${state}`);
  return { effect, go: () => undefined };
}

async function failing(
  stage: Stage,
  effect: EffectId,
  part: number,
  kind: string,
  state: string,
): Promise<Held> {
  stage.world.chat.onDeliver = (sent) => {
    if (sent.effectId === effect && sent.part === part) throw fault(kind);
  };
  await stage.tell('/whoami', { by: 'olga', key: 'olga' });
  await until(async () => {
    const now = await stage.world.effect(effect);
    return now.state === state && now.error !== undefined;
  }, `it to be ${state} after a failure`);
  return { effect, go: () => undefined };
}
