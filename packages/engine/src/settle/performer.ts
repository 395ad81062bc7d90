import {
  AppError,
  type Connector,
  type Delivery,
  type Effect,
  INTEGRITY,
  type Label,
  type Receipt,
  type Reconciled,
  sha256,
  type WorkspaceFiles,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { audienceOnceApproved } from '../effect/audience.ts';
import { EFFECT_KIND } from '../effect/kind.ts';

/** Carries out one stored payload of one kind of effect, and can sometimes tell afterwards whether it did. */
export interface Performer {
  /** True when a repeat of the same part does no harm, so that a lost outcome may be tried again. */
  readonly dropsRepeats: boolean;
  /** True when its "not sent" is never a "not yet": then an approved effect may be tried again at once. */
  readonly isFinalWitness: boolean;
  /** @throws as `Connector.deliver` does */
  deliver(effect: Effect, part: number, signal: AbortSignal): Promise<Receipt>;
  reconcile(effect: Effect, part: number, signal: AbortSignal): Promise<Reconciled>;
}

/** @returns undefined when this process has nothing that could carry it out */
export function performerOf(
  deps: Pick<EngineDeps, 'connectors' | 'files'>,
  effect: Effect,
): Performer | undefined {
  if (effect.kind === EFFECT_KIND.write) return filePerformer(deps.files);
  const connector = deps.connectors.find(
    (one) =>
      one.name === effect.sink.connector && one.account === effect.sink.account && one.delivery === 'push',
  );
  return connector === undefined ? undefined : connectorPerformer(connector);
}

/** The wire gets the stored payload object itself: nothing is rendered again. */
function connectorPerformer(connector: Connector): Performer {
  const to = (effect: Effect, part: number): Delivery => ({
    sink: effect.sink,
    effectId: effect.id,
    part,
    attempt: effect.attempts,
    createdAt: effect.createdAt,
  });
  return {
    dropsRepeats: connector.dropsRepeats,
    isFinalWitness: false,
    deliver: async (effect, part, signal) =>
      connector.deliver(payloadOf(effect, part), to(effect, part), signal),
    reconcile: async (effect, part, signal) =>
      connector.reconcile(payloadOf(effect, part), to(effect, part), signal),
  };
}

function payloadOf(effect: Effect, part: number): Effect['payloads'][number] {
  const payload = effect.payloads[part];
  if (payload !== undefined) return payload;
  throw new AppError({
    code: 'settle.part.bug',
    kind: 'bug',
    message: `${effect.id} has no part ${part + 1}.`,
  });
}

interface FilePayload {
  readonly path: string;
  readonly text: string;
  readonly expected: string;
}

/** Writing the same bytes twice is one write, so a crash in between is harmless; other bytes than expected are a refusal. */
function filePerformer(files: WorkspaceFiles): Performer {
  return {
    dropsRepeats: true,
    // A late write meets the same expected hash, and the same bytes are a success.
    isFinalWitness: true,
    deliver: async (effect, part) => {
      const { path, text, expected } = filePayload(effect, part);
      try {
        const { hash } = await files.write({
          workspace: effect.workspace,
          path,
          text,
          label: raisedLabel(effect),
          isRaised: true,
          expected: expected as 'absent', // safe: the port checks the value; both forms are texts
          audit: {
            action: 'label.raise',
            actor: 'appliance',
            subject: path,
            workspace: effect.workspace,
            context: effect.context,
            data: {
              effect: effect.id,
              digest: effect.digest,
              approval: effect.approval,
              from: effect.label.integrity,
              to: raisedLabel(effect).integrity,
            },
          },
        });
        return { externalId: hash, path };
      } catch (thrown) {
        throw fileRefusal(thrown);
      }
    },
    reconcile: async (effect, part) => {
      const { path, text, expected } = filePayload(effect, part);
      const now = await hashOf(files, effect, path);
      if (now === sha256(text)) return { kind: 'sent', receipt: { externalId: now, path } };
      return now === expected ? { kind: 'not-sent' } : { kind: 'unknown' };
    },
  };
}

/** Approved memory and notes count as a member's words, approved control files and documents as staff's; the approver saw who will read them. */
export function raisedLabel(effect: Effect): Label {
  const integrity = effect.class === 'W2' ? INTEGRITY.staff : INTEGRITY.member;
  const { workspace, context, label } = effect;
  const path = effect.sink.address;
  return {
    integrity,
    audience: audienceOnceApproved({ path, workspace, context, audience: label.audience }),
  };
}

async function hashOf(files: WorkspaceFiles, effect: Effect, path: string): Promise<string> {
  try {
    return (await files.read(effect.workspace, path)).hash;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.kind === 'missing') return 'absent';
    throw thrown;
  }
}

/**
 * A file that is not what the approver saw is never overwritten; everything the guards refuse is a lasting no. The name stays out of the
 * words: a model chose it, and these words are the appliance's own to everybody who reads there.
 */
function fileRefusal(thrown: unknown): unknown {
  if (!(thrown instanceof AppError)) return thrown;
  if (thrown.kind === 'conflict') {
    return new AppError({
      code: 'settle.file.rejected',
      kind: 'rejected',
      message:
        'The file has changed since the change to it was proposed. Nothing was written; propose it again.',
      cause: thrown,
    });
  }
  const isRefusal = ['denied', 'invalid', 'missing', 'exhausted'].includes(thrown.kind);
  if (!isRefusal) return thrown;
  return new AppError({
    code: 'settle.file.rejected',
    kind: 'rejected',
    message: REFUSED[thrown.kind] ?? 'The file cannot be written.',
    detail: thrown.message,
    cause: thrown,
  });
}

const REFUSED: Partial<Readonly<Record<AppError['kind'], string>>> = {
  denied: 'The place of this file is not one that may be written.',
  invalid: 'The file would be too large, or is no valid text.',
  missing: 'The workspace of this file is gone.',
};

function filePayload(effect: Effect, part: number): FilePayload {
  const { path, text, expected } = payloadOf(effect, part);
  if (typeof path === 'string' && typeof text === 'string' && typeof expected === 'string')
    return { path, text, expected };
  throw new AppError({
    code: 'settle.payload.rejected',
    kind: 'rejected',
    message: `${effect.id} does not say what to write.`,
  });
}
