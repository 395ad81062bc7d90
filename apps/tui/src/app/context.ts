import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Ask, Dialog } from './dialog.ts';
import type { ScreenSpec, Services } from './screen.ts';
import type { ScreenClock, Session, SessionState } from './session.ts';

/** What the last deed came to; shown in the line above the keys. */
export type Note =
  | { readonly kind: 'busy'; readonly text: string; readonly sinceMs: number }
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'failed'; readonly text: string };

/** Where the person is. */
export interface Place {
  readonly id: string;
  readonly subject: string | undefined;
  /** Grows with every move, so that going to the same place begins it anew. */
  readonly visit: number;
}

/** What frame and screens share. */
export interface App {
  readonly services: Services;
  readonly session: Session;
  readonly clock: ScreenClock;
  /** Aborts when the person leaves. */
  readonly signal: AbortSignal;
  readonly screens: readonly ScreenSpec[];
  readonly place: Place;
  readonly size: { readonly columns: number; readonly rows: number };
  readonly ask: Ask;
  readonly dialog: Dialog | undefined;
  readonly note: Note | undefined;
  /** Values that outlive a visit to a screen. */
  readonly kept: Map<string, unknown>;
  go(id: string, subject?: string): void;
  quit(): void;
  /** Shows `label` while it works; an error becomes a note and undefined. What it returns as text is the note of success. */
  run(label: string, work: () => Promise<string>): Promise<boolean>;
  setNote(note: Note | undefined): void;
  /** Shows an error; it kills nothing. */
  fail(thrown: unknown): void;
}

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('a screen outside the app');
  return app;
}

/** One part of the session's state; the component is drawn again when that part changes. */
export function useSession<T>(pick: (state: SessionState) => T): T {
  const { session } = useApp();
  return useSyncExternalStore(session.subscribe, () => pick(session.state()));
}
