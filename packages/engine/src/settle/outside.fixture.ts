import {
  AppError,
  type Connector,
  type CrashPoints,
  type Draft,
  type FileEntry,
  type JsonObject,
  type Label,
  type LabelledFile,
  makeLabel,
  type Receipt,
  type Reconciled,
  type Store,
  type StoreTx,
  sha256,
  type WorkspaceFiles,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { Crash } from '@agent-runtime/testkit';

/** One payload that the scripted outside took. */
export interface Sent {
  readonly payload: JsonObject;
  readonly effectId: string;
  readonly part: number;
}

/** What the outside does with a payload. Throwing `after` means: it arrived, but nobody here learnt of it. */
export type Answer =
  | { readonly kind: 'accept' }
  | { readonly kind: 'throw'; readonly error: unknown }
  | { readonly kind: 'accept-then-throw'; readonly error: unknown }
  | { readonly kind: 'hang' };

export interface ScriptedConnector extends Connector {
  /** Everything that arrived outside, in order. */
  readonly sent: Sent[];
  /** Answers for the next deliveries; then everything is accepted. */
  script: Answer[];
  dropsRepeats: boolean;
  /** What reconcile says; `truth` looks at what arrived. */
  reconciles: 'truth' | 'unknown';
  /** Called before a payload is judged; may throw for the outside, or give `hang`: it never answers. */
  onDeliver: ((sent: Sent) => unknown) | undefined;
}

/** A chat outside that splits a text at blank lines and does as it is told. */
export function scriptedConnector(name = 'chat', delivery: 'push' | 'pull' = 'push'): ScriptedConnector {
  const sent: Sent[] = [];
  const connector: ScriptedConnector = {
    name,
    account: 'test',
    delivery,
    sent,
    script: [],
    dropsRepeats: false,
    reconciles: 'unknown',
    onDeliver: undefined,
    render: (draft: Draft) =>
      draft.text
        .split('\n\n')
        .filter(Boolean)
        .map((text) => ({
          text,
          ...(draft.edits === undefined ? {} : { edits: draft.edits }),
          ...(draft.asksReply === undefined ? {} : { asksReply: draft.asksReply }),
        })),
    deliver: async (payload, to, signal) => {
      const one = { payload, effectId: to.effectId, part: to.part };
      if ((await connector.onDeliver?.(one)) === 'hang') return hang(signal);
      const answer = connector.script.shift() ?? { kind: 'accept' };
      if (answer.kind === 'throw') throw answer.error;
      if (answer.kind === 'hang') return hang(signal);
      const isRepeat = sent.some((old) => old.effectId === one.effectId && old.part === one.part);
      if (!(isRepeat && connector.dropsRepeats)) sent.push(one);
      if (answer.kind === 'accept-then-throw') throw answer.error;
      return receiptOf(one);
    },
    reconcile: async (_payload, to): Promise<Reconciled> => {
      if (connector.reconciles === 'unknown') return { kind: 'unknown' };
      const found = sent.find((old) => old.effectId === to.effectId && old.part === to.part);
      return found === undefined ? { kind: 'not-sent' } : { kind: 'sent', receipt: receiptOf(found) };
    },
    start: async () => {},
    stop: async () => {},
  };
  return connector;
}

function receiptOf(sent: Sent): Receipt {
  return { externalId: `${sent.effectId}/${sent.part}` };
}

function hang(signal: AbortSignal): Promise<Receipt> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(fault('cancelled')));
  });
}

/** An error of a kind, as an adapter would throw it. */
export function fault(kind: AppError['kind' & keyof AppError] | string, retryAfterMs?: number): AppError {
  const known = kind as ConstructorParameters<typeof AppError>[0]['kind']; // safe: tests name kinds of the table
  return new AppError({
    code: `connectors.test.${kind}`,
    kind: known,
    message: `The outside says ${kind}.`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Files in memory that keep the promises of the port: expected hash, same bytes are a success. */
export function memoryFiles(
  store: Store,
): WorkspaceFiles & { readonly texts: Map<string, string>; readonly labels: Map<string, Label> } {
  const texts = new Map<string, string>();
  const labels = new Map<string, Label>();
  const read = async (_workspace: WorkspaceId, path: string): Promise<LabelledFile> => {
    const text = texts.get(path);
    if (text === undefined)
      throw new AppError({
        code: 'workspace.file.missing',
        kind: 'missing',
        message: `${path} is not there.`,
      });
    return { path, text, hash: sha256(text), label: labels.get(path) ?? makeLabel(2) };
  };
  return {
    texts,
    labels,
    read,
    list: async (): Promise<readonly FileEntry[]> => [],
    readControl: async () => undefined,
    readMemory: async () => [],
    write: async ({ path, text, label, expected, audit, also }) => {
      const now = texts.get(path);
      const hash = now === undefined ? 'absent' : sha256(now);
      if (hash !== expected && hash !== sha256(text))
        throw new AppError({
          code: 'workspace.file.conflict',
          kind: 'conflict',
          message: `${path} is another.`,
        });
      await store.commit(audit, async (tx) => also?.(tx));
      texts.set(path, text);
      labels.set(path, label);
      return { hash: sha256(text) };
    },
  };
}

export interface ArmedCrashPoints extends CrashPoints {
  /** Dies at the n-th point from now, and at every one after it: a dead process does nothing more. */
  arm(nth: number): void;
  /** Points since it was armed. */
  readonly count: number;
  readonly hasCrashed: boolean;
}

/** Crash points that do nothing until they are armed. */
export function armed(): ArmedCrashPoints {
  let dieAt: number | undefined;
  let count = 0;
  const hasCrashed = (): boolean => dieAt !== undefined && count >= dieAt;
  return {
    reach: (point) => {
      if (dieAt === undefined) return;
      count += 1;
      if (hasCrashed()) throw new Crash(point);
    },
    arm: (nth) => {
      dieAt = nth;
      count = 0;
    },
    get count() {
      return count;
    },
    get hasCrashed() {
      return hasCrashed();
    },
  };
}

/** A store in which a table's rows never fit: somebody was faster between the reading and the writing. */
export function outrun(store: Store, table: string): Store {
  return {
    ...store,
    commit: (audit, body) =>
      store.commit(audit, (tx) => {
        const late: StoreTx = {
          ...tx,
          update: async (name, where, patch) => (name === table ? 0 : tx.update(name, where, patch)),
        };
        return body(late);
      }),
  };
}
