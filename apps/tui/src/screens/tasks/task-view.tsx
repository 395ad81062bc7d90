import { type AskResult, isFinalRun, type TaskDetail } from '@agent-runtime/domain';
import type { ReactNode } from 'react';
import type { Action } from '../../app/action.ts';
import { Body } from '../../app/body.tsx';
import { type App, useApp, useSession } from '../../app/context.ts';
import { factLines, headingLines, textLines } from '../../app/facts.ts';
import { type Line, line, span } from '../../app/line.tsx';
import { type LiveRun, useLiveRun } from '../../app/live-run.ts';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import { ageText } from '../../app/time.ts';
import { unnamedCitations } from '../../client/citations.ts';

/** One task: facts, the latest run as it goes, earlier runs, effects. */
export function TaskView(props: {
  readonly id: string;
  readonly onOpen: (id: string) => void;
  readonly onBack: () => void;
}): ReactNode {
  const { id, onBack } = props;
  const app = useApp();
  const nowMs = useSession((state) => Math.floor(state.nowMs / 5_000) * 5_000);
  const loaded = useLoad(`task ${id}`, (client) => client.call('task.show', { id }), [
    'runs',
    'effects',
    'approvals',
  ]);
  const latest = loaded.value?.runs[0];
  const running = latest !== undefined && !isFinalRun(latest.status) ? latest.id : undefined;
  const live = useLiveRun(running);
  const ended = useLoad(
    `run ${latest?.id ?? ''} ${latest?.status ?? ''}`,
    latest === undefined || running !== undefined
      ? undefined
      : (client) => client.call('run.show', { id: latest.id }),
  );
  return (
    <Page
      title={loaded.value?.status}
      actions={
        loaded.value === undefined
          ? []
          : [
              ...actionsFor(app, loaded.value, live.end === undefined && running !== undefined),
              ...familyActions(app, loaded.value, props.onOpen),
            ]
      }
      onBack={onBack}
    >
      {(area) => (
        <Body loaded={loaded} area={area}>
          {(task, room) => (
            <Pager
              area={room}
              isFollowing={running !== undefined}
              lines={[
                ...factsOf(task, nowMs, room.width),
                ...childLines(task, room.width),
                ...effectLines(task, room.width),
                ...runLines(task, room.width),
                ...answerLines(
                  running === undefined ? { text: '', steps: [], end: ended.value } : live,
                  room.width,
                ),
              ]}
            />
          )}
        </Body>
      )}
    </Page>
  );
}

function factsOf(task: TaskDetail, nowMs: number, width: number): readonly Line[] {
  return factLines(
    [
      ['Title', task.title, 'strong'],
      ['Status', task.status],
      ['Kind', task.kind],
      ['Place', `${task.workspace} / ${task.context}`],
      ['Asked by', `${task.requester} (${task.door}), ${ageText(nowMs - Date.parse(task.created_at))} ago`],
      ['Came from', task.parent === undefined ? undefined : `${task.parent_title ?? ''} (${task.parent})`],
      ['Task', task.id, 'dim'],
    ],
    width,
  );
}

function childLines(task: TaskDetail, width: number): readonly Line[] {
  if (task.children.length === 0) return [];
  return [
    ...headingLines('What came from it'),
    ...task.children.flatMap((child) => textLines(`${child.status}  ${child.title}  (${child.id})`, width)),
  ];
}

/** The ways up and down the tree. */
function familyActions(app: App, task: TaskDetail, onOpen: (id: string) => void): readonly Action[] {
  const { parent, children } = task;
  const up: Action = {
    key: 'p',
    name: 'above',
    about: 'the task from which it came',
    run: () => {
      if (parent !== undefined) onOpen(parent);
    },
  };
  const down: Action = {
    key: 'c',
    name: 'below',
    about: 'a task that came from it',
    run: async () => {
      const options = children.map((child) => ({
        value: child.id,
        about: `${child.status}  ${child.title}`,
      }));
      const [only, ...more] = options;
      const id =
        more.length === 0 ? only?.value : await app.ask.choose({ title: 'What came from it', options });
      if (id !== undefined) onOpen(id);
    },
  };
  return [...(parent === undefined ? [] : [up]), ...(children.length === 0 ? [] : [down])];
}

