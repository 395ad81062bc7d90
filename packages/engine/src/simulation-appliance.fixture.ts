import { memorySearch, scriptedProvider } from '@agent-runtime/adapters';
import { AppError, digestOf, type Json, makeRedactor, type WorkspaceFiles } from '@agent-runtime/domain';
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
import type { Accepted, Arrival, Engine, EngineDeps } from './api.ts';
import { makeEngine } from './engine.ts';
import { ROUTE } from './run/run.fixture.ts';
import { memoryFiles, scriptedConnector } from './settle/outside.fixture.ts';
import { CONFIG, must, WORKSPACE } from './settle/world.fixture.ts';
import type { Disk, Mood } from './simulation-moves.fixture.ts';
import { moodyConnector, moodyModel } from './simulation-outside.fixture.ts';
import { Mortal } from './simulation-process.fixture.ts';
import { Witness } from './simulation-witness.fixture.ts';

const SWEEP_MS = 5 * 3_600_000;
/** A commit begins in the turn after it was asked for; eight turns gave the same histories. */
const QUIET_TURNS = 2;

/** Something that was sent to the appliance, offered again until it is answered. */
export interface Sent {
  readonly arrival: Arrival;
  accepted: Accepted | undefined;
  /** The door said no with an error, which is an answer too. */
  isRefused: boolean;
}

/** The world around the appliance, and the appliance in it, over its deaths. */
export class Appliance {
  /** Between two instants `quiet` waits; the clock's own rounds would only be added. */
  protected readonly clock = manualClock(undefined, async () => {});
  protected readonly panic = memoryPanic();
  protected readonly ids;
  protected readonly search = memorySearch([
    { workspace: WORKSPACE, path: 'notes/a.md', text: 'Opening hours: nine to five.' },
  ]);
  protected readonly witness;
  protected readonly model;
  protected readonly folder: string;
  protected readonly trace: string[] = [];
  protected readonly sent: Sent[] = [];
  protected readonly points = new Set<string>();
  protected readonly feed = memoryLiveFeed();
  protected kept: ReturnType<typeof memoryFiles> | undefined;
  protected mood: Mood = 'fine';
  protected disk: Disk = 'fine';
  protected isTame = false;
  protected deaths = 0;
  protected lives = 0;
  protected said = 0;
  protected process = new Mortal();
  protected opened: OpenStore | undefined;
  protected engine: Engine | undefined;

  constructor(seed: number, folder: string) {
    this.folder = folder;
    // Far from the seed of the template: the same one would make its ids again.
    this.ids = seededIds(seed + 1_000);
    this.witness = new Witness({
      opened: () => must(this.opened),
      clock: this.clock,
      panic: this.panic,
    });
    this.model = moodyModel(
      seed,
      () => this.isTame,
      async (request) => {
        this.note('model', digestOf(request as unknown as Json)); // safe: made of texts and numbers
        await this.witness.call(request, this.lives);
      },
    );
  }

  protected note(what: string, value: unknown = ''): void {
    this.trace.push(`${this.clock.monotonicMs()} ${what} ${JSON.stringify(value)}`);
  }

  async close(): Promise<void> {
    this.process.die();
    await this.opened?.close();
  }

  protected async open(): Promise<void> {
    this.lives += 1;
    const process = new Mortal();
    this.process = process;
    this.opened = await openMemoryStore({ dataDir: this.folder, clock: this.clock, crash: process });
    this.engine = makeEngine(this.deps(process, this.opened));
    this.call('start', this.engine.start());
    await this.quiet();
  }

  protected deps(process: Mortal, opened: OpenStore): EngineDeps {
    const disk = (): Disk => this.disk;
    const clock = process.clock(this.clock);
    const store = process.store(opened.store, disk);
    const chat = moodyConnector({
      onLeave: async (one) => {
        this.note('leaves', one);
        await this.witness.leave(one);
      },
      onArrive: (one) => this.witness.arrive(one),
      sleep: clock.sleep,
      mood: () => this.mood,
    });
    return {
      store,
      journal: process.journal(opened.journal, disk),
      audit: process.port(opened.audit),
      files: process.port(this.files(store)),
      search: process.port(this.search),
      providers: [scriptedProvider({ script: this.model, clock })],
      routes: [ROUTE],
      tools: allTools,
      connectors: [
        { ...chat, deliver: (...args) => process.through(() => chat.deliver(...args)) },
        scriptedConnector('cli', 'pull'),
      ],
      panic: process.panic(this.panic),
      clock,
      ids: this.ids,
      log: recordingLogger(),
      metrics: noMetrics,
      live: this.feed,
      crash: process,
      redactor: makeRedactor(() => []),
      config: { ...CONFIG, botName: 'helper_bot', sweepMs: SWEEP_MS },
    };
  }

