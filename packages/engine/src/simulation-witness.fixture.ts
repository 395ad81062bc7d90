import {
  type Approval,
  type AuditEvent,
  type Effect,
  effectDigest,
  grantersOf,
  INTEGRITY,
  isFinalRun,
  type LlmRequest,
  type Message,
  type Run,
  type StoreReader,
} from '@agent-runtime/domain';
import type { OpenStore } from '@agent-runtime/store';
import type { ManualClock, MemoryPanic } from '@agent-runtime/testkit';
import { belongsTo } from './effect/rules.ts';
import { DOUBT_CODE } from './settle/record.ts';
import { must } from './settle/world.fixture.ts';
import type { Leaving } from './simulation-outside.fixture.ts';

const FINAL_EFFECT: ReadonlySet<string> = new Set([
  'done',
  'rejected',
  'uncertain',
  'void',
  'denied',
  'withdrawn',
  'superseded',
  'expired',
]);

/** What the witness can see: the data on the disk and the switch, never the memory of a process. */
export interface Sight {
  readonly opened: () => OpenStore;
  readonly clock: ManualClock;
  readonly panic: MemoryPanic;
}

/** Stands outside, looks at everything that leaves and at what is on record, and writes down what must not be. */
export class Witness {
  readonly faults: string[] = [];
  /** `<effect>/<part>` -> how often it arrived. */
  readonly arrived = new Map<string, number>();
  /** Effects of which a person said that they had been sent: nobody else knows. */
  readonly vouchedFor = new Set<string>();
  /** Effects of which a person said whether they had been sent. */
  readonly judged = new Set<string>();
  /** Principal keys whose rights were taken away, in words that the engine has heard. */
  readonly revoked = new Set<string>();
  /** Principal keys whose grants are gone, though nobody told the engine. */
  readonly lapsed = new Set<string>();
  /** Effects and runs that were there when panic ended. */
  readonly #old = new Set<string>();
  /** Conversation -> run whose model call goes on, with the process it runs in. */
  readonly #calling = new Map<string, { readonly run: string; readonly life: number }>();
  readonly #sight: Sight;

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  get #read(): StoreReader {
    return this.#sight.opened().store.read;
  }

  say(what: string): void {
    this.faults.push(what);
  }

  /** Everything that is there now is old: it must not start again. */
  async panicEnded(): Promise<void> {
    for (const table of ['effect', 'run'] as const)
      for (const row of await this.#read.find(table, {})) this.#old.add(row.id);
  }

  arrive(one: Leaving): void {
    const key = `${one.effectId}/${one.part}`;
    this.arrived.set(key, (this.arrived.get(key) ?? 0) + 1);
  }

  /** T1, T4, panic and revocation at the moment a byte leaves. */
  async leave(one: Leaving): Promise<void> {
    const effect = must(await this.#effect(one.effectId));
    const say = (what: string): void => this.say(`${effect.kind} ${effect.id} part ${one.part}: ${what}`);
    if (this.#sight.panic.isOn()) say('began under panic');
    if (this.#old.has(effect.id)) say('is from before panic');
    if (this.#isRevoked(effect.requester)) say('left after the rights were taken away');
    if (effect.state !== 'performing') say(`left while ${effect.state}`);
    if (JSON.stringify(one.payload) !== JSON.stringify(effect.payloads[one.part])) say('has other bytes');
    if (one.part !== effect.receipts.length) say(`left when ${effect.receipts.length} parts were on record`);
    const [decided] = await this.#sight.opened().audit.tail(1, {
      subject: effect.id,
      action: 'effect.perform',
    });
    if (decided?.data.attempt !== effect.attempts) say(`no decision for try ${effect.attempts}`);
    if (decided?.data.digest !== effect.digest) say('decided were others');
    if (effect.decision === 'ask') {
      const approval = await this.#approvalOf(effect);
      this.#inspectApproval(effect, approval, say);
      // The rest of what has begun goes on under its own decision; each new try is decided afresh.
      if (approval !== undefined && decided?.data.from === one.part) this.#inspectGranters(approval, say);
    } else if (effect.class !== 'E0') say(`left without a question, class ${effect.class}`);
  }

  #inspectApproval(effect: Effect, approval: Approval | undefined, say: (what: string) => void): void {
    if (approval === undefined) {
      say('has no approval');
      return;
    }
    if (approval.state !== 'consumed') say(`its approval is ${approval.state}`);
    if (approval.effect !== effect.id || approval.digest !== effectDigest(effect))
      say('approved were others');
    if (grantersOf(approval).length < approval.needed) say('too few people granted it');
    if (this.#sight.clock.nowMs() >= approval.expiresAt) say('its approval has expired');
  }

  #inspectGranters(approval: Approval, say: (what: string) => void): void {
    const entitled = grantersOf(approval).filter((user) => !this.revoked.has(user));
    if (entitled.length < approval.needed) say('left although who granted it has lost the role');
  }

  /** One run of a conversation at a time; nothing old, nothing of nobody, nothing under panic. @param life number of the process */
  async call(request: LlmRequest, life: number): Promise<void> {
    const id = request.idempotencyKey?.split(':')[0];
    const run = must((await this.#read.find('run', {})).find((one) => one.id === id));
    const task = must(await this.#read.get('task', { id: run.task }));
    if (this.#sight.panic.isOn()) this.say(`${run.id} called the model under panic`);
    if (this.#old.has(run.id)) this.say(`${run.id} is from before panic and called the model`);
    if (this.#isRevoked(task.requester)) this.say(`${run.id} called the model after a revocation`);
    if ([...this.lapsed].some((key) => belongsTo(task.requester, key)))
      this.say(`${run.id} went on to ${request.idempotencyKey} without a grant`);
    const other = this.#calling.get(run.conversation);
    if (other !== undefined && other.run !== run.id && other.life === life) {
      const state = (await this.#read.find('run', {})).find((one) => one.id === other.run)?.state;
      if (state === 'running') this.say(`${run.id} and ${other.run} ran at once in one conversation`);
    }
    this.#calling.set(run.conversation, { run: run.id, life });
  }

  /** T3 for files: without a person who vouches nothing is above a member's word, nor above what its run has read. */
  async write(label: { readonly integrity: number }, data: unknown, isRaised: boolean): Promise<void> {
    if (isRaised) return;
    const id = (data as { readonly run?: string } | undefined)?.run; // safe: compared with ids only
    const run = (await this.#read.find('run', {})).find((one) => one.id === id);
    const input = run === undefined ? undefined : await this.#read.get('context_message', { id: run.input });
    const bound = Math.min(INTEGRITY.member, input?.label.integrity ?? INTEGRITY.outside);
    if (label.integrity > bound) this.say(`a file was written at ${label.integrity}, above ${bound}`);
  }

  /** What must hold when everything has come to rest. */
  async verdict(events: readonly AuditEvent[]): Promise<void> {
    const runs = await this.#read.find('run', {});
    const effects = await this.#read.find('effect', {});
    const messages = await this.#read.find('context_message', {});
    this.#runsEnded(runs, messages, effects);
    this.#inOrder(runs, messages, events);
    this.#effectsEnded(effects);
    for (const entry of await this.#read.find('ledger_entry', {})) {
      if (entry.state === 'reserved') this.say(`${entry.id} is still reserved`);
      if (entry.tokens < 0 || entry.costUsdMicros < 0) this.say(`${entry.id} is negative`);
    }
    for (const state of ['queued', 'running'] as const)
      for (const work of await this.#sight.opened().journal.list({ state, limit: 10 }))
        this.say(`${work.id} is ${state} in the journal`);
    for (const problem of (await this.#sight.opened().audit.verify()).problems)
      this.say(`the log: ${problem.text}`);
  }

  #runsEnded(runs: readonly Run[], messages: readonly Message[], effects: readonly Effect[]): void {
    const inputs = new Map(messages.map((message) => [message.id, message]));
    for (const run of runs) {
      const answers = messages.filter((message) => message.run === run.id && message.direction === 'out');
      const own = answers.filter((message) => message.sender === 'assistant');
      const replies = effects.filter((effect) => effect.run === run.id && effect.kind === 'message.reply');
      const wanted = run.state === 'succeeded' ? 1 : 0;
      if (!isFinalRun(run.state)) this.say(`${run.id} is ${run.state}`);
      if (replies.length !== wanted) this.say(`${run.id} ${run.state} has ${replies.length} answers`);
      const said = own.filter((message) => message.text === run.output);
      if (said.length < wanted) this.say(`${run.id} answered and its words are not in the conversation`);
      const bound = Math.min(INTEGRITY.member, inputs.get(run.input)?.label.integrity ?? 0);
      for (const one of [...said, ...replies])
        if (one.label.integrity > bound && run.state === 'succeeded' && !isFixed(one))
          this.say(`${one.id} of ${run.id} is at ${one.label.integrity}, above ${bound}`);
    }
    const firsts = runs.filter((run) => run.attempt === 1).map((run) => run.input);
    if (new Set(firsts).size !== firsts.length) this.say('one message started two runs');
  }

  /** Runs of a conversation start in the order of the messages that asked for them. */
  #inOrder(runs: readonly Run[], messages: readonly Message[], events: readonly AuditEvent[]): void {
    const seqs = new Map(messages.map((message) => [message.id, message.seq]));
    const byId = new Map(runs.map((run) => [run.id as string, run]));
    const last = new Map<string, number>();
    for (const event of events) {
      const run = event.action === 'run.start' ? byId.get(event.subject) : undefined;
      if (run === undefined || run.attempt !== 1) continue;
      const seq = seqs.get(run.input) ?? 0;
      if (seq < (last.get(run.conversation) ?? 0)) this.say(`${run.id} started out of order`);
      last.set(run.conversation, seq);
    }
  }

  #effectsEnded(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (!FINAL_EFFECT.has(effect.state)) this.say(`${effect.kind} ${effect.id} is stuck ${effect.state}`);
      for (const part of effect.payloads.keys()) {
        const times = this.arrived.get(`${effect.id}/${part}`) ?? 0;
        const isPushed = effect.attempts > 0;
        const isKnown = !this.vouchedFor.has(effect.id);
        if (
          effect.state === 'done' &&
          isPushed &&
          isKnown &&
          times === 0 &&
          effect.kind.startsWith('message.')
        )
          this.say(`${effect.id} part ${part} is done and never arrived`);
        if (times > 1 && effect.decision === 'ask')
          this.say(`${effect.id} part ${part} arrived ${times} times`);
        // What people found out about an uncertain one is their word.
        const isListed =
          effect.error?.code === DOUBT_CODE || effect.state === 'uncertain' || this.judged.has(effect.id);
        if (times > 1 && !isListed)
          this.say(`${effect.id} part ${part} arrived ${times} times and is not listed as doubtful`);
        if (times > 0 && part >= effect.receipts.length && !isListed)
          this.say(`${effect.id} part ${part} arrived, and it is ${effect.state} as if it had not`);
      }
    }
  }

  #isRevoked(principal: Effect['requester']): boolean {
    return [...this.revoked].some((key) => belongsTo(principal, key));
  }

  async #effect(id: string): Promise<Effect | undefined> {
    return this.#read.get('effect', { id: id as Effect['id'] }); // safe: only compared
  }

  async #approvalOf(effect: Effect): Promise<Approval | undefined> {
    return effect.approval === undefined ? undefined : this.#read.get('approval', { id: effect.approval });
  }
}

/** The fixed refusal says nothing of what it stands for, so it may be public and of staff. */
function isFixed(one: { readonly label: { readonly integrity: number } }): boolean {
  return one.label.integrity === INTEGRITY.staff;
}
