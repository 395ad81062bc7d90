import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AdminInput,
  type AdminReply,
  type AdminRouteName,
  AppError,
  canonicalJson,
} from '@agent-runtime/domain';
import { until } from '@agent-runtime/testkit';
import { type Person, personAt } from './crash-client.fixture.ts';
import { type CrashModel, startCrashModel } from './crash-model.fixture.ts';
import { type Books, leftovers, openBooks, restless, violations } from './invariants.fixture.ts';
import { type Home, MORTAL, newHome, type Running } from './journey.fixture.ts';

const LIMIT_MS = 120_000;
const PATIENCE_MS = 6_000;
const UP = ['up', '--json'];

/** A machine whose runtime dies at chosen points, and the people around it. */
export interface CrashWorld {
  readonly home: Home;
  readonly model: CrashModel;
  readonly books: Books;
  readonly runtime: Running;
  readonly owner: Person;
  /** External ids that were acknowledged to their sender. */
  readonly accepted: Set<string>;
  /** Somebody who is not enrolled yet. */
  stranger(): Person;
  /** The next time this point is reached, the process dies; '' disarms. */
  arm(point: string): void;
  armed(): string;
  /** Points that were reached so far, oldest first. */
  reached(): readonly string[];
  /** Starts a dead runtime again. While a point is armed it may die at once: then again, disarmed. */
  restart(how?: { readonly mayDie: boolean }): Promise<void>;
  /** Stops it in peace. */
  stop(): Promise<void>;
  /** The wall clock of the next start is later by this. */
  ahead(ms: number): void;
  isUp(): boolean;
  /** Waits until nothing is at work. */
  rest(): Promise<void>;
  /** @returns what does not hold, at rest */
  check(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

export async function newCrashWorld(): Promise<CrashWorld> {
  const model = await startCrashModel();
  const home = newHome(
    {
      AGENT_RUNTIME_LLM_BASE_URL: model.baseUrl,
      AGENT_RUNTIME_LLM_MODEL: 'emulated',
      AGENT_RUNTIME_RATE_PER_MINUTE: '100000',
    },
    MORTAL,
  );
  const folder = join(home.folder, 'crash');
  for (const one of [folder, join(home.folder, 'chat')]) mkdirSync(one, { recursive: true });
  const env = { CRASH_DIR: folder };
  const state: { runtime: Running; isUp: boolean; aheadMs: number } = {
    runtime: await home.start(env),
    isUp: false,
    aheadMs: 0,
  };
  const watch = (): void => {
    const { runtime } = state;
    state.isUp = true;
    void runtime.ended().then(() => {
      if (state.runtime === runtime) state.isUp = false;
    });
  };
  watch();
  const books = openBooks(home.dataDir);
  const accepted = new Set<string>();
  const stranger = (): Person => personAt(home.dataDir, () => Date.now() + state.aheadMs);
  let armed = '';
  const arm = (point: string): void => {
    armed = point;
    if (point === '') rmSync(join(folder, 'at'), { force: true });
    else writeFileSync(join(folder, 'at'), point);
  };
  const world: CrashWorld = {
    home,
    model,
    books,
    get runtime() {
      return state.runtime;
    },
    owner: stranger(),
    accepted,
    stranger,
    arm,
    armed: () => armed,
    reached: () => readFileSync(join(folder, 'reached'), 'utf8').split('\n').slice(0, -1),
    restart: async (how = { mayDie: false }) => {
      if (!how.mayDie) arm('');
      try {
        state.runtime = await home.start(env, UP);
      } catch (thrown) {
        if (!how.mayDie) throw thrown;
        arm('');
        state.runtime = await home.start(env, UP);
      }
      watch();
    },
    stop: async () => {
      await state.runtime.stop();
    },
    ahead: (ms) => {
      state.aheadMs += ms;
      writeFileSync(join(folder, 'ahead'), String(state.aheadMs));
    },
    isUp: () => state.isUp,
    rest: () => until(() => restless(books).length === 0, 'everything to come to rest', LIMIT_MS),
    check: async () => {
      await world.rest();
      const witness = { dataDir: home.dataDir, received: home.chat.delivered(), accepted: [...accepted] };
      let wrong: readonly string[] = [];
      const isWell = (): boolean => {
        wrong = [...violations(books, witness), ...leftovers(books)];
        return wrong.length === 0;
      };
      // A file may be at work right now: what is wrong must stay wrong. Records follow within a second.
      await until(isWell, 'the invariants', PATIENCE_MS).catch(() => undefined);
      const { ok } = await world.owner.call('audit.verify', {});
      return ok ? wrong : [...wrong, 'the audit log does not verify'];
    },
    remove: async () => {
      books.close();
      await home.remove();
      await model.close();
    },
  };
  return world;
}

/** What was done is done: a client that repeats its request after a crash is content with these. */
const DONE_ALREADY: ReadonlySet<string> = new Set(['conflict', 'missing', 'denied']);

/** One attempt at an act, by a client who gives up when the process dies. */
export class Attempt {
  readonly world: CrashWorld;
  readonly n: number;
  readonly isRepeat: boolean;
  readonly #runtime: Running;
  constructor(world: CrashWorld, n: number, isRepeat: boolean) {
    this.world = world;
    this.n = n;
    this.isRepeat = isRepeat;
    this.#runtime = world.runtime;
  }

  /** @throws Error when the process of this attempt is dead */
  assertAlive(): void {
    if (this.world.runtime !== this.#runtime || !this.world.isUp()) throw new Error('the process is dead');
  }

  /** The same client, after a restart that it brought about itself. */
  next(): Attempt {
    return new Attempt(this.world, this.n, this.isRepeat);
  }

  async call<N extends AdminRouteName>(
    name: N,
    input: AdminInput<N>,
    who: Person = this.world.owner,
  ): Promise<AdminReply<N>> {
    this.assertAlive();
    return who.call(name, input);
  }

  /** A change; one that the first attempt had made already is fine. */
  async change<N extends AdminRouteName>(
    name: N,
    input: AdminInput<N>,
    who?: Person,
  ): Promise<AdminReply<N> | undefined> {
    try {
      return await this.call(name, input, who);
    } catch (thrown) {
      if (this.isRepeat && thrown instanceof AppError && DONE_ALREADY.has(thrown.kind)) return undefined;
      throw thrown;
    }
  }

  /** A request whose point is its refusal. */
  async refused<N extends AdminRouteName>(name: N, input: AdminInput<N>, who: Person): Promise<void> {
    try {
      await this.call(name, input, who);
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.kind === 'denied') return;
      throw thrown;
    }
    throw new Error(`${name} was not refused`);
  }

  /** Waits for something that this process should bring about. */
  async wait(isDone: () => boolean, what: string, limitMs = LIMIT_MS): Promise<void> {
    await until(
      () => {
        if (isDone()) return true;
        this.assertAlive();
        return false;
      },
      what,
      limitMs,
    );
  }

  /** Asks `[kind n]` at the command line, in the staff context unless said. @returns the run, begun */
  async ask(kind: string, more: Partial<AdminInput<'ask.post'>> = {}, who?: Person): Promise<string> {
    const key = `ask-${kind}-${this.n}-key`;
    const asked = await this.call(
      'ask.post',
      {
        text: `Please do [${kind} ${this.n}].`,
        workspace: 'community',
        context: 'memory-staff',
        conversation: `${kind}-${this.n}`,
        idempotency_key: key,
        ...more,
      },
      who,
    );
    return asked.run_id;
  }

  async ended(run: string): Promise<AdminReply<'run.show'>> {
    const stateOf = (): string =>
      this.world.books.rows<{ state: string }>('select state from run where id = ?', run)[0]?.state ??
      'missing';
    await this.wait(() => ['succeeded', 'failed', 'aborted'].includes(stateOf()), `the end of ${run}`);
    return this.call('run.show', { id: run });
  }

  async asked(kind: string): Promise<AdminReply<'run.show'>> {
    return this.ended(await this.ask(kind));
  }

  /** Lets the model propose. @returns the approval that it waits for */
  async propose(kind: 'post' | 'long' | 'control'): Promise<string> {
    const run = await this.asked(kind);
    const [approval] = run.pending_approvals ?? [];
    if (approval === undefined)
      throw new Error(`[${kind} ${this.n}] proposed nothing: ${JSON.stringify(run)}`);
    return approval;
  }

  /** Signs what is shown and sends it, unless the question is closed already. */
  async vote(id: string, decision: 'grant' | 'deny', who: Person = this.world.owner): Promise<void> {
    const shown = await this.call('approval.show', { id }, who);
    if (this.isRepeat && shown.state !== 'pending') return;
    const statement = {
      approval: shown.id,
      effect: shown.effect,
      digest: shown.digest,
      decision,
      expiry: shown.expiry,
      auditHead: shown.audit_head,
    };
    const { keyId, signature } = await who.signDecision(canonicalJson(statement));
    const { digest, audit_head } = shown;
    await this.call(`approval.${decision}`, { id, digest, audit_head, key_id: keyId, signature }, who);
  }

  /** Waits until the effect of an approval has one of these states. @returns its id */
  async effect(approval: string, ...states: readonly string[]): Promise<string> {
    const row = (): { readonly id: string; readonly state: string } | undefined =>
      this.world.books.rows<{ id: string; state: string }>(
        'select id, state from effect where approval = ?',
        approval,
      )[0];
    await this.wait(() => states.includes(row()?.state ?? ''), `${approval}: ${states.join(' or ')}`);
    return row()?.id ?? '';
  }

  /** Trouble for the next delivery of the memory chat. */
  fault(fault: Readonly<Record<string, unknown>>): void {
    writeFileSync(join(this.world.home.folder, 'chat', 'fault.json'), JSON.stringify(fault));
  }

  clearFault(): void {
    rmSync(join(this.world.home.folder, 'chat', 'fault.json'), { force: true });
  }

  /** A guest says `[kind n]` in the open channel and waits until it is taken. */
  async say(kind: string): Promise<void> {
    const { home, books, accepted } = this.world;
    const id = `${kind}-${this.n}`;
    const line = {
      id,
      channel: 'general',
      sender: `guest-${this.n}`,
      text: `Please do [${kind} ${this.n}].`,
    };
    appendFileSync(join(home.folder, 'chat', 'inbox.jsonl'), `${JSON.stringify(line)}\n`);
    const isTaken = (): boolean =>
      books.rows('select 1 from ingest_event where external_id = ?', id).length > 0;
    await this.wait(isTaken, `${id} is taken`);
    accepted.add(id);
  }

  isHeard(text: string): boolean {
    return this.world.home.chat.textsIn('general').some((one) => one.includes(text));
  }

  exists(path: string): boolean {
    return existsSync(join(this.world.home.dataDir, 'workspaces', 'community', path));
  }
}
