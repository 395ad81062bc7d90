import type { ReactNode } from 'react';
import { textLines } from '../../app/facts.ts';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import type { ScreenSpec } from '../../app/screen.ts';

/** Work by the clock. There is none yet, and the screen says so. */
export const SCHEDULES: ScreenSpec = {
  id: 'schedules',
  title: 'Schedules',
  key: 'D',
  about: 'work by the clock; there is none yet',
  help: [],
  View: Schedules,
};

function Schedules(): ReactNode {
  return (
    <Page title="none">
      {(area) => (
        <Pager
          area={area}
          lines={[
            [],
            ...textLines('This runtime has no schedules yet.', area.width),
            [],
            ...textLines('Until it has, let a timer of this machine ask, for example from cron:', area.width),
            ...textLines('agent-runtime ask --context news "What is new since yesterday?"', area.width, {
              indent: '   ',
            }),
          ]}
        />
      )}
    </Page>
  );
}
