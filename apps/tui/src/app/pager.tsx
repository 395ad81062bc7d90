import { type ReactNode, useRef, useState } from 'react';
import type { Area } from './action.ts';
import { type Layer, useKeys } from './keys.tsx';
import { type Line, line, Row } from './line.tsx';
import { useTheme } from './theme.ts';

/** Lines that may be more than fit: only those in sight are drawn, the last row says where one is. */
export function Pager(props: {
  readonly lines: readonly Line[];
  readonly area: Area;
  readonly layer?: Layer;
  /** Stays at the end while lines come, until the person goes up. */
  readonly isFollowing?: boolean;
  /** Hears how many lines nobody has seen yet. */
  readonly onUnseen?: (count: number) => void;
}): ReactNode {
  const { lines, area } = props;
  const isWhole = lines.length <= area.height;
  const height = isWhole ? area.height : area.height - 1;
  const last = Math.max(0, lines.length - height);
  const [at, setAt] = useState<number | undefined>(undefined);
  const top = Math.min(last, at ?? (props.isFollowing === true ? last : 0));
  const seen = useRef(0);
  seen.current = Math.max(seen.current, top + height);
  props.onUnseen?.(Math.max(0, lines.length - seen.current));
  useKeys(props.layer ?? 'list', (key) => {
    const next = scrolled(key.name, top, { height, last });
    if (next === undefined) return false;
    setAt(next >= last && props.isFollowing === true ? undefined : next);
    return true;
  });
  const { isReader } = useTheme();
  return (
    <>
      {lines.slice(top, top + height).map((one, index) => (
        <Row key={index} width={area.width} line={one} />
      ))}
      {!isWhole && !isReader && (
        <Row
          width={area.width}
          line={line(
            ` lines ${top + 1}-${Math.min(lines.length, top + height)} of ${lines.length}${top < last ? '  ↓ more' : ''}`,
            'dim',
          )}
        />
      )}
    </>
  );
}

/** Where a key of moving leads; undefined for any other key. */
export function scrolled(
  key: string,
  at: number,
  room: { readonly height: number; readonly last: number },
): number | undefined {
  const to = (next: number): number => Math.max(0, Math.min(room.last, next));
  switch (key) {
    case 'j':
    case 'down':
    case 'ctrl+n':
      return to(at + 1);
    case 'k':
    case 'up':
    case 'ctrl+p':
      return to(at - 1);
    case 'pagedown':
    case 'ctrl+f':
      return to(at + room.height);
    case 'pageup':
    case 'ctrl+b':
      return to(at - room.height);
    case 'ctrl+d':
      return to(at + Math.ceil(room.height / 2));
    case 'ctrl+u':
      return to(at - Math.ceil(room.height / 2));
    case 'g':
    case 'home':
      return 0;
    case 'G':
    case 'end':
      return room.last;
    default:
      return undefined;
  }
}
