import type { Status } from '@agent-runtime/domain';
import type { ReactNode } from 'react';
import type { Area } from '../../app/action.ts';
import { useApp, useSession } from '../../app/context.ts';
import { type Fact, factLines, headingLines, textLines } from '../../app/facts.ts';
import { type Line, line, span } from '../../app/line.tsx';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import type { ScreenSpec } from '../../app/screen.ts';
import type { SeenEvent } from '../../app/session.ts';
import { sparkline } from '../../app/spark.ts';
import { useTheme } from '../../app/theme.ts';
import { ageText } from '../../app/time.ts';
import { chatsText } from '../../screen/chats.ts';
import { spentText } from '../../screen/spent.ts';

/** Enough to compare by eye; the whole of it: agent-runtime status. */
const HEAD_CHARS = 32;

/** Health, what waits, what was spent, and the pulse of the last hour. */
export const OVERVIEW: ScreenSpec = {
  id: 'overview',
  title: 'Overview',
  key: '1',
  about: 'how it is: health, what waits, what was spent',
  help: ['What needs a person stands first, with the key that leads there.'],
  View: Overview,
};

function Overview(): ReactNode {
  const app = useApp();
  const status = useSession((state) => state.status);
  const actions = [
    { key: 'a', name: 'approvals', about: 'what waits for an answer', run: () => app.go('approvals') },
    {
      key: 'o',
      name: 'outcomes',
      about: 'tasks, and effects of which nobody knows whether they left',
      run: () => app.go('tasks'),
    },
  ].filter((action) => app.screens.some((one) => one.id === (action.key === 'a' ? 'approvals' : 'tasks')));
  return (
    <Page actions={actions}>
      {(area) => (status === undefined ? <Waiting area={area} /> : <Filled area={area} status={status} />)}
    </Page>
  );
}

function Waiting({ area }: { readonly area: Area }): ReactNode {
  const link = useSession((state) => state.link);
  const text =
    link === 'offline'
      ? 'The runtime does not answer. Start it with: npm start. This screen connects by itself as soon as it is there.'
      : 'Connecting to the runtime …';
  return <Pager area={area} lines={[[], ...textLines(text, area.width)]} />;
}

function Filled({ area, status }: { readonly area: Area; readonly status: Status }): ReactNode {
  const nowMs = useSession((state) => state.nowMs);
  const recent = useSession((state) => state.recent);
  const perMinute = useSession((state) => state.perMinute);
  const { isReader } = useTheme();
  const lines = [
    ...todoLines(status, area.width),
    ...factLines(healthFacts(status, nowMs), area.width),
    ...headingLines('Events per minute'),
    ...pulseLines(perMinute, area.width, isReader),
    ...headingLines('Latest events'),
    ...eventLines(recent, nowMs),
  ];
  return <Pager area={area} lines={lines} />;
}

/** What needs a person, with the key that leads there. */
function todoLines(status: Status, width: number): readonly Line[] {
  const todo: Line[] = [];
  if (!status.ready)
    todo.push(...textLines(`Not ready: ${status.reasons.join('; ')}`, width, { tone: 'bad' }));
  if (status.approvals_pending > 0)
    todo.push([
      span(` ${count(status.approvals_pending, 'question waits', 'questions wait')} for an answer`, 'warn'),
      span('  a', 'accent'),
    ]);
  if (status.effects_uncertain > 0)
    todo.push([
      span(
        ` ${count(status.effects_uncertain, 'effect', 'effects')} of which nobody knows whether they left`,
        'warn',
      ),
      span('  o', 'accent'),
    ]);
  return todo.length === 0 ? [line(' Nothing needs you.', 'good'), []] : [...todo, []];
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}

function healthFacts(status: Status, nowMs: number): readonly Fact[] {
  return [
    ['State', status.ready ? 'ready' : 'not ready', status.ready ? 'good' : 'bad'],
    ['Up for', `${ageText(nowMs - Date.parse(status.up_since))}  (version ${status.version})`],
    [
      'Runs',
      `${status.runs.running} running, ${status.runs.queued} queued, ${status.runs.failed_today} failed today`,
      status.runs.failed_today > 0 ? 'warn' : undefined,
    ],
    ['Spent today', spentText(status)],
    ...chatFacts(status),
    ['Models', modelsText(status.models)],
    ['Panic', status.panic.on ? 'ON' : 'off', status.panic.on ? 'bad' : undefined],
    [
      'Gate',
      status.gate.closed ? `CLOSED ${status.gate.reason ?? ''}` : 'open',
      status.gate.closed ? 'bad' : undefined,
    ],
    ['Log head', `${status.audit_head.slice(0, HEAD_CHARS)}…`, 'dim'],
  ];
}

function chatFacts({ connectors }: Status): readonly Fact[] {
  const texts = chatsText(connectors);
  if (texts === undefined) return [];
  const isFailing = connectors?.some((one) => one.is_failing) === true;
  return [['Chats', texts.join(' · '), isFailing ? 'warn' : undefined]];
}

function modelsText(models: readonly string[]): string {
  if (models.length === 0) return 'none: answers come from the files alone';
  return models.length === 1 && models[0] === 'offline'
    ? 'offline: no model, answers are quotes from the files'
    : models.join(', ');
}

function pulseLines(perMinute: readonly number[], width: number, isReader: boolean): readonly Line[] {
  const sum = perMinute.reduce((total, one) => total + one, 0);
  const words = `${perMinute.at(-1) ?? 0} this minute, ${sum} in ${perMinute.length} min`;
  return isReader
    ? [line(` ${words}`)]
    : [
        [
          span(' '),
          span(sparkline(perMinute, Math.min(60, width - words.length - 5)), 'accent'),
          span(`  ${words}`, 'dim'),
        ],
      ];
}

function eventLines(recent: readonly SeenEvent[], nowMs: number): readonly Line[] {
  if (recent.length === 0) return [line(' None since you came. Ask something, and it shows here.', 'dim')];
  return [...recent]
    .reverse()
    .slice(0, 20)
    .map(({ atMs, event }) => {
      const fromChat = chatWords(event);
      if (fromChat !== undefined)
        return [span(` ${ageText(nowMs - atMs).padStart(7)} ago  `, 'dim'), span(fromChat, 'warn')];
      const { id, state, tier } = event.data;
      const words = [id, state, tier].filter((one) => typeof one === 'string').join('  ');
      return [
        span(` ${ageText(nowMs - atMs).padStart(7)} ago  `, 'dim'),
        span(`${event.kind}  `),
        span(words, 'dim'),
      ];
    });
}

const CHAT_ACTS = new Map([
  ['grant', 'approved'],
  ['deny', 'denied'],
  ['release', 'released private text for'],
  ['edit', 'put other words into'],
]);

/** What somebody answered from a chat, in a sentence: a stolen chat session answers in plain sight. */
function chatWords({ kind, data }: SeenEvent['event']): string | undefined {
  const act = typeof data.decision === 'string' ? CHAT_ACTS.get(data.decision) : undefined;
  if (kind !== 'approval.chat' || act === undefined) return undefined;
  const [name, id, workspace, context] = [data.name ?? data.by, data.id, data.workspace, data.context].map(
    (one) => (typeof one === 'string' ? one : '?'),
  );
  return `${name} ${act} ${id} in chat, ${workspace}/${context}`;
}
