import {
  type Approval,
  type ApprovalId,
  type Digest,
  type Effect,
  type EffectId,
  personOf,
  principalKey,
  type Vote,
} from '@agent-runtime/domain';
import type { Actor, EngineDeps } from './api.ts';
import {
  approve,
  deny,
  edit,
  expireQuestions,
  makeDeadlines,
  pruneButtons,
  refreshCards,
  release,
  withdraw,
} from './approval/index.ts';
import { type Proposal, type ProposeInput, propose } from './effect/index.ts';
import { openGate, settleGate } from './gate/index.ts';
import { pruneSeen } from './ingest/seen.ts';
import { expireIntents } from './intent/expire.ts';
import { pruneIntents } from './intent/prune.ts';
import { pruneNotices } from './notify/index.ts';
import { endPrincipal, panicOff, panicOn, settlePanic } from './panic/index.ts';
import {
  makeOutbox,
  makeTeller,
  type Outbox,
  type OutboxHooks,
  type Recorded,
  resolveEffect,
  type Teller,
} from './settle/index.ts';

/** What the effect side needs of the rest of the engine. */
export interface EffectHooks extends OutboxHooks {
  /** Aborts the signal of every running run, of one principal key or all. Must not throw or wait. */
  readonly abortRuns: (key: string | undefined) => void;
  /** Ends the runs that are still open, for panic to end: nothing old starts again. */
  readonly endRuns?: ((by: string) => Promise<void>) | undefined;
}

/** Everything about effects and approvals, wired to one outbox, so that no caller forgets to wake it. */
export interface Effects {
  readonly outbox: Outbox;
  readonly teller: Teller;
  propose(input: ProposeInput): Promise<Proposal>;
  approve(id: ApprovalId, digest: Digest, actor: Actor): Promise<Approval>;
  deny(id: ApprovalId, reason: string, actor: Actor): Promise<Approval>;
  release(id: ApprovalId, digest: Digest, actor: Actor): Promise<Approval>;
  withdraw(id: ApprovalId, actor: Actor): Promise<Approval>;
  edit(id: ApprovalId, text: string, actor: Actor): Promise<Proposal>;
  resolve(id: EffectId, outcome: 'sent' | 'not-sent', actor: Actor): Promise<Recorded>;
  panicOn(actor: Actor): Promise<readonly Effect[]>;
  panicOff(actor: Actor): Promise<void>;
  openGate(actor: Actor): Promise<void>;
  revoked(principalKey: string): Promise<void>;
  /** Recovers, then delivers, and sweeps every `sweepMs`. */
  start(): Promise<void>;
  /** One sweep: what expired, and what panic could not write; once an hour, what was said long ago. */
  sweep(): Promise<void>;
  drain(deadlineMs: number): Promise<void>;
}

const PRUNE_EVERY_MS = 3_600_000;

