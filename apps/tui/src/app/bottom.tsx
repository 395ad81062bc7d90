import type { ReactNode } from 'react';
import type { Action } from './action.ts';
import { useApp, useSession } from './context.ts';
import { fitLine, type Line, line, Row, type Span, span } from './line.tsx';
import { useTheme } from './theme.ts';
import { cells } from './width.ts';

/** Two lines: what the last deed came to, and which keys do something here. */
export function Bottom(props: {
  readonly actions: readonly Action[];
  readonly width: number;
  readonly isInside: boolean;
}): ReactNode {
  return (
    <>
      <NoteRow width={props.width} />
      <Row width={props.width} line={hints(props.actions, props.isInside, props.width)} />
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

/** The actions first; help and the way out are always there, the palette where there is room. One name stands once. */
function hints(actions: readonly Action[], isInside: boolean, width: number): Line {
  const own = actions.filter((one, index) => actions.findIndex((other) => other.name === one.name) === index);
  const help = hint('?', 'help');
  const out = hint('q', isInside ? 'back' : 'quit');
  const ours = own.flatMap((action) => hint(action.key, action.name));
  const all = [...ours, ...help, ...hint(':', 'commands'), ...out];
  if (widthOf(all) <= width) return all;
  const end = [...help, ...out];
  return [...fitLine(ours, width - widthOf(end)), ...end];
}

function hint(key: string, name: string): readonly Span[] {
  return [span(` ${key}`, 'accent'), span(` ${name} `)];
}

function widthOf(parts: Line): number {
  return parts.reduce((sum, part) => sum + cells(part.text), 0);
}
