import { type Approval, digestOf, type Principal, type Run } from '@agent-runtime/domain';
import type { Actor, Arrival } from './api.ts';
import { BOSS, MEMBER, must, OPERATOR, ORIGIN, person, TEST_AUDIT } from './settle/world.fixture.ts';
import { Appliance, type Sent } from './simulation-appliance.fixture.ts';
import type { Move, Name, TimedMove } from './simulation-moves.fixture.ts';

/** People by the ids of their platform. */
export const USERS = { mia: MEMBER, olga: OPERATOR, boss: BOSS } as const;
const HOUR_MS = 3_600_000;

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

/** One history: what people do, what befalls the appliance, and what it came to. */
export class History extends Appliance {
  async run(moves: readonly TimedMove[]): Promise<Played> {
    await this.open();
    for (const { move, turns } of moves) {
      this.note('move', move);
      await this.act(move);
      if (turns === undefined) await this.quiet();
      else await this.turns(turns);
      if (this.process.isDead) await this.reopen();
    }
    await this.finale();
    return this.played();
  }

  protected async act(move: Move): Promise<void> {
    switch (move.do) {
      case 'say':
        return this.tell(this.words(move.by, `words ${this.said}`, `${move.place}-channel`, move.isRelayed));
      case 'post':
        return this.tell(this.posted(move.door, move.by));
      case 'command':
        return this.command(move);
      case 'repeat':
      case 'forge':
      case 'edit event':
        return this.again(move);
      case 'abort':
      case 'retry':
      case 'steer':
        return this.order(move);
      case 'approve':
      case 'deny':
      case 'withdraw':
      case 'edit':
        return this.answer(move);
      case 'resolve':
        return this.resolve(move);
      case 'panic on':
        return this.call(move.do, this.engineNow.panicOn(signed(move.by)));
      case 'panic off':
        return this.panicOff(move.by);
      case 'revoke':
        return this.revoke(move.who);
      case 'lapse':
        return this.lapse(move.who);
      case 'grant':
        return this.grant(move.who);
      case 'outside':
        this.mood = move.mood;
        return;
      case 'disk':
        this.disk = move.disk;
        return;
      case 'wait':
        return this.advance(move.ms);
      case 'jump':
        return this.clock.jumpWall(move.ms);
      case 'die':
        return this.process.arm(move.atNth);
      case 'kill':
        return this.process.die();
      case 'restart':
        return this.restart();
      default: {
        const never: never = move;
        return never;
      }
    }
  }

  protected words(by: string, text: string, channel: string, isRelayed = false): Arrival {
    this.said += 1;
    return {
      event: {
        source: 'chat:test',
        externalId: `m${this.said}`,
        kind: 'message',
        channel: { id: channel, kind: 'channel', title: channel },
        sender: { id: by, displayName: by, isBot: false },
        text,
        isAddressed: true,
        isRelayed,
        sentAt: this.clock.nowMs(),
      },
      door: 'chat',
      conversationKey: channel,
    };
  }

  protected posted(door: 'http' | 'cli', by: Name): Arrival {
    const arrival = this.words(by, `posted ${this.said}`, 'ops-channel');
    const source = `${door}:test`;
    const authenticated = { principal: principalOf(by), context: ORIGIN };
    return { ...arrival, event: { ...arrival.event, source }, door, conversationKey: door, authenticated };
  }

  protected tell(arrival: Arrival): void {
    const sent: Sent = { arrival, accepted: undefined, isRefused: false };
    this.sent.push(sent);
    this.deliver(sent);
  }

  protected async command(move: Extract<Move, { readonly do: 'command' }>): Promise<void> {
    const approval = await this.approval(move.nth);
    const run = await this.runOf(move.nth);
    const text = move.text.replace('ID', approval?.id ?? 'none').replace('RUN', run?.id ?? 'none');
    this.tell(this.words(move.by, text, 'ops-channel'));
  }

