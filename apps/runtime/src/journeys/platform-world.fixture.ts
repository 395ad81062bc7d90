import {
  type LlmReply,
  type LlmServer,
  llm,
  type RecordedRequest,
  startLlmServer,
  until,
} from '@agent-runtime/testkit';
import { type Env, type Home, newHome, type Running } from './journey.fixture.ts';
import type { Person, Platform, Room, Shown } from './platform.fixture.ts';

const CODE = /(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}/;
export const LIMIT_MS = 30_000;

/** A runtime with a model and one platform, in the hands of a journey. */
export interface PlatformWorld {
  readonly platform: Platform;
  readonly home: Home;
  readonly model: LlmServer;
  readonly runtime: () => Running;
  restart(): Promise<void>;
  /** Pairs somebody in a direct talk, as an admin would at the command line. @returns that talk */
  pair(person: Person, user: string, role: string): Promise<Room>;
  bind(room: Room, ...how: readonly string[]): Promise<string>;
  /** Waits until something new that fits is shown in a room. */
  sees(room: Room, fits: (shown: Shown) => boolean, what: string): Promise<Shown>;
  close(): Promise<void>;
}

/** What the model says: the last words of the question decide. */
function answer(request: RecordedRequest): LlmReply {
  const messages = request.body.messages ?? [];
  const last = messages.at(-1);
  if (last?.role === 'tool') return [...llm.text('It was proposed.'), ...llm.done()];
  const asked = JSON.stringify(last?.content ?? '');
  const post = /post "([^"\\]*)" to (\S+?)[.\s"\\]/.exec(asked.replaceAll('\\"', '"'));
  if (post !== null) {
    const call = {
      id: 'call_1',
      name: 'post_message',
      arguments: JSON.stringify({ channel: post[2], text: post[1] }),
    };
    return [...llm.toolCalls([call]), ...llm.done('tool_calls')];
  }
  return [...llm.text(`Answer to ${/question-\d+/.exec(asked)?.[0] ?? 'that'}.`), ...llm.done()];
}

export async function platformWorld(make: () => Promise<Platform>, env: Env = {}): Promise<PlatformWorld> {
  const model = await startLlmServer({ fallback: answer });
  const platform = await make();
  const home = newHome({
    AGENT_RUNTIME_LLM_BASE_URL: model.baseUrl,
    AGENT_RUNTIME_LLM_MODEL: 'emulated',
    ...platform.env,
    ...env,
  });
  let runtime = await home.start();
  await until(() => platform.isHeard(), 'the platform to be heard', LIMIT_MS);
  const sees: PlatformWorld['sees'] = async (room, fits, what) => {
    await until(
      () => platform.shown(room).some(fits),
      `${what}; shown: ${JSON.stringify(platform.shown(room).slice(-3))}`,
      LIMIT_MS,
    );
    const found = platform.shown(room).findLast(fits);
    if (found === undefined) throw new Error(what);
    return found;
  };
  return {
    platform,
    home,
    model,
    runtime: () => runtime,
    restart: async () => {
      await runtime.kill();
      runtime = await home.start({}, ['up', '--json']);
    },
    pair: async (person, user, role) => {
      const talk = platform.direct(person);
      platform.say(talk, person, 'pair');
      const told = await sees(talk, ({ text }) => CODE.test(text), `${user} gets a code`);
      const ended = await home.cli([
        ...['pair', 'approve', CODE.exec(told.text)?.[0] ?? '', '--user', user, '--role', role],
        ...['--scope', 'ws:community', '--create-user', '--json'],
      ]);
      if (ended.code !== 0) throw new Error(`pairing ${user}: ${ended.out}${ended.err}`);
      await sees(talk, ({ text }) => text.includes(`paired as ${user}`), `${user} is told`);
      return talk;
    },
    bind: async (room, ...how) => {
      const ended = await home.cli([
        ...['context', 'bind', platform.source, room.id, '--workspace', 'community', '--json'],
        ...how,
      ]);
      if (ended.code !== 0) throw new Error(`binding ${room.id}: ${ended.out}${ended.err}`);
      return ended.json<{ id: string }>().id;
    },
    sees,
    close: async () => {
      await home.remove();
      await platform.close();
      await model.close();
    },
  };
}
