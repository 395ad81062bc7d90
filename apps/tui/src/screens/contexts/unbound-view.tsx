import type { SeenRow } from '@agent-runtime/domain';
import type { ReactNode } from 'react';
import { factLines, headingLines, textLines } from '../../app/facts.ts';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import { bindCommand, bindingText } from '../../screen/binding.ts';

/** A place that is bound to nothing, and how it is bound. */
export function UnboundView(props: { readonly place: SeenRow; readonly onBack: () => void }): ReactNode {
  const { place, onBack } = props;
  return (
    <Page title="unbound" actions={[]} onBack={onBack}>
      {(area) => <Pager area={area} lines={unboundLines(place, area.width)} />}
    </Page>
  );
}

function unboundLines(place: SeenRow, width: number) {
  const { connector, account, group } = place;
  return [
    ...factLines(
      [
        ['Title', place.title, 'strong'],
        ['Kind', place.kind],
        ['Channel', `${connector}:${account} ${place.channel}`],
        ['In', group],
        ['First seen', place.first_seen_at.slice(0, 16).replace('T', ' ')],
        ['Last seen', place.last_seen_at.slice(0, 16).replace('T', ' ')],
        ['Still there', place.is_gone ? 'no: the account was removed from it' : 'yes'],
      ],
      width,
    ),
    ...headingLines('Bind it'),
    ...textLines(bindCommand(place), width),
    ...(group === undefined
      ? []
      : [
          ...headingLines('Or have a workspace take every place of this group'),
          ...textLines(
            `agent-runtime workspace set WORKSPACE --bind ${bindingText({ connector, account, group })}`,
            width,
          ),
        ]),
  ];
}