  protected again(move: Extract<Move, { readonly do: 'repeat' | 'forge' | 'edit event' }>): void {
    const sent = this.sent.at(-1 - move.nth);
    if (sent === undefined) return;
    const { event } = sent.arrival;
    if (move.do === 'repeat') {
      this.deliver(sent);
      return;
    }
    if (move.do === 'edit event') {
      this.tell({
        ...sent.arrival,
        event: {
          ...event,
          kind: 'edit',
          text: '/panic on',
          externalId: `${event.externalId}-edit-${this.sent.length}`,
        },
      });
      return;
    }
    const forged = { ...sent.arrival, event: { ...event, text: `${event.text} forged` } };
    if (sent.accepted === undefined) return;
    this.call('forge', this.accept(forged), (accepted) => {
      const isKnown = sent.accepted?.outcome !== 'refused';
      if (isKnown) this.witness.say(`other words under a used key were ${accepted.outcome}`);
    });
  }

  protected async order(move: Extract<Move, { readonly do: 'abort' | 'retry' | 'steer' }>): Promise<void> {
    const run = await this.runOf(move.nth);
    if (run === undefined) return;
    const actor = signed(move.by);
    if (move.do === 'abort') this.call('abort', this.engineNow.abort(run.id, actor));
    if (move.do === 'retry') this.call('retry', this.engineNow.retry(run.task, actor));
    if (move.do === 'steer') this.call('steer', this.engineNow.steer(run.id, 'and more', actor));
  }

  protected async answer(
    move: Extract<Move, { readonly do: 'approve' | 'deny' | 'withdraw' | 'edit' }>,
  ): Promise<void> {
    const approval = await this.approval(move.nth);
    if (approval === undefined) return;
    const actor: Actor = { principal: principalOf(move.by), via: move.isSigned ? 'signed' : 'chat' };
    const { id, digest } = approval;
    if (move.do === 'approve') this.call('approve', this.engineNow.approve(id, digest, actor));
    if (move.do === 'deny') this.call('deny', this.engineNow.deny(id, 'no', actor));
    if (move.do === 'withdraw') this.call('withdraw', this.engineNow.withdraw(id, actor));
    if (move.do === 'edit') this.call('edit', this.engineNow.edit(id, 'other words', actor));
  }

  protected async resolve(move: Extract<Move, { readonly do: 'resolve' }>): Promise<void> {
    const doubtful = await must(this.opened).store.read.find('effect', { state: 'uncertain' });
    const effect = doubtful.at(-1 - move.nth);
    if (effect === undefined) return;
    const outcome = move.isSent ? 'sent' : 'not-sent';
    this.witness.judged.add(effect.id);
    if (move.isSent) this.witness.vouchedFor.add(effect.id);
    this.call('resolve', this.engineNow.resolve(effect.id, outcome, signed('boss')));
  }

  protected async panicOff(by: Name): Promise<void> {
    if (!this.panic.isOn()) return;
    // What is there before the order can only be old; what comes in the meantime is the engine's to tell apart.
    await this.witness.panicEnded();
    this.call('panic off', this.engineNow.panicOff(signed(by)));
    await this.quiet();
  }

  protected async revoke(who: 'mia' | 'olga'): Promise<void> {
    const process = this.process;
    const principal = USERS[who];
    const removed = process.through(() =>
      must(this.opened).store.commit(TEST_AUDIT, (tx) => tx.remove('identity_grant', { principal })),
    );
    this.call('revoke', removed, () => {
      this.call('revoked', this.engineNow.revoked(principal), () => void this.witness.revoked.add(principal));
    });
    await this.quiet();
  }

  /** A grant that is gone without a word to the engine, as at its expiry: the next step must see it by itself. */
  protected async lapse(who: 'mia' | 'olga'): Promise<void> {
    const principal = USERS[who];
    let isGone = false;
    const removed = this.process.through(() =>
      must(this.opened).store.commit(TEST_AUDIT, (tx) => tx.remove('identity_grant', { principal })),
    );
    this.call('lapse', removed, () => {
      isGone = true;
    });
    // A step that asked just before may still begin its call.
    await this.quiet();
    if (isGone) this.witness.lapsed.add(principal);
  }

