import { Box } from 'ink';
import type { ReactNode } from 'react';
import { useApp, useSession } from './context.ts';
import { clean, type Line, line, Row, type Span, span } from './line.tsx';
import { useTheme } from './theme.ts';
import { cells, fit, pad } from './width.ts';

/** Columns of the names at the left, their gap included. */
export const SIDE_WIDTH = 18;
const NAME_WIDTH = 20;

/** Lines above the body without banners. */
export function topHeight(hasSide: boolean): number {
  return hasSide ? 2 : 3;
}

/** Where one is, how the line is, and what must not be overlooked. */
export function Top(props: {
  readonly title?: string | undefined;
  readonly width: number;
  readonly hasTabs: boolean;
}): ReactNode {
  const { screens, place } = useApp();
  const { isReader } = useTheme();
  const screen = screens.find((one) => one.id === place.id);
  const person = useSession((state) => state.person);
  const link = useSession((state) => state.link);
  // Somebody with a long name must not push the state of the line off the screen.
  const right = `${person === undefined ? '' : `${fit(clean(person), NAME_WIDTH)}  `}${linkSign(link, isReader)}`;
  const left = ` ${screen?.title ?? ''}${props.title === undefined ? '' : `  ${props.title}`}`;
  const room = Math.max(0, props.width - cells(right) - 2);
  return (
    <>
      <Row
        width={props.width}
        line={[
          span(pad(clean(left), room), 'strong'),
          span(' '),
          span(right, link === 'online' ? 'good' : 'warn'),
        ]}
      />
      {props.hasTabs && <Tabs width={props.width} />}
      {isReader ? (
        <Row width={props.width} line={[]} />
      ) : (
        <Row width={props.width} line={line('─'.repeat(props.width), 'dim')} />
      )}
      <Banners width={props.width} />
    </>
  );
}

function linkSign(link: 'connecting' | 'online' | 'offline', isReader: boolean): string {
  const sign = isReader ? '' : { connecting: '◌ ', online: '● ', offline: '○ ' }[link];
  return `${sign}${link}`;
}

function Tabs({ width }: { readonly width: number }): ReactNode {
  const { screens, place } = useApp();
  const at = screens.findIndex((one) => one.id === place.id);
  const tabs = screens.map((one, index): Span => {
    const text = ` ${one.key} ${one.title} `;
    return span(index === at ? text.replace(/^ (.*) $/, '[$1]') : text, index === at ? 'strong' : 'dim');
  });
  // The present one is always in sight: the bar begins so far right that it fits.
  let first = 0;
  const upTo = (from: number): number =>
    tabs.slice(from, at + 1).reduce((sum, tab) => sum + cells(tab.text), 0);
  while (first < at && upTo(first) > width - 3) first += 1;
  return <Row width={width} line={[...(first > 0 ? [span('‹', 'dim')] : []), ...tabs.slice(first)]} />;
}

/** All screens with their keys, one under the other. */
export function Side({ height }: { readonly height: number }): ReactNode {
  const { screens, place } = useApp();
  return (
    <Box flexDirection="column" width={SIDE_WIDTH} height={height} overflow="hidden">
      {screens.slice(0, height).map((one) => (
        <Row
          key={one.id}
          width={SIDE_WIDTH - 2}
          isSelected={one.id === place.id}
          line={[
            span(one.id === place.id ? '›' : ' '),
            span(`${one.key} ${one.title}`, one.id === place.id ? 'strong' : undefined),
          ]}
        />
      ))}
    </Box>
  );
}

function Banners({ width }: { readonly width: number }): ReactNode {
  const link = useSession((state) => state.link);
  const trouble = useSession((state) => state.trouble);
  const seconds = useSession((state) =>
    state.retryAtMs === undefined ? 0 : Math.max(0, Math.ceil((state.retryAtMs - state.nowMs) / 1_000)),
  );
  const notice = useSession((state) => state.notice);
  const panic = useSession((state) => state.status?.panic);
  const gate = useSession((state) => state.status?.gate);
  const banners: Line[] = [];
  if (link === 'offline')
    banners.push([
      span(` OFFLINE  `, 'bad'),
      span(`next try in ${seconds} s (ctrl+r now). ${trouble ?? ''}`, 'warn'),
    ]);
  if (notice !== undefined) banners.push([span(` ${notice}`, 'warn')]);
  if (panic?.on === true)
    banners.push([
      span(' PANIC IS ON  ', 'bad'),
      span(`nothing starts, nothing leaves${panic.by === undefined ? '' : ` (by ${panic.by})`}`),
    ]);
  if (gate?.closed === true)
    banners.push([span(' THE GATE IS CLOSED  ', 'bad'), span(gate.reason ?? 'after a restore')]);
  return banners.map((banner, index) => <Row key={index} width={width} line={banner} />);
}