  /** The files outlive the process; only the store behind their label rows is new. */
  protected files(store: EngineDeps['store']): WorkspaceFiles {
    const files = memoryFiles(store);
    for (const [path, text] of this.kept?.texts ?? []) files.texts.set(path, text);
    for (const [path, label] of this.kept?.labels ?? []) files.labels.set(path, label);
    this.kept = files;
    return {
      ...files,
      write: async (input) => {
        this.note('write', [input.path, input.text]);
        await this.witness.write(input.label, input.audit.data, input.isRaised === true);
        return files.write(input);
      },
    };
  }

  protected async reopen(): Promise<void> {
    this.deaths += 1;
    this.note('died');
    for (const point of this.process.reached) this.points.add(point);
    await this.turns(6);
    await must(this.opened).close();
    await this.open();
    // What was not acknowledged is offered again, as platforms do.
    for (const sent of this.sent) if (sent.accepted === undefined && !sent.isRefused) this.deliver(sent);
    await this.quiet();
    if (this.process.isDead) await this.reopen();
  }

  protected async turns(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Until no port was called for a while: nothing moves any more without time. */
  protected async quiet(): Promise<void> {
    for (let still = 0; still < QUIET_TURNS; ) {
      const before = this.process.calls + this.trace.length;
      await this.turns(1);
      still = this.process.calls + this.trace.length === before ? still + 1 : 0;
    }
  }

  protected async advance(ms: number): Promise<void> {
    const end = this.clock.monotonicMs() + ms;
    await this.quiet();
    for (;;) {
      const dueMs = this.clock.nextDueInMs;
      if (dueMs === undefined || this.clock.monotonicMs() + dueMs > end) break;
      await this.clock.advance(dueMs);
      await this.quiet();
    }
    await this.clock.advance(end - this.clock.monotonicMs());
    await this.quiet();
  }

  /** An order whose outcome is only written down: refusals are part of life. */
  protected call<T>(what: string, work: Promise<T>, onDone: (value: T) => unknown = () => {}): void {
    work.then(
      async (value) => {
        this.note(`${what}: ok`, value ?? '');
        await onDone(value);
      },
      (thrown: unknown) => {
        const code = thrown instanceof AppError ? thrown.code : String(thrown);
        this.note(`${what}: no`, code);
        // A refusal has words; an error of the machinery is nobody's answer.
        const isAnswer =
          thrown instanceof AppError && thrown.kind !== 'bug' && !code.startsWith('database.row');
        if (!isAnswer) this.witness.say(`${what}: ${code}`);
      },
    );
  }

  protected get engineNow(): Engine {
    return must(this.engine);
  }

  protected deliver(sent: Sent): void {
    const { externalId } = sent.arrival.event;
    const work = this.accept(sent.arrival);
    work.catch((thrown: unknown) => {
      // Not now is offered again, as platforms do; every other no is an answer.
      sent.isRefused = thrown instanceof AppError && thrown.kind !== 'unavailable';
    });
    this.call(`accept ${externalId}`, work, (accepted) => {
      if (sent.accepted !== undefined && !isSame(sent.accepted, accepted))
        this.witness.say(`${externalId} was taken twice with two outcomes`);
      sent.accepted ??= accepted;
    });
  }

  protected async accept(arrival: Arrival): Promise<Accepted> {
    return this.process.through(() => this.engineNow.accept(arrival));
  }

  protected async restart(): Promise<void> {
    await this.drain();
    this.process.die();
  }

  protected async drain(): Promise<void> {
    let isOver = false;
    this.engineNow.drain(1).then(
      () => {
        isOver = true;
      },
      () => {
        isOver = true;
      },
    );
    for (let round = 0; round < 20 && !isOver && !this.process.isDead; round += 1) await this.advance(1_000);
    if (!isOver && !this.process.isDead && this.disk === 'fine') this.witness.say('the drain did not end');
  }
}

function isSame(one: Accepted, other: Accepted): boolean {
  return one.outcome === other.outcome && one.run === other.run && one.task === other.task;
}
