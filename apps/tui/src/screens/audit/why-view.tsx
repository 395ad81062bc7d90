import type { Explanation } from '@agent-runtime/domain';
import type { ReactNode } from 'react';
import { Body } from '../../app/body.tsx';
import { textLines } from '../../app/facts.ts';
import { type Line, span } from '../../app/line.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import type { Tone } from '../../app/theme.ts';

/** Why something was allowed, asked or denied: deeds and decisions about one id, oldest first. */
export function WhyView({ id, onBack }: { readonly id: string; readonly onBack: () => void }): ReactNode {
  const loaded = useLoad(`why ${id}`, (client) => client.call('explain.id', { id }), [
    'approvals',
    'effects',
    'runs',
  ]);
  return (
    <Page title={`why ${loaded.value?.id ?? id}`} onBack={onBack}>
      {(area) => (
        <Body loaded={loaded} area={area}>
          {(value, room) => (
            <Pager area={room} lines={value.events.flatMap((event) => eventLines(event, room.width))} />
          )}
        </Body>
      )}
    </Page>
  );
}

function eventLines(event: Explanation['events'][number], width: number): readonly Line[] {
  return [
    [
      span(` ${event.at.slice(0, 16).replace('T', ' ')}  `, 'dim'),
      span(event.action, 'strong'),
      ...(event.decision === undefined ? [] : [span(`  ${event.decision}`, decisionTone(event.decision))]),
      span(`  by ${event.actor}`, 'dim'),
    ],
    ...event.reasons.flatMap((reason) => textLines(reason, width, { indent: '     ' })),
  ];
}

function decisionTone(decision: string): Tone | undefined {
  if (decision === 'permit') return 'good';
  return decision === 'deny' ? 'bad' : 'warn';
}