  protected async grant(who: 'mia' | 'olga'): Promise<void> {
    const principal = USERS[who];
    this.witness.revoked.delete(principal);
    this.witness.lapsed.delete(principal);
    const grant = {
      id: this.ids.make('grant'),
      principal,
      role: who === 'mia' ? ('member' as const) : ('operator' as const),
      scope: { kind: 'all' as const },
      grantedBy: 'test',
      createdAt: this.clock.nowMs(),
    };
    this.call(
      'grant',
      this.process.through(() =>
        must(this.opened).store.commit(TEST_AUDIT, (tx) => tx.insert('identity_grant', grant)),
      ),
    );
    await this.quiet();
  }

  protected async approval(nth: number): Promise<Approval | undefined> {
    const { read } = must(this.opened).store;
    const open = await read.find('approval', { state: { in: ['pending', 'granted'] } });
    // Mostly what is open, so that answers meet questions; else what is over, which nobody may answer again.
    return (
      open[open.length - 1 - (nth % Math.max(1, open.length))] ??
      (await read.find('approval', {})).at(-1 - nth)
    );
  }

  protected async runOf(nth: number): Promise<Run | undefined> {
    const all = await must(this.opened).store.read.find('run', {});
    return all.at(-1 - nth);
  }

  /** Faults stop; everything comes to rest, and then it is looked at as a whole. */
  protected async finale(): Promise<void> {
    this.mood = 'fine';
    this.disk = 'fine';
    this.isTame = true;
    this.process.die();
    await this.reopen();
    if (this.panic.isOn()) await this.panicOff('boss');
    await this.advance(30_000);
    for (const sent of this.sent) if (sent.accepted === undefined && !sent.isRefused) this.deliver(sent);
    // Past the deadline of every run, the expiry of every question, a jump of the clock back and the sweep after them.
    await this.advance(20 * 60_000);
    await this.advance(31 * HOUR_MS);
    for (const sent of this.sent) await this.assertTaken(sent);
    await this.drain();
    for (let turn = 0; turn < 3; turn += 1) await this.quiet();
    if (this.clock.sleeping > 0) this.witness.say(`${this.clock.sleeping} sleeps are left after the drain`);
    if (this.feed.listeners > 0) this.witness.say(`${this.feed.listeners} listeners are left`);
    const events = [];
    for await (const event of must(this.opened).audit.all()) events.push(event);
    await this.witness.verdict(events);
    for (const event of events) this.note(`${event.seq} ${event.action}`, event.subject);
    this.note('head', events.at(-1)?.hash);
  }

  /** No input is lost, and none is taken twice. */
  protected async assertTaken(sent: Sent): Promise<void> {
    const { source, externalId } = sent.arrival.event;
    const { read } = must(this.opened).store;
    if (sent.isRefused) return;
    if (sent.accepted === undefined) return this.witness.say(`${externalId} never got an answer`);
    const mark = await read.get('ingest_event', { source, externalId });
    // A stranger's command behind the first of a minute leaves nothing and hears nothing.
    const { outcome, reply } = sent.accepted;
    if (mark === undefined && outcome === 'refused' && reply === undefined) return;
    if (mark === undefined || mark.outcome !== sent.accepted.outcome || mark.run !== sent.accepted.run)
      this.witness.say(`${externalId} was ${sent.accepted.outcome}, on record is ${mark?.outcome}`);
    const copies = await read.count('context_message', { externalId, direction: 'in' });
    if (copies > 1) this.witness.say(`${externalId} is in the conversation ${copies} times`);
  }

  protected async played(): Promise<Played> {
    const { read } = must(this.opened).store;
    for (const point of this.process.reached) this.points.add(point);
    const executed = [...this.witness.arrived.keys()].map((key) => key.split('/')[0]);
    const asked = await read.find('effect', { decision: 'ask' });
    return {
      faults: this.witness.faults,
      trace: this.trace,
      digest: digestOf(this.trace),
      counts: {
        runs: await read.count('run', {}),
        answers: await read.count('effect', { kind: 'message.reply', state: 'done' }),
        asked: asked.length,
        executed: asked.filter((effect) => executed.includes(effect.id) || effect.state === 'done').length,
        deaths: this.deaths,
      },
      points: this.points,
    };
  }
}

function principalOf(name: Name): Principal {
  return name === 'sam' ? { kind: 'guest', connector: 'chat', sender: 'sam' } : person(USERS[name]);
}

function signed(name: Name): Actor {
  return { principal: principalOf(name), via: 'signed' };
}
