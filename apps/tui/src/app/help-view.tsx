import type { ReactNode } from 'react';
import type { Action, Area } from './action.ts';
import { useApp } from './context.ts';
import { useKeys } from './keys.tsx';
import { type Line, line, span } from './line.tsx';
import { Pager, scrolled } from './pager.tsx';
import { pad, wrap } from './width.ts';

const GLOBAL: readonly (readonly [keys: string, about: string])[] = [
  ['j k ↑ ↓', 'one line down or up'],
  ['ctrl+d ctrl+u', 'half a page; also page down, page up'],
  ['g G', 'first, last; also home, end'],
  ['enter', 'open what is selected'],
  ['/', 'filter the list; esc takes the filter away'],
  ['esc q', 'back; q at the top of a screen quits'],
  [':', 'commands by name: every screen, every action'],
  ['tab', 'next screen; shift+tab the one before'],
  ['ctrl+r', 'read again, and connect at once when offline'],
  ['Q ctrl+c', 'quit from anywhere'],
];

/** What this screen is for and what its keys do, then the keys that work everywhere. */
export function HelpView(props: {
  readonly area: Area;
  readonly actions: readonly Action[];
  readonly onClose: () => void;
}): ReactNode {
  const { screens, place } = useApp();
  const screen = screens.find((one) => one.id === place.id);
  useKeys('overlay', (key) => {
    if (['escape', 'q', '?', 'enter'].includes(key.name)) props.onClose();
    // Keys of moving are for the text; no other key may reach the screen that lies hidden below.
    return scrolled(key.name, 0, { height: 1, last: 1 }) === undefined;
  });
  const width = props.area.width - 2;
  const lines: Line[] = [
    line(` ${screen?.title ?? ''}`, 'strong'),
    ...[screen?.about ?? '', ...(screen?.help ?? [])].flatMap((text) =>
      wrap(text, width).map((part) => line(` ${part}`)),
    ),
    [],
    ...(props.actions.length === 0
      ? []
      : [line(' Here', 'strong'), ...props.actions.map((one) => keyLine(one.key, one.about)), []]),
    line(' Everywhere', 'strong'),
    ...GLOBAL.map(([keys, about]) => keyLine(keys, about)),
    [],
    line(' Screens', 'strong'),
    ...screens.map((one) => keyLine(one.key, `${one.title}: ${one.about}`)),
    [],
    line(' Everything here is also a command: agent-runtime --help', 'dim'),
  ];
  return <Pager lines={lines} area={props.area} layer="overlay" />;
}

function keyLine(keys: string, about: string): Line {
  return [span(`  ${pad(keys, 14)} `, 'accent'), span(about)];
}
