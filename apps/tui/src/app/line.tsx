import { showHidden } from '@agent-runtime/domain';
import { Text } from 'ink';
import type { ReactNode } from 'react';
import { type Theme, type Tone, useTheme } from './theme.ts';
import { cells, fit } from './width.ts';

/** A piece of a line in one tone. */
export interface Span {
  readonly text: string;
  readonly tone?: Tone;
}

/** One line of the screen: pieces from left to right. */
export type Line = readonly Span[];

/** A piece of a line. */
export function span(text: string, tone?: Tone): Span {
  return tone === undefined ? { text } : { text, tone };
}

/** A line of one piece. */
export function line(text: string, tone?: Tone): Line {
  return [span(text, tone)];
}

/**
 * Text as it may reach a terminal: one line, and every control or invisible character spelt out.
 * INVARIANT: nothing reaches the terminal but through `Row`, and `Row` calls this.
 */
export function clean(text: string): string {
  return showHidden(text.replace(/[\n\r\t]/g, ' '));
}

/** Pieces cut so that together they fit. */
export function fitLine(parts: Line, width: number): Line {
  const fitted: Span[] = [];
  let room = width;
  for (const part of parts) {
    const text = fit(clean(part.text), room);
    if (text === '') continue;
    fitted.push({ ...part, text });
    room -= cells(text);
  }
  return fitted;
}

/** One line of the terminal. It never takes more than `width` columns and never a second line. */
export function Row(props: {
  readonly line: Line;
  readonly width: number;
  readonly isSelected?: boolean | undefined;
}): ReactNode {
  const theme = useTheme();
  const parts = fitLine(props.line, props.width);
  const used = parts.reduce((sum, part) => sum + cells(part.text), 0);
  const isBar = props.isSelected === true && !theme.isReader;
  const fill = isBar ? ' '.repeat(Math.max(0, props.width - used)) : '';
  if (parts.length === 0 && fill === '') return <Text> </Text>;
  return (
    <Text wrap="truncate-end" inverse={isBar}>
      {parts.map((part, index) => (
        <Text key={index} {...lookOf(theme, part.tone, isBar)}>
          {part.text}
        </Text>
      ))}
      {fill}
    </Text>
  );
}

/** Colours only where they are wanted; what they say is said in words or signs as well. */
function lookOf(theme: Theme, tone: Tone | undefined, isBar: boolean) {
  const isStrong = tone === 'strong' || tone === 'bad';
  if (!theme.useColor || isBar) return { bold: isStrong };
  switch (tone) {
    case 'good':
      return { color: 'green' };
    case 'warn':
      return { color: 'yellow' };
    case 'bad':
      return { color: 'red', bold: true };
    case 'accent':
      return { color: 'cyan' };
    case 'dim':
      return { dimColor: true };
    case 'strong':
      return { bold: true };
    case 'bar':
      return { inverse: true };
    case undefined:
      return {};
    default:
      return tone satisfies never;
  }
}
