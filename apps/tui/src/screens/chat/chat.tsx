import { isFinalRun } from '@agent-runtime/domain';
import { type ReactNode, useState, useSyncExternalStore } from 'react';
import type { Action, Area } from '../../app/action.ts';
import { type App, useApp } from '../../app/context.ts';
import { textLines } from '../../app/facts.ts';
import { type Line, line, span } from '../../app/line.tsx';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import type { ScreenSpec } from '../../app/screen.ts';
import { citationLines } from '../tasks/task-view.tsx';
import { type Transcript, type Turn, transcriptOf, type Where } from './transcript.ts';

/** Asks in a context and shows the answer while it is written. */
export const CHAT: ScreenSpec = {
  id: 'chat',
  title: 'Chat',
  key: '4',
  about: 'ask in a context; the answer with where it comes from',
  help: [
    'i or enter begins a message, enter sends it. The answer goes on while you look at other screens.',
    'Without a context you ask in the command line’s own one; what you say there is between you and the agent.',
  ],
  View: Chat,
};

function Chat(): ReactNode {
  const app = useApp();
  const transcript = transcriptOf(app);
  const turns = useSyncExternalStore(transcript.subscribe, transcript.turns);
  const [where, setWhere] = useState<Where>(() => (app.kept.get('chat.where') as Where | undefined) ?? {}); // safe: only this screen writes it
  const choose = async (): Promise<void> => {
    const next = await chooseContext(app);
    if (next === undefined) return;
    app.kept.set('chat.where', next);
    setWhere(next);
    transcript.clear();
  };
  const actions = actionsFor({ app, transcript, where, choose });
  return (
    <Page
      title={
        where.context === undefined ? 'in your own context' : `in ${where.workspace ?? ''} / ${where.context}`
      }
      actions={actions}
    >
      {(area) => (
        <Pager
          area={area}
          isFollowing
          lines={
            turns.length === 0
              ? emptyLines(area)
              : turns.flatMap((turn, index) => turnLines(turn, area.width, index > 0))
          }
        />
      )}
    </Page>
  );
}

function emptyLines(area: Area): readonly Line[] {
  return [
    [],
    ...textLines('Nothing was said yet. Press i, type a question, and press enter.', area.width),
    [],
    ...textLines('c chooses the context in which you ask: its rules, tools and files are used.', area.width),
  ];
}

function turnLines(turn: Turn, width: number, hasEarlier: boolean): readonly Line[] {
  const { end, text, steps } = turn.run;
  const answer = end?.output ?? text;
  return [
    ...(hasEarlier ? [[]] : []),
    ...textLines(turn.question, width, { indent: ' › ', tone: 'strong' }),
    ...steps.map((step) => line(`   ${step.kind} ${step.name ?? ''} ${step.outcome ?? ''}`, 'dim')),
    ...(answer === '' ? [] : textLines(answer, width, { indent: '   ' })),
    ...citationLines(end),
    ...(end?.pending_approvals ?? []).map((id): Line => [span('   waits for approval: ', 'warn'), span(id)]),
    ...(end?.error === undefined ? [] : textLines(end.error.message, width, { indent: '   ', tone: 'bad' })),
    ...(turn.trouble === undefined ? [] : textLines(turn.trouble, width, { indent: '   ', tone: 'bad' })),
    ...(isOpen(turn) ? [line('   …', 'accent')] : []),
  ];
}

function isOpen(turn: Turn): boolean {
  return turn.trouble === undefined && (turn.run.end === undefined || !isFinalRun(turn.run.end.status));
}

function actionsFor(desk: {
  readonly app: App;
  readonly transcript: Transcript;
  readonly where: Where;
  choose(): Promise<void>;
}): readonly Action[] {
  const { app, transcript, where } = desk;
  const say = async (): Promise<void> => {
    const text = await app.ask.text({ title: 'Your message', isMultiline: true });
    if (text !== undefined && text.trim() !== '') transcript.ask(text.trim(), where);
  };
  const last = transcript.turns().at(-1);
  const waiting = last?.run.end?.pending_approvals?.[0];
  return [
    { key: 'i', name: 'ask', about: 'type a message', run: say },
    ...(last !== undefined && isOpen(last) && last.task !== undefined
      ? [{ key: 'x', name: 'abort', about: 'stop the answer', run: () => abort(app, last.task ?? '') }]
      : []),
    ...(waiting === undefined
      ? []
      : [
          {
            key: 'a',
            name: 'approval',
            about: 'the question that waits',
            run: () => app.go('approvals', waiting),
          },
        ]),
    { key: 'c', name: 'context', about: 'ask in another context', run: desk.choose },
    { key: 'n', name: 'new', about: 'a fresh conversation', run: () => transcript.clear() },
    { key: 'enter', name: 'ask', about: 'type a message', run: say },
  ];
}

async function abort(app: App, task: string): Promise<void> {
  await app.run('Stopping', async () => {
    const result = await (await app.services.connect()).call('task.abort', { id: task });
    return `It is ${result.status}.`;
  });
}

const OWN = 'my own';

async function chooseContext(app: App): Promise<Where | undefined> {
  const { items } = await (await app.services.connect()).call('context.list', {});
  const chosen = await app.ask.choose({
    title: 'Ask in which context',
    options: [
      { value: OWN, about: 'between you and the agent' },
      ...items.map((row) => ({ value: row.id, about: `${row.workspace}: ${row.title} (${row.openness})` })),
    ],
  });
  if (chosen === undefined) return undefined;
  const row = items.find((one) => one.id === chosen);
  return row === undefined ? {} : { workspace: row.workspace, context: row.id };
}
