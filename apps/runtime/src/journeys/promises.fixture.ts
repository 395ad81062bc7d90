import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type LlmServer, llm, startLlmServer, until } from '@agent-runtime/testkit';
import { type Home, newHome, type Running } from './journey.fixture.ts';

/** What `approval show --json` says, as far as these journeys look. */
export interface Shown {
  readonly state: string;
  readonly digest: string;
  readonly effect: string;
  readonly bytes: { readonly payloads: readonly Readonly<Record<string, unknown>>[] };
}

export interface EffectRow {
  readonly id: string;
  readonly state: string;
  readonly kind: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A machine whose chat is as unhelpful as said; a fault waits for the next delivery. */
export function homeWith(
  server: LlmServer,
  chat: object = {},
  extra: Readonly<Record<string, string>> = {},
): Home {
  const home = newHome({
    AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl,
    AGENT_RUNTIME_LLM_MODEL: 'emulated',
    ...extra,
  });
  mkdirSync(join(home.folder, 'chat'), { recursive: true });
  writeFileSync(join(home.folder, 'chat', 'chat.json'), JSON.stringify(chat));
  return home;
}

/** A machine with its model, and a runtime on it. */
export async function startMachine(
  chat?: object,
): Promise<{ readonly home: Home; readonly server: LlmServer; readonly runtime: Running }> {
  const server = await startLlmServer();
  const home = homeWith(server, chat);
  return { home, server, runtime: await home.start() };
}

export async function endMachine(home: Home, server: LlmServer): Promise<void> {
  await home.remove();
  await server.close();
}

export function planFault(home: Home, fault: object): void {
  writeFileSync(join(home.folder, 'chat', 'fault.json'), JSON.stringify(fault));
}

/** Was the planned trouble met? */
export function isFaultMet(home: Home): boolean {
  return !existsSync(join(home.folder, 'chat', 'fault.json'));
}

/** Lets the model propose a post to `general`. */
export async function proposePost(
  home: Home,
  server: LlmServer,
  text: string,
): Promise<Shown & { readonly id: string }> {
  const call = JSON.stringify({ connector: 'memory', channel: 'general', text });
  server.next(
    [...llm.toolCalls([{ id: 'p1', name: 'post_message', arguments: call }], 500), ...llm.done('tool_calls')],
    [...llm.text('I have proposed it.'), ...llm.done()],
  );
  const answer = await home.ask('Please tell everybody.');
  const [id] = answer.pending_approvals ?? [];
  if (id === undefined) throw new Error(`nothing was proposed: ${JSON.stringify(answer)}`);
  return { ...(await showApproval(home, id)), id };
}

export async function showApproval(home: Home, id: string): Promise<Shown> {
  return (await home.cli(['approval', 'show', id, '--json'])).json<Shown>();
}

export async function effectOf(home: Home, id: string): Promise<EffectRow> {
  return (await home.cli(['effect', 'show', id, '--json'])).json<EffectRow>();
}

/** State and error code as the database has them: a look that costs no process. */
export function rowOf(
  home: Home,
  effect: string,
): { readonly state: string; readonly code: string | undefined } {
  return withDatabase(home, (database) => {
    const row = database.prepare('select state, error from effect where id = ?').get(effect);
    const { state, error } = (row ?? {}) as { state?: string; error?: string | null }; // safe: columns of text
    const { code } = JSON.parse(error ?? '{}') as { code?: string }; // safe: the column holds an object
    return { state: state ?? 'missing', code };
  });
}

const FINAL = ['done', 'rejected', 'uncertain', 'void', 'expired', 'denied'];

/** Waits for the final state of an effect. */
export async function settled(home: Home, effect: string): Promise<string> {
  await until(() => FINAL.includes(rowOf(home, effect).state), `the end of ${effect}`, 30_000);
  return rowOf(home, effect).state;
}

/** Payloads of an effect as they came over the wire. */
export function wireOf(home: Home, effect: string): readonly object[] {
  return home.chat
    .delivered()
    .filter((one) => one.effect_id === effect)
    .map((one) => one.payload);
}

/** Somebody with the database file. @returns rows that changed */
export function withDatabase<T>(home: Home, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(home.dataDir, 'agent-runtime', 'meta.sqlite'));
  try {
    return work(database);
  } finally {
    database.close();
  }
}

export async function isLogWhole(home: Home): Promise<boolean> {
  return (await home.cli(['audit', 'verify', '--json'])).json<{ ok: boolean }>().ok;
}
