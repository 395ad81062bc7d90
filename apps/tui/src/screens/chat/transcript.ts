import { toAppError } from '@agent-runtime/domain';
import type { App } from '../../app/context.ts';
import { followRun, type LiveRun, NOTHING_YET } from '../../app/live-run.ts';

/** One question and its answer so far. */
export interface Turn {
  readonly question: string;
  readonly context: string | undefined;
  readonly task: string | undefined;
  readonly run: LiveRun;
  readonly trouble: string | undefined;
}

/** A conversation that goes on while other screens are looked at. */
export interface Transcript {
  turns(): readonly Turn[];
  subscribe(listener: () => void): () => void;
  ask(text: string, where: Where): void;
  /** Forgets what was said; the next question begins a conversation. */
  clear(): void;
}

export interface Where {
  readonly workspace?: string | undefined;
  readonly context?: string | undefined;
}

/** Bounded: what was said earlier is in the tasks. */
const MOST_TURNS = 50;

/** One per app; kept beside the screens. */
export function transcriptOf(app: App): Transcript {
  const kept = app.kept.get('chat');
  if (kept !== undefined) return kept as Transcript; // safe: only this function writes that name
  const made = makeTranscript(app);
  app.kept.set('chat', made);
  return made;
}

function makeTranscript(app: Pick<App, 'services' | 'clock' | 'signal'>): Transcript {
  let turns: readonly Turn[] = [];
  let conversation = app.services.newKey();
  const listeners = new Set<() => void>();
  const set = (next: readonly Turn[]): void => {
    turns = next.slice(-MOST_TURNS);
    for (const listener of listeners) listener();
  };
  const ask = async (text: string, where: Where): Promise<void> => {
    let turn: Turn = {
      question: text,
      context: where.context,
      task: undefined,
      run: NOTHING_YET,
      trouble: undefined,
    };
    set([...turns, turn]);
    const change = (part: Partial<Turn>): void => {
      const next = { ...turn, ...part };
      set(turns.map((one) => (one === turn ? next : one)));
      turn = next;
    };
    try {
      const client = await app.services.connect();
      const {
        run_id: id,
        task_id: task,
        context,
      } = await client.call('ask.post', {
        text,
        conversation,
        idempotency_key: app.services.newKey(),
        ...(where.workspace === undefined ? {} : { workspace: where.workspace }),
        ...(where.context === undefined ? {} : { context: where.context }),
      });
      change({ task, context });
      await followRun({ ...app, id, onRun: (run) => change({ run }) });
    } catch (thrown) {
      change({ trouble: toAppError(thrown, 'the chat').message });
    }
  };
  return {
    turns: () => turns,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    ask: (text, where) => void ask(text, where),
    clear() {
      conversation = app.services.newKey();
      set([]);
    },
  };
}
