import type { ReactNode } from 'react';
import type { Action } from './action.ts';
import { useApp, useSession } from './context.ts';
import { type Line, line, Row, type Span, span } from './line.tsx';
import { useTheme } from './theme.ts';

/** Two lines: what the last deed came to, and which keys do something here. */
export function Bottom(props: {
  readonly actions: readonly Action[];
  readonly width: number;
  readonly isInside: boolean;
}): ReactNode {
  return (
    <>
      <NoteRow width={props.width} />
      <Row width={props.width} line={hints(props.actions, props.isInside)} />
    </>
  );
}

function NoteRow({ width }: { readonly width: number }): ReactNode {
  const { note } = useApp();
  const nowMs = useSession((state) => (note?.kind === 'busy' ? state.nowMs : 0));
  const { isReader } = useTheme();
  return <Row width={width} line={noteLine(note, nowMs, isReader)} />;
}

function noteLine(note: ReturnType<typeof useApp>['note'], nowMs: number, isReader: boolean): Line {
  switch (note?.kind) {
    case undefined:
      return [];
    case 'busy': {
      const seconds = Math.max(0, Math.floor((nowMs - note.sinceMs) / 1_000));
      return line(` ${note.text} …${seconds === 0 ? '' : ` ${seconds} s`}`, 'accent');
    }
    case 'done':
      return line(` ${isReader ? '' : '✓ '}${note.text}`, 'good');
    case 'failed':
      return line(` ${isReader ? 'Error: ' : '✗ '}${note.text}`, 'bad');
    default:
      return note satisfies never;
  }
}

function hints(actions: readonly Action[], isInside: boolean): Line {
  const all = [
    ...actions.map((action) => [action.key, action.name] as const),
    ['?', 'help'] as const,
    [':', 'commands'] as const,
    ['q', isInside ? 'back' : 'quit'] as const,
  ];
  return all.flatMap(([key, name]): Span[] => [span(` ${key}`, 'accent'), span(` ${name} `)]);
}
