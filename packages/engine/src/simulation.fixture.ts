import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memorySearch, scriptedProvider } from '@agent-runtime/adapters';
import {
  AppError,
  type Approval,
  digestOf,
  type Json,
  makeRedactor,
  type Principal,
  type Run,
  type WorkspaceFiles,
} from '@agent-runtime/domain';
import { type OpenStore, openMemoryStore } from '@agent-runtime/store';
import {
  manualClock,
  memoryLiveFeed,
  memoryPanic,
  noMetrics,
  recordingLogger,
  seededIds,
} from '@agent-runtime/testkit';
import { allTools } from '@agent-runtime/tools';
import type { Accepted, Actor, Arrival, Engine, EngineDeps } from './api.ts';
import { makeEngine } from './engine.ts';
import { ROUTE } from './run/run.fixture.ts';
import { memoryFiles, scriptedConnector } from './settle/outside.fixture.ts';
import {
  BOSS,
  CONFIG,
  contextRow,
  MEMBER,
  makeWorld,
  must,
  OPERATOR,
  ORIGIN,
  person,
  TEST_AUDIT,
  WORKSPACE,
} from './settle/world.fixture.ts';
import type { Disk, Mood, Move, Name, TimedMove } from './simulation-moves.fixture.ts';
import { moodyConnector, moodyModel } from './simulation-outside.fixture.ts';
import { Mortal } from './simulation-process.fixture.ts';
import { Witness } from './simulation-witness.fixture.ts';

const USERS = { mia: MEMBER, olga: OPERATOR, boss: BOSS } as const;
const HOUR_MS = 3_600_000;
/** Memory, where the machine has such a folder: a history opens its store several times. */
const BASE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** What one history came to. */
export interface Played {
  readonly faults: readonly string[];
  /** Everything that happened, in order; the same in every play of the same moves. */
  readonly trace: readonly string[];
  readonly digest: string;
  readonly counts: Readonly<Record<'runs' | 'answers' | 'asked' | 'executed' | 'deaths', number>>;
  /** Crash points that were passed. */
  readonly points: ReadonlySet<string>;
}

/** Plays histories, each on its own copy of one prepared store. */
export interface Theatre {
  play(seed: number, moves: readonly TimedMove[]): Promise<Played>;
  close(): void;
}

