import { type ReactNode, useState } from 'react';
import { type Action, type Area, perform } from './action.ts';
import { useApp } from './context.ts';
import { draftLines } from './draft-lines.ts';
import { draftOf, edit } from './edit.ts';
import { useKeys } from './keys.tsx';
import { line, Row, span } from './line.tsx';
import { matches } from './match.ts';
import { pad } from './width.ts';

/** Everything by its name: screens, the actions of this one, quit. */
export function PaletteView(props: {
  readonly area: Area;
  readonly actions: readonly Action[];
  readonly onClose: () => void;
}): ReactNode {
  const app = useApp();
  const [draft, setDraft] = useState(() => draftOf(''));
  const [at, setAt] = useState(0);
  const all: readonly Action[] = [
    ...props.actions,
    ...app.screens.map((one) => ({
      key: one.key,
      name: one.title.toLowerCase(),
      about: one.about,
      run: () => app.go(one.id),
    })),
    { key: 'Q', name: 'quit', about: 'leave the screens', run: () => app.quit() },
  ];
  const found = all.filter((one) => matches(`${one.name} ${one.about}`, draft.text));
  const chosen = Math.min(at, found.length - 1);
  useKeys('overlay', (key) => {
    if (key.name === 'escape') props.onClose();
    else if (key.name === 'enter') {
      props.onClose();
      const action = found[chosen];
      if (action !== undefined) perform(app, action);
    } else if (key.name === 'down' || key.name === 'tab' || key.name === 'ctrl+n')
      setAt(Math.min(found.length - 1, chosen + 1));
    else if (key.name === 'up' || key.name === 'shift+tab' || key.name === 'ctrl+p')
      setAt(Math.max(0, chosen - 1));
    else if (key.name === 'backspace' && draft.text === '') props.onClose();
    else {
      setAt(0);
      setDraft((now) => edit(now, key, false) ?? now);
    }
    return true;
  });
  const { width } = props.area;
  const height = Math.max(1, props.area.height - 2);
  const first = Math.max(0, Math.min(chosen - height + 1, found.length - height));
  return (
    <>
      <Row width={width} line={[span(' : ', 'accent'), ...(draftLines(draft, width - 4, 1)[0] ?? [])]} />
      {found.length === 0 && (
        <Row width={width} line={line('   Nothing has that name. Esc goes back.', 'dim')} />
      )}
      {found.slice(first, first + height).map((one, index) => (
        <Row
          key={`${one.key} ${one.name}`}
          width={width}
          isSelected={first + index === chosen}
          line={[
            span(first + index === chosen ? ' › ' : '   '),
            span(`${pad(one.name, 18)} `),
            span(`${pad(one.key, 6)} `, 'accent'),
            span(one.about, 'dim'),
          ]}
        />
      ))}
    </>
  );
}
