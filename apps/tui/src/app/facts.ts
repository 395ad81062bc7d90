import { visible } from './draft-lines.ts';
import { type Line, line, span } from './line.tsx';
import type { Tone } from './theme.ts';
import { cells, pad, wrap } from './width.ts';

/** A name and what stands behind it; undefined is left out. */
export type Fact = readonly [name: string, value: string | number | undefined, tone?: Tone | undefined];

/** Names and values in two columns; long values go on under themselves. Every character of a value is there. */
export function factLines(facts: readonly Fact[], width: number): readonly Line[] {
  const given = facts.filter(
    (fact): fact is readonly [string, string | number, (Tone | undefined)?] => fact[1] !== undefined,
  );
  const size = Math.max(0, ...given.map(([name]) => cells(name)));
  return given.flatMap(([name, value, tone]) =>
    textParts(String(value), width - size - 4).map(
      (part, index): Line => [span(` ${pad(index === 0 ? name : '', size)}  `, 'dim'), span(part, tone)],
    ),
  );
}

/** A text as lines that fit, indented by `indent`; hidden characters are spelt out before it is broken. */
export function textLines(
  text: string,
  width: number,
  look: { readonly indent?: string; readonly tone?: Tone | undefined } = {},
): readonly Line[] {
  const { indent = ' ', tone } = look;
  return textParts(text, width - cells(indent) - 1).map((part) => [span(indent, 'dim'), span(part, tone)]);
}

/** A heading with an empty line above it. */
export function headingLines(text: string): readonly Line[] {
  return [[], line(` ${text}`, 'strong')];
}

function textParts(text: string, width: number): readonly string[] {
  return wrap(visible(text), Math.max(1, width));
}