function effectLines(task: TaskDetail, width: number): readonly Line[] {
  if (task.effects.length === 0) return [];
  return [
    ...headingLines('Effects'),
    ...task.effects.flatMap((effect) =>
      textLines(`${effect.state}  ${effect.summary}  (${effect.id})`, width, {
        tone: effect.state === 'uncertain' ? 'bad' : undefined,
      }),
    ),
  ];
}

function runLines(task: TaskDetail, width: number): readonly Line[] {
  return [
    ...headingLines(task.runs.length === 1 ? 'Run' : `Runs, ${task.runs.length}`),
    ...task.runs.flatMap((run): readonly Line[] => [
      [span(` ${run.attempt}. ${run.status}  `), span(run.id, 'dim')],
      ...(run.error === undefined
        ? []
        : textLines(run.error.message, width, { indent: '    ', tone: 'bad' })),
      ...run.pending_approvals.map((one) => line(`    waits for approval: ${one}`, 'warn')),
    ]),
  ];
}

function answerLines(run: LiveRun, width: number): readonly Line[] {
  const text = run.end?.output ?? run.text;
  return [
    ...(run.steps.length === 0 ? [] : headingLines('Steps')),
    ...run.steps.map((step) =>
      line(
        ` ${step.step}. ${step.kind} ${step.name ?? ''} ${step.outcome ?? ''}`,
        step.outcome === 'failed' ? 'bad' : undefined,
      ),
    ),
    ...(text === ''
      ? []
      : [
          ...headingLines(run.end === undefined ? 'Answer, being written' : 'Answer'),
          ...textLines(text, width),
        ]),
    ...citationLines(run.end),
  ];
}

/** Where the answer comes from, as far as it does not say so itself. */
export function citationLines(end: AskResult | undefined): readonly Line[] {
  return unnamedCitations(end ?? {}).map(({ path, line: at }) => line(`   ${path}:${at}`, 'accent'));
}

function actionsFor(app: App, task: TaskDetail, isRunning: boolean): readonly Action[] {
  const uncertain = task.effects.filter((effect) => effect.state === 'uncertain');
  const pending = task.runs.flatMap((run) => run.pending_approvals)[0];
  const move = (route: 'task.abort' | 'task.retry', label: string) => () =>
    app.run(label, async () => {
      const result = await (await app.services.connect()).call(route, { id: task.id });
      return `${result.run_id} is ${result.status}.`;
    });
  return [
    ...(isRunning
      ? [
          {
            key: 's',
            name: 'steer',
            about: 'say something to your own running task',
            run: () => steer(app, task),
          },
          {
            key: 'x',
            name: 'abort',
            about: 'stop its run',
            run: async () => {
              if (await app.ask.confirm({ title: 'Abort', lines: [task.title], yes: 'stop it' }))
                await move('task.abort', 'Stopping')();
            },
          },
        ]
      : [
          {
            key: 'r',
            name: 'retry',
            about: 'try it again',
            run: async () => void (await move('task.retry', 'Starting')()),
          },
        ]),
    ...(pending === undefined
      ? []
      : [
          {
            key: 'a',
            name: 'approval',
            about: 'the question that waits',
            run: () => app.go('approvals', pending),
          },
        ]),
    ...(uncertain.length === 0
      ? []
      : [
          {
            key: 'u',
            name: 'uncertain',
            about: 'say what became of an effect',
            run: () => resolve(app, uncertain),
          },
        ]),
    { key: 'y', name: 'why', about: 'what the log says about it', run: () => app.go('audit', task.id) },
  ];
}

async function steer(app: App, task: TaskDetail): Promise<void> {
  const text = await app.ask.text({ title: 'Steer', hint: 'it reads this before its next step' });
  if (text === undefined || text.trim() === '') return;
  await app.run(
    'Sending',
    async () => (await (await app.services.connect()).call('task.steer', { id: task.id, text })).message,
  );
}

async function resolve(app: App, uncertain: TaskDetail['effects']): Promise<void> {
  const id = await app.ask.choose({
    title: 'Which effect',
    options: uncertain.map((effect) => ({ value: effect.id, about: effect.summary })),
  });
  if (id === undefined) return;
  const outcome = await app.ask.choose({
    title: 'Look where it should have arrived. Did it?',
    options: [
      { value: 'sent' as const, about: 'it is there' },
      { value: 'not-sent' as const, about: 'it is not there; it is not sent again by itself' },
    ],
  });
  if (outcome === undefined) return;
  await app.run(
    'Writing it down',
    async () => (await (await app.services.connect()).call('effect.resolve', { id, outcome })).message,
  );
}
