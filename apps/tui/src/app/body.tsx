import type { ReactNode } from 'react';
import type { Area } from './action.ts';
import { textLines } from './facts.ts';
import type { Line } from './line.tsx';
import { type Column, type ListState, Table } from './list.tsx';
import type { Loaded } from './load.ts';
import { Pager } from './pager.tsx';

/** What was read, or instead of it: that it is being read, or the server's words about why it cannot be. */
export function Body<T>(props: {
  readonly loaded: Loaded<T>;
  readonly area: Area;
  readonly children: (value: T, area: Area) => ReactNode;
}): ReactNode {
  const { loaded, area } = props;
  const { value, error } = loaded;
  if (value === undefined) {
    const lines =
      error === undefined
        ? textLines('Reading …', area.width, { tone: 'dim' })
        : [
            ...textLines(error.message, area.width, { tone: 'bad' }),
            [],
            ...textLines('ctrl+r tries again.', area.width, { tone: 'dim' }),
          ];
    return <Pager area={area} lines={[[], ...lines]} />;
  }
  if (error === undefined) return props.children(value, area);
  const above = textLines(`This may be old: ${error.message}`, area.width, { tone: 'warn' }).slice(0, 2);
  return (
    <>
      <Pager area={{ ...area, height: above.length }} lines={above} layer="frame" />
      {props.children(value, { ...area, height: Math.max(1, area.height - above.length) })}
    </>
  );
}

/** A list in all its states. */
export function ListBody<T>(props: {
  readonly loaded: Loaded<readonly T[]>;
  readonly list: ListState<T>;
  readonly columns: readonly Column<T>[];
  readonly area: Area;
  /** What to do next when there is nothing; one paragraph each. */
  readonly empty: readonly string[];
  keyOf(row: T): string;
  isMarked?(row: T): boolean;
}): ReactNode {
  return (
    <Body loaded={props.loaded} area={props.area}>
      {(items, area) =>
        items.length === 0 ? (
          <Pager area={area} lines={emptyLines(props.empty, area.width)} />
        ) : (
          <Table {...props} area={area} />
        )
      }
    </Body>
  );
}

function emptyLines(texts: readonly string[], width: number): readonly Line[] {
  return texts.flatMap((text): readonly Line[] => [[], ...textLines(text, width)]);
}
