import { Box } from 'ink';
import { type ReactNode, useState } from 'react';
import type { Area } from './action.ts';
import type { Dialog } from './dialog.ts';
import { draftLines, visible } from './draft-lines.ts';
import { type Draft, draftOf, edit } from './edit.ts';
import { useKeys } from './keys.tsx';
import { clean, type Line, line, Row, span } from './line.tsx';
import { cells, fit, wrap } from './width.ts';

const MOST_TEXT_LINES = 8;

/** Lines that a dialog takes of the body. */
export function dialogHeight(dialog: Dialog, area: Area): number {
  const most = Math.max(3, area.height - 2);
  switch (dialog.kind) {
    case 'text':
      return Math.min(most, dialog.isMultiline ? MOST_TEXT_LINES + 3 : 4);
    case 'confirm':
      return Math.min(most, 3 + wrapped(dialog.lines, area.width - 2).length);
    case 'choose':
      return Math.min(most, 3 + dialog.options.length);
    default:
      return dialog satisfies never;
  }
}

/** A question under a rule; it has the keyboard until it is answered. */
export function DialogView(props: {
  readonly dialog: Dialog;
  readonly area: Area;
  readonly height: number;
}): ReactNode {
  const { width } = props.area;
  return (
    <Box flexDirection="column" width={width} height={props.height} overflow="hidden">
      <Row width={width} line={titleLine(props.dialog.title, width)} />
      <Inside {...props} />
    </Box>
  );
}

/** The title in a rule that ends where the screen does. */
function titleLine(title: string, width: number): Line {
  const head = `─── ${fit(clean(title), width - 6)} `;
  return line(head + '─'.repeat(Math.max(0, width - cells(head))), 'accent');
}

function Inside(props: { readonly dialog: Dialog; readonly area: Area; readonly height: number }): ReactNode {
  const { dialog, area, height } = props;
  switch (dialog.kind) {
    case 'text':
      return <TextDialog dialog={dialog} width={area.width} lines={height - 3} />;
    case 'confirm':
      return <ConfirmDialog dialog={dialog} width={area.width} lines={height - 3} />;
    case 'choose':
      return <ChooseDialog dialog={dialog} width={area.width} lines={height - 3} />;
    default:
      return dialog satisfies never;
  }
}

function TextDialog(props: {
  readonly dialog: Dialog & { readonly kind: 'text' };
  readonly width: number;
  readonly lines: number;
}): ReactNode {
  const { dialog } = props;
  const [draft, setDraft] = useState(() => draftOf(dialog.initial));
  useKeys('dialog', (key) => {
    if (key.name === 'escape') dialog.answer(undefined);
    else if (key.name === 'enter') dialog.answer(draft.text);
    else setDraft((now) => edit(now, key, dialog.isMultiline) ?? now);
    return true;
  });
  const rows = draftLines(dialog.isSecret ? masked(draft) : draft, props.width - 3, Math.max(1, props.lines));
  const keys = dialog.isMultiline ? 'enter done · ctrl+j new line · esc back' : 'enter done · esc back';
  return (
    <>
      {rows.map((row, index) => (
        <Row key={index} width={props.width} line={[span(index === 0 ? ' › ' : '   ', 'accent'), ...row]} />
      ))}
      <Row
        width={props.width}
        line={line(` ${dialog.hint === undefined ? '' : `${dialog.hint} · `}${keys}`, 'dim')}
      />
    </>
  );
}

function masked(draft: Draft): Draft {
  return { text: '•'.repeat(draft.text.length), at: draft.at };
}

function ConfirmDialog(props: {
  readonly dialog: Dialog & { readonly kind: 'confirm' };
  readonly width: number;
  readonly lines: number;
}): ReactNode {
  const { dialog } = props;
  useKeys('dialog', (key) => {
    if (key.name === 'y' || key.name === 'Y') dialog.answer(true);
    else if (['n', 'N', 'escape', 'q'].includes(key.name)) dialog.answer(false);
    return true;
  });
  return (
    <>
      {wrapped(dialog.lines, props.width - 2)
        .slice(0, Math.max(0, props.lines))
        .map((text, index) => (
          <Row key={index} width={props.width} line={line(` ${text}`)} />
        ))}
      <Row
        width={props.width}
        line={[span(' y', 'accent'), span(` ${dialog.yes}   `), span('n', 'accent'), span(' go back')]}
      />
    </>
  );
}

function ChooseDialog(props: {
  readonly dialog: Dialog & { readonly kind: 'choose' };
  readonly width: number;
  readonly lines: number;
}): ReactNode {
  const { dialog } = props;
  const { options } = dialog;
  const [at, setAt] = useState(() =>
    Math.max(
      0,
      options.findIndex((one) => one.value === dialog.initial),
    ),
  );
  useKeys('dialog', (key) => {
    if (key.name === 'escape' || key.name === 'q') dialog.answer(undefined);
    else if (key.name === 'enter') dialog.answer(options[at]?.value);
    else if (key.name === 'down' || key.name === 'j') setAt((now) => Math.min(options.length - 1, now + 1));
    else if (key.name === 'up' || key.name === 'k') setAt((now) => Math.max(0, now - 1));
    else if (/^[1-9]$/.test(key.name)) setAt(Math.min(options.length - 1, Number(key.name) - 1));
    return true;
  });
  const height = Math.max(1, props.lines);
  const first = Math.max(0, Math.min(at - height + 1, options.length - height));
  return (
    <>
      {options.slice(first, first + height).map((option, index) => (
        <Row
          key={option.value}
          width={props.width}
          isSelected={first + index === at}
          line={[
            span(first + index === at ? ' › ' : '   '),
            span(option.value),
            span(option.about === undefined ? '' : `  ${option.about}`, 'dim'),
          ]}
        />
      ))}
      <Row width={props.width} line={line(' enter choose · j k move · esc back', 'dim')} />
    </>
  );
}

function wrapped(lines: readonly string[], width: number): readonly string[] {
  return lines.flatMap((text) => wrap(visible(text), width));
}