export async function openTheatre(): Promise<Theatre> {
  const root = mkdtempSync(join(BASE, 'simulation-'));
  const template = join(root, 'template');
  await prepare(template);
  let plays = 0;
  return {
    play: async (seed, moves) => {
      plays += 1;
      const folder = join(root, `play-${plays}`);
      cpSync(template, folder, { recursive: true });
      const history = new History(seed, folder);
      try {
        return await history.run(moves);
      } finally {
        await history.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

async function prepare(folder: string): Promise<void> {
  const world = await makeWorld(folder);
  const nowMs = world.clock.nowMs();
  await world.deps.store.commit(TEST_AUDIT, async (tx) => {
    for (const [externalId, user] of Object.entries(USERS))
      await tx.insert('identity_link', {
        id: world.deps.ids.make('identity'),
        connector: 'chat',
        externalId,
        user,
        displayName: externalId,
        createdAt: nowMs,
      });
    const plaza = contextRow('plaza' as typeof ORIGIN, 'plaza-channel', nowMs); // safe: a slug
    await tx.insert('context', { ...plaza, openness: 'open' });
  });
  await world.close();
}

interface Sent {
  readonly arrival: Arrival;
  accepted: Accepted | undefined;
  /** The door said no with an error, which is an answer too. */
  isRefused: boolean;
}

/** The world around the appliance, and the appliance in it, over its deaths. */
class History {
  readonly #clock = manualClock();
  readonly #panic = memoryPanic();
  readonly #ids;
  readonly #search = memorySearch([
    { workspace: WORKSPACE, path: 'notes/a.md', text: 'Opening hours: nine to five.' },
  ]);
  readonly #witness;
  readonly #model;
  readonly #folder: string;
  readonly #trace: string[] = [];
  readonly #sent: Sent[] = [];
  readonly #points = new Set<string>();
  readonly #live = memoryLiveFeed();
  #kept: ReturnType<typeof memoryFiles> | undefined;
  #mood: Mood = 'fine';
  #disk: Disk = 'fine';
  #isTame = false;
  #deaths = 0;
  #lives = 0;
  #said = 0;
  #process = new Mortal();
  #opened: OpenStore | undefined;
  #engine: Engine | undefined;

  constructor(seed: number, folder: string) {
    this.#folder = folder;
    this.#ids = seededIds(seed + 1);
    this.#witness = new Witness({
      opened: () => must(this.#opened),
      clock: this.#clock,
      panic: this.#panic,
    });
    this.#model = moodyModel(
      seed,
      () => this.#isTame,
      async (request) => {
        this.#note('model', digestOf(request as unknown as Json)); // safe: made of texts and numbers
        await this.#witness.call(request, this.#lives);
      },
    );
  }

  #note(what: string, value: unknown = ''): void {
    this.#trace.push(`${this.#clock.monotonicMs()} ${what} ${JSON.stringify(value)}`);
  }

  async run(moves: readonly TimedMove[]): Promise<Played> {
    await this.#open();
    for (const { move, turns } of moves) {
      this.#note('move', move);
      await this.#act(move);
      if (turns === undefined) await this.#quiet();
      else await this.#turns(turns);
      if (this.#process.isDead) await this.#reopen();
    }
    await this.#finale();
    return this.#played();
  }

  async close(): Promise<void> {
    this.#process.die();
    await this.#opened?.close();
  }

  async #open(): Promise<void> {
    this.#lives += 1;
    const process = new Mortal();
    this.#process = process;
    this.#opened = await openMemoryStore({ dataDir: this.#folder, clock: this.#clock, crash: process });
    this.#engine = makeEngine(this.#deps(process, this.#opened));
    this.#call('start', this.#engine.start());
    await this.#quiet();
  }

  #deps(process: Mortal, opened: OpenStore): EngineDeps {
    const disk = (): Disk => this.#disk;
    const clock = process.clock(this.#clock);
    const store = process.store(opened.store, disk);
    const chat = moodyConnector({
      onLeave: async (one) => {
        this.#note('leaves', one);
        await this.#witness.leave(one);
      },
      onArrive: (one) => this.#witness.arrive(one),
      sleep: clock.sleep,
      mood: () => this.#mood,
    });
    return {
      store,
      journal: process.journal(opened.journal, disk),
      audit: process.port(opened.audit),
      files: process.port(this.#files(store)),
      search: process.port(this.#search),
      providers: [scriptedProvider({ script: this.#model, clock })],
      routes: [ROUTE],
      tools: allTools,
      connectors: [
        { ...chat, deliver: (...args) => process.through(() => chat.deliver(...args)) },
        scriptedConnector('cli', 'pull'),
      ],
      panic: process.panic(this.#panic),
      clock,
      ids: this.#ids,
      log: recordingLogger(),
      metrics: noMetrics,
      live: this.#live,
      crash: process,
      redactor: makeRedactor(() => []),
      config: { ...CONFIG, botName: 'helper_bot', sweepMs: HOUR_MS },
    };
  }

  /** The files outlive the process; only the store behind their label rows is new. */
  #files(store: EngineDeps['store']): WorkspaceFiles {
    const files = memoryFiles(store);
    for (const [path, text] of this.#kept?.texts ?? []) files.texts.set(path, text);
    for (const [path, label] of this.#kept?.labels ?? []) files.labels.set(path, label);
    this.#kept = files;
    return {
      ...files,
      write: async (input) => {
        this.#note('write', [input.path, input.text]);
        await this.#witness.write(input.label, input.audit.data, input.isRaised === true);
        return files.write(input);
      },
    };
  }

  async #reopen(): Promise<void> {
    this.#deaths += 1;
    this.#note('died');
    for (const point of this.#process.reached) this.#points.add(point);
    await this.#turns(6);
    await must(this.#opened).close();
    await this.#open();
    // What was not acknowledged is offered again, as platforms do.
    for (const sent of this.#sent) if (sent.accepted === undefined && !sent.isRefused) this.#deliver(sent);
    await this.#quiet();
    if (this.#process.isDead) await this.#reopen();
  }

  async #turns(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Until no port was called for a while: nothing moves any more without time. */
  async #quiet(): Promise<void> {
    for (let still = 0; still < 5; ) {
      const before = this.#process.calls + this.#trace.length;
      await this.#turns(1);
      still = this.#process.calls + this.#trace.length === before ? still + 1 : 0;
    }
  }

  async #advance(ms: number): Promise<void> {
    const end = this.#clock.monotonicMs() + ms;
    await this.#quiet();
    for (;;) {
      const dueMs = this.#clock.nextDueInMs;
      if (dueMs === undefined || this.#clock.monotonicMs() + dueMs > end) break;
      await this.#clock.advance(dueMs);
      await this.#quiet();
    }
    await this.#clock.advance(end - this.#clock.monotonicMs());
    await this.#quiet();
  }

  /** An order whose outcome is only written down: refusals are part of life. */
  #call<T>(what: string, work: Promise<T>, onDone: (value: T) => unknown = () => {}): void {
    work.then(
      async (value) => {
        this.#note(`${what}: ok`, value ?? '');
        await onDone(value);
      },
      (thrown: unknown) => {
        const code = thrown instanceof AppError ? thrown.code : String(thrown);
        this.#note(`${what}: no`, code);
        // A refusal has words; an error of the machinery is nobody's answer.
        const isAnswer = thrown instanceof AppError && thrown.kind !== 'bug' && !code.startsWith('database.row');
        if (!isAnswer) this.#witness.say(`${what}: ${code}`);
      },
    );
  }

  async #act(move: Move): Promise<void> {
    switch (move.do) {
      case 'say':
        return this.#tell(this.#words(move.by, `words ${this.#said}`, `${move.place}-channel`, move.isRelayed));
      case 'post':
        return this.#tell(this.#posted(move.door, move.by));
      case 'command':
        return this.#command(move);
      case 'repeat':
      case 'forge':
      case 'edit event':
        return this.#again(move);
      case 'abort':
      case 'retry':
      case 'steer':
        return this.#order(move);
      case 'approve':
      case 'deny':
      case 'withdraw':
      case 'edit':
        return this.#answer(move);
      case 'resolve':
        return this.#resolve(move);
      case 'panic on':
        return this.#call(move.do, this.#live_.panicOn(signed(move.by)));
      case 'panic off':
        return this.#panicOff(move.by);
      case 'revoke':
        return this.#revoke(move.who);
      case 'grant':
        return this.#grant(move.who);
      case 'outside':
        this.#mood = move.mood;
        return;
      case 'disk':
        this.#disk = move.disk;
        return;
      case 'wait':
        return this.#advance(move.ms);
      case 'jump':
        return this.#clock.jumpWall(move.ms);
      case 'die':
        return this.#process.arm(move.atNth);
      case 'kill':
        return this.#process.die();
      case 'restart':
        return this.#restart();
      default: {
        const never: never = move;
        return never;
      }
    }
  }

  get #live_(): Engine {
    return must(this.#engine);
  }

  #words(by: string, text: string, channel: string, isRelayed = false): Arrival {
    this.#said += 1;
    return {
      event: {
        source: 'chat:test',
        externalId: `m${this.#said}`,
        kind: 'message',
        channel: { id: channel, kind: 'channel', title: channel },
        sender: { id: by, displayName: by, isBot: false },
        text,
        isAddressed: true,
        isRelayed,
        sentAt: this.#clock.nowMs(),
      },
      door: 'chat',
      conversationKey: channel,
    };
  }

  #posted(door: 'http' | 'cli', by: Name): Arrival {
    const arrival = this.#words(by, `posted ${this.#said}`, 'ops-channel');
    const source = `${door}:test`;
    const authenticated = { principal: principalOf(by), context: ORIGIN };
    return { ...arrival, event: { ...arrival.event, source }, door, conversationKey: door, authenticated };
  }

  #tell(arrival: Arrival): void {
    const sent: Sent = { arrival, accepted: undefined, isRefused: false };
    this.#sent.push(sent);
    this.#deliver(sent);
  }

  #deliver(sent: Sent): void {
    const { externalId } = sent.arrival.event;
    const work = this.#accept(sent.arrival);
    work.catch((thrown: unknown) => {
      // Not now is offered again, as platforms do; every other no is an answer.
      sent.isRefused = thrown instanceof AppError && thrown.kind !== 'unavailable';
    });
    this.#call(`accept ${externalId}`, work, (accepted) => {
      if (sent.accepted !== undefined && !isSame(sent.accepted, accepted))
        this.#witness.say(`${externalId} was taken twice with two outcomes`);
      sent.accepted ??= accepted;
    });
  }

  async #accept(arrival: Arrival): Promise<Accepted> {
    return this.#process.through(() => this.#live_.accept(arrival));
  }

  async #command(move: Extract<Move, { readonly do: 'command' }>): Promise<void> {
    const approval = await this.#approval(move.nth);
    const run = await this.#run(move.nth);
    const text = move.text.replace('ID', approval?.id ?? 'none').replace('RUN', run?.id ?? 'none');
    this.#tell(this.#words(move.by, text, 'ops-channel'));
  }

  #again(move: Extract<Move, { readonly do: 'repeat' | 'forge' | 'edit event' }>): void {
    const sent = this.#sent.at(-1 - move.nth);
    if (sent === undefined) return;
    const { event } = sent.arrival;
    if (move.do === 'repeat') return this.#deliver(sent);
    if (move.do === 'edit event')
      return this.#tell({
        ...sent.arrival,
        event: { ...event, kind: 'edit', text: '/panic on', externalId: `${event.externalId}-edit-${this.#sent.length}` },
      });
    const forged = { ...sent.arrival, event: { ...event, text: `${event.text} forged` } };
    if (sent.accepted === undefined) return;
    this.#call('forge', this.#accept(forged), (accepted) => {
      const isKnown = sent.accepted?.outcome !== 'refused';
      if (isKnown) this.#witness.say(`other words under a used key were ${accepted.outcome}`);
    });
  }

  async #order(move: Extract<Move, { readonly do: 'abort' | 'retry' | 'steer' }>): Promise<void> {
    const run = await this.#run(move.nth);
    if (run === undefined) return;
    const actor = signed(move.by);
    if (move.do === 'abort') this.#call('abort', this.#live_.abort(run.id, actor));
    if (move.do === 'retry') this.#call('retry', this.#live_.retry(run.task, actor));
    if (move.do === 'steer') this.#call('steer', this.#live_.steer(run.id, 'and more', actor));
  }

  async #answer(
    move: Extract<Move, { readonly do: 'approve' | 'deny' | 'withdraw' | 'edit' }>,
  ): Promise<void> {
    const approval = await this.#approval(move.nth);
    if (approval === undefined) return;
    const actor: Actor = { principal: principalOf(move.by), via: move.isSigned ? 'signed' : 'chat' };
    const { id, digest } = approval;
    if (move.do === 'approve') this.#call('approve', this.#live_.approve(id, digest, actor));
    if (move.do === 'deny') this.#call('deny', this.#live_.deny(id, 'no', actor));
    if (move.do === 'withdraw') this.#call('withdraw', this.#live_.withdraw(id, actor));
    if (move.do === 'edit') this.#call('edit', this.#live_.edit(id, 'other words', actor));
  }

  async #resolve(move: Extract<Move, { readonly do: 'resolve' }>): Promise<void> {
    const doubtful = await must(this.#opened).store.read.find('effect', { state: 'uncertain' });
    const effect = doubtful.at(-1 - move.nth);
    if (effect === undefined) return;
    const outcome = move.isSent ? 'sent' : 'not-sent';
    this.#call('resolve', this.#live_.resolve(effect.id, outcome, signed('boss')));
  }

  async #panicOff(by: Name): Promise<void> {
    if (!this.#panic.isOn()) return;
    // What is there before the order can only be old; what comes in the meantime is the engine's to tell apart.
    await this.#witness.panicEnded();
    this.#call('panic off', this.#live_.panicOff(signed(by)));
    await this.#quiet();
  }

  async #revoke(who: 'mia' | 'olga'): Promise<void> {
    const process = this.#process;
    const principal = USERS[who];
    const removed = process.through(() =>
      must(this.#opened).store.commit(TEST_AUDIT, (tx) => tx.remove('identity_grant', { principal })),
    );
    this.#call('revoke', removed, () => {
      this.#call('revoked', this.#live_.revoked(principal), () => void this.#witness.revoked.add(principal));
    });
    await this.#quiet();
  }

  async #grant(who: 'mia' | 'olga'): Promise<void> {
    const principal = USERS[who];
    this.#witness.revoked.delete(principal);
    const grant = {
      id: this.#ids.make('grant'),
      principal,
      role: who === 'mia' ? ('member' as const) : ('operator' as const),
      scope: { kind: 'all' as const },
      grantedBy: 'test',
      createdAt: this.#clock.nowMs(),
    };
    this.#call(
      'grant',
      this.#process.through(() =>
        must(this.#opened).store.commit(TEST_AUDIT, (tx) => tx.insert('identity_grant', grant)),
      ),
    );
    await this.#quiet();
  }

  async #approval(nth: number): Promise<Approval | undefined> {
    const all = await must(this.#opened).store.read.find('approval', {});
    return all.at(-1 - nth);
  }

  async #run(nth: number): Promise<Run | undefined> {
    const all = await must(this.#opened).store.read.find('run', {});
    return all.at(-1 - nth);
  }

  async #restart(): Promise<void> {
    await this.#drain();
    this.#process.die();
  }

  async #drain(): Promise<void> {
    let isOver = false;
    this.#live_.drain(1).then(
      () => {
        isOver = true;
      },
      () => {
        isOver = true;
      },
    );
    for (let round = 0; round < 20 && !isOver && !this.#process.isDead; round += 1) await this.#advance(1_000);
    if (!isOver && !this.#process.isDead && this.#disk === 'fine') this.#witness.say('the drain did not end');
  }

  /** Faults stop; everything comes to rest, and then it is looked at as a whole. */
  async #finale(): Promise<void> {
    this.#mood = 'fine';
    this.#disk = 'fine';
    this.#isTame = true;
    this.#process.die();
    await this.#reopen();
    if (this.#panic.isOn()) await this.#panicOff('boss');
    await this.#advance(30_000);
    for (const sent of this.#sent) if (sent.accepted === undefined && !sent.isRefused) this.#deliver(sent);
    // Past the deadline of every run, the expiry of every question and a jump of the clock back.
    await this.#advance(20 * 60_000);
    await this.#advance(27 * HOUR_MS);
    for (const sent of this.#sent) await this.#assertTaken(sent);
    await this.#drain();
    for (let turn = 0; turn < 3; turn += 1) await this.#quiet();
    if (this.#clock.sleeping > 0) this.#witness.say(`${this.#clock.sleeping} sleeps are left after the drain`);
    if (this.#live.listeners > 0) this.#witness.say(`${this.#live.listeners} listeners are left`);
    const events = [];
    for await (const event of must(this.#opened).audit.all()) events.push(event);
    await this.#witness.verdict(events);
    for (const event of events) this.#note(`${event.seq} ${event.action}`, event.subject);
    this.#note('head', events.at(-1)?.hash);
  }

  /** No input is lost, and none is taken twice. */
  async #assertTaken(sent: Sent): Promise<void> {
    const { source, externalId } = sent.arrival.event;
    const { read } = must(this.#opened).store;
    if (sent.isRefused) return;
    if (sent.accepted === undefined) return this.#witness.say(`${externalId} never got an answer`);
    const mark = await read.get('ingest_event', { source, externalId });
    if (mark === undefined || mark.outcome !== sent.accepted.outcome || mark.run !== sent.accepted.run)
      this.#witness.say(`${externalId} was ${sent.accepted.outcome}, on record is ${mark?.outcome}`);
    const copies = await read.count('context_message', { externalId, direction: 'in' });
    if (copies > 1) this.#witness.say(`${externalId} is in the conversation ${copies} times`);
  }

  async #played(): Promise<Played> {
    const { read } = must(this.#opened).store;
    for (const point of this.#process.reached) this.#points.add(point);
    const executed = [...this.#witness.arrived.keys()].map((key) => key.split('/')[0]);
    const asked = await read.find('effect', { decision: 'ask' });
    return {
      faults: this.#witness.faults,
      trace: this.#trace,
      digest: digestOf(this.#trace),
      counts: {
        runs: await read.count('run', {}),
        answers: await read.count('effect', { kind: 'message.reply', state: 'done' }),
        asked: asked.length,
        executed: asked.filter((effect) => executed.includes(effect.id) || effect.state === 'done').length,
        deaths: this.#deaths,
      },
      points: this.#points,
    };
  }
}

function principalOf(name: Name): Principal {
  return name === 'sam'
    ? { kind: 'guest', connector: 'chat', sender: 'sam' }
    : person(USERS[name]);
}

function signed(name: Name): Actor {
  return { principal: principalOf(name), via: 'signed' };
}

function isSame(one: Accepted, other: Accepted): boolean {
  return one.outcome === other.outcome && one.run === other.run && one.task === other.task;
}

/** The shortest history that still fails: moves are left out one by one for as long as it does. */
export async function shrink(
  theatre: Theatre,
  seed: number,
  moves: readonly TimedMove[],
): Promise<readonly TimedMove[]> {
  let left = moves;
  for (let at = left.length - 1; at >= 0; at -= 1) {
    const fewer = left.filter((_, index) => index !== at);
    if ((await theatre.play(seed, fewer)).faults.length > 0) left = fewer;
  }
  return left;
}
