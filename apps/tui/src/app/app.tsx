import { toAppError } from '@agent-runtime/domain';
import { useApp as useInk, useWindowSize } from 'ink';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { type App, AppContext, type Note, type Place } from './context.ts';
import { type Dialog, makeAsk } from './dialog.ts';
import { KeyHost } from './keys.tsx';
import { line, Row } from './line.tsx';
import type { ScreenSpec, Services } from './screen.ts';
import type { ScreenClock, Session } from './session.ts';
import { type Theme, ThemeContext } from './theme.ts';

/** Smaller than this nothing can be shown well, and a decision must not be taken on half a sentence. */
export const LEAST_COLUMNS = 60;
export const LEAST_ROWS = 16;

/** What the screens need from outside. */
export interface AppInput {
  readonly services: Services;
  readonly session: Session;
  readonly clock: ScreenClock;
  readonly theme: Theme;
  readonly screens: readonly ScreenSpec[];
  /** Where to begin; the first screen when absent. */
  readonly start?: { readonly id: string; readonly subject?: string } | undefined;
}

/** The whole of it: keyboard, line to the runtime, the present screen. */
export function Root(input: AppInput): ReactNode {
  const { session } = input;
  const stop = useMemo(() => new AbortController(), []);
  useEffect(() => {
    // After the first frame, so that a person sees something before the line is there.
    void session.run(stop.signal);
    return () => stop.abort();
  }, [session, stop]);
  return (
    <ThemeContext value={input.theme}>
      <KeyHost>
        <Screens {...input} signal={stop.signal} />
      </KeyHost>
    </ThemeContext>
  );
}

function Screens(input: AppInput & { readonly signal: AbortSignal }): ReactNode {
  const { columns, rows } = useWindowSize();
  const ink = useInk();
  const { screens } = input;
  const [place, setPlace] = useState<Place>(() => ({
    id: input.start?.id ?? screens[0]?.id ?? '',
    subject: input.start?.subject,
    visit: 0,
  }));
  const [dialog, setDialog] = useState<Dialog | undefined>(undefined);
  const [note, setNote] = useState<Note | undefined>(undefined);
  const kept = useRef(new Map<string, unknown>());
  const ask = useMemo(() => makeAsk(setDialog), []);
  const fail = (thrown: unknown): void =>
    setNote({ kind: 'failed', text: toAppError(thrown, 'this screen').message });
  const app: App = {
    ...input,
    screens,
    place,
    size: { columns, rows },
    ask,
    dialog,
    note,
    kept: kept.current,
    go: (id, subject) => {
      setNote((now) => (now?.kind === 'busy' ? now : undefined));
      setPlace((now) => ({ id, subject, visit: now.visit + 1 }));
    },
    quit: () => ink.exit(),
    run: async (label, work) => {
      setNote({ kind: 'busy', text: label, sinceMs: input.clock.nowMs() });
      try {
        setNote({ kind: 'done', text: await work() });
        return true;
      } catch (thrown) {
        fail(thrown);
        return false;
      } finally {
        input.session.touch();
      }
    },
    setNote,
    fail,
  };
  const View = screens.find((one) => one.id === place.id)?.View;
  if (columns < LEAST_COLUMNS || rows < LEAST_ROWS) return <TooSmall columns={columns} rows={rows} />;
  return (
    <AppContext value={app}>
      {View !== undefined && <View key={`${place.id} ${place.visit}`} subject={place.subject} />}
    </AppContext>
  );
}

function TooSmall({ columns, rows }: { readonly columns: number; readonly rows: number }): ReactNode {
  return (
    <>
      <Row width={columns} line={line('This terminal is too small.')} />
      <Row
        width={columns}
        line={line(`It has ${columns} x ${rows}; make it ${LEAST_COLUMNS} x ${LEAST_ROWS} or more.`)}
      />
      <Row width={columns} line={line('ctrl+c quits.')} />
    </>
  );
}