/** Joins proposals, answers, the outbox, panic and the gate. */
export function makeEffects(deps: EngineDeps, hooks: EffectHooks): Effects {
  const outbox = makeOutbox(deps, hooks);
  const teller = makeTeller(deps);
  const stops = {
    abortWork: (key: string | undefined): void => {
      hooks.abortRuns(key);
      outbox.abort(key);
      if (key === undefined) teller.abort();
    },
  };
  const waking = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } finally {
      outbox.wake();
    }
  };
  const telling = async (work: Promise<Approval>, actor?: Actor): Promise<Approval> => {
    const approval = await waking(work);
    await echo(approval, actor, approval.votes.at(-1)?.decision);
    const { id, effect, state, tier, workspace, context } = approval;
    deps.live.publish({
      topic: 'approvals',
      kind: `approval.${state}`,
      data: { id, effect, state, tier, workspace, context },
    });
    return approval;
  };
  /** What is answered from a chat is told to every TUI by itself: a stolen chat session answers in plain sight. */
  const echo = async (
    { id, workspace, context }: Pick<Approval, 'id' | 'workspace' | 'context'>,
    actor: Actor | undefined,
    decision: Vote['decision'] | 'edit' | undefined,
  ): Promise<void> => {
    if (actor?.via !== 'chat' || decision === undefined) return;
    const by = principalKey(actor.principal);
    const data = { id, decision, by, name: await nameOf(deps, actor), workspace, context };
    deps.live.publish({ topic: 'approvals', kind: 'approval.chat', data });
  };
  const asking = async (work: Promise<Proposal>): Promise<Proposal> => {
    const proposal = await work;
    await telling(Promise.resolve(proposal.approval));
    return proposal;
  };
  const stopSweeps = new AbortController();
  const deadlines = makeDeadlines(deps.clock);
  let nextPruneAtMs = 0;
  /** What one part cannot do now keeps no other from its turn. */
  const sweep = async (): Promise<void> => {
    await trying(() => settlePanic(deps));
    if (deps.panic.isOn()) return;
    await trying(() => waking(expireQuestions(deps, deadlines)));
    await trying(() => waking(refreshCards(deps)));
    await trying(() => waking(expireIntents(deps)));
    if (deps.clock.nowMs() < nextPruneAtMs) return;
    // Set before: what a full disk refuses can wait for the next hour.
    nextPruneAtMs = deps.clock.nowMs() + PRUNE_EVERY_MS;
    for (const prune of [pruneNotices, pruneSeen, pruneButtons, pruneIntents])
      await trying(() => prune(deps));
  };
  /** A failed sweep is tried again at the next one: nothing it does is urgent, for the claim looks at expiry itself. */
  const trying = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (thrown) {
      deps.log.error({ room: 'settle', error: thrown }, 'a sweep failed');
    }
  };
  const keepSweeping = async (): Promise<void> => {
    while (!stopSweeps.signal.aborted) {
      await deps.clock.sleep(deps.config.sweepMs, stopSweeps.signal);
      if (!stopSweeps.signal.aborted) await trying(sweep);
    }
  };
  return {
    outbox,
    teller,
    // A proposal leaves a card, and a standing approval may have answered it already.
    propose: (input) => asking(propose(deps, input)),
    approve: (id, digest, actor) => telling(approve(deps, id, digest, actor), actor),
    deny: (id, reason, actor) => telling(deny(deps, id, reason, actor), actor),
    release: (id, digest, actor) => telling(release(deps, id, digest, actor), actor),
    withdraw: (id, actor) => telling(withdraw(deps, id, actor)),
    edit: async (id, text, actor) => {
      const next = await asking(edit(deps, id, text, actor));
      await echo({ ...next.approval, id }, actor, 'edit');
      return next;
    },
    resolve: (id, outcome, actor) => waking(resolveEffect(deps, id, outcome, actor)),
    panicOn: async (actor) => (await panicOn(deps, actor, stops))?.uncertain ?? [],
    panicOff: async (actor) => {
      await panicOff(deps, actor, hooks.endRuns);
      // What is void says so on its card; what cannot be written now is written by the next sweep.
      await trying(() => refreshCards(deps));
      outbox.wake();
    },
    openGate: async (actor) => {
      await openGate(deps, actor);
      await trying(() => refreshCards(deps));
      outbox.wake();
    },
    revoked: async (key) => {
      await waking(endPrincipal(deps, key, stops));
      await waking(trying(() => refreshCards(deps)));
    },
    start: async () => {
      // On a full disk the process must still start; behind the gate and under panic nothing is performed anyway. The gate's rule comes
      // first: what a restored backup calls approved may have left.
      await trying(() => settleGate(deps));
      await trying(sweep);
      await outbox.start();
      void keepSweeping();
    },
    sweep,
    drain: async (deadlineMs) => {
      stopSweeps.abort();
      await Promise.all([outbox.drain(deadlineMs), teller.drain(deadlineMs)]);
    },
  };
}

/** What people call who did it. The act is done: whatever fails here undoes nothing. */
async function nameOf(deps: EngineDeps, { principal }: Actor): Promise<string> {
  const id = personOf(principal);
  const key = principalKey(principal);
  try {
    return (id && (await deps.store.read.get('identity_user', { id }))?.name) || key;
  } catch {
    return key;
  }
}
