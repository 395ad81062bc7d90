import type { ContextDetail, WorkspaceDetail } from '@agent-runtime/domain';
import type { ReactNode } from 'react';
import type { Action } from '../../app/action.ts';
import { Body } from '../../app/body.tsx';
import { type App, useApp } from '../../app/context.ts';
import { factLines, headingLines, textLines } from '../../app/facts.ts';
import type { Line } from '../../app/line.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import { askSetting, type Setting, SHARED_SETTINGS, shown } from '../../app/settings.ts';

const SETTINGS: readonly Setting[] = [
  { name: 'title', about: 'for people', kind: { kind: 'text' }, isInherited: true },
  {
    name: 'openness',
    about: 'open: strangers read it; closed: known people only',
    kind: { kind: 'choice', values: ['open', 'closed'] },
  },
  ...SHARED_SETTINGS,
];

/** A context with every inherited setting filled in, and what its workspace says beside it. */
export function ContextView(props: {
  readonly id: string;
  readonly onBack: () => void;
  readonly onPrompt: () => void;
}): ReactNode {
  const app = useApp();
  const { id } = props;
  const loaded = useLoad(`context ${id}`, async (client) => {
    const context = await client.call('context.show', { id });
    return { context, workspace: await client.call('workspace.show', { id: context.workspace }) };
  });
  const context = loaded.value?.context;
  const actions: readonly Action[] =
    context === undefined
      ? []
      : [
          {
            key: 'e',
            name: 'edit',
            about: 'change a setting, or go back to what is inherited',
            run: () => edit(app, context, loaded.reload),
          },
          { key: 'p', name: 'prompt', about: 'the files that make its prompt', run: props.onPrompt },
          { key: 'y', name: 'why', about: 'what the log says about it', run: () => app.go('audit', id) },
        ];
  return (
    <Page title={id} actions={actions} onBack={props.onBack}>
      {(area) => (
        <Body loaded={loaded} area={area}>
          {(value, room) => <Pager area={room} lines={contextLines(value, room.width)} />}
        </Body>
      )}
    </Page>
  );
}

async function edit(app: App, context: ContextDetail, reload: () => void): Promise<void> {
  const patch = await askSetting(app, SETTINGS, context);
  if (patch === undefined) return;
  await app.run('Changing it', async () => {
    await (await app.services.connect()).call('context.set', { id: context.id, ...patch });
    return `${Object.keys(patch).join()} of ${context.id} is changed.`;
  });
  reload();
}

function contextLines(
  value: { readonly context: ContextDetail; readonly workspace: WorkspaceDetail },
  width: number,
): readonly Line[] {
  const { context, workspace } = value;
  return [
    ...factLines(
      [
        ['Title', context.title, 'strong'],
        ['Workspace', context.workspace],
        [
          'Kind',
          context.direct_with === undefined ? context.kind : `${context.kind} with ${context.direct_with}`,
        ],
        [
          'Who may be here',
          context.openness === 'open' ? 'open: strangers read what is said' : 'closed: known people only',
          context.openness === 'open' ? 'warn' : undefined,
        ],
        ['Channel', `${context.connector}:${context.account} ${context.channel}`],
        ['Owner', context.owner],
        ['Since', context.created_at.slice(0, 10)],
      ],
      width,
    ),
    ...headingLines('In force here, inherited or its own'),
    ...factLines(
      SHARED_SETTINGS.map((setting) => [setting.name, shown(pick(context, setting.name))] as const),
      width,
    ),
    ...headingLines(`What the workspace ${workspace.id} says`),
    ...factLines(
      [
        ['tools', shown(workspace.tools)],
        ['models', shown(workspace.models)],
      ],
      width,
    ),
    ...textLines(
      'Where both are the same the context has it from there, unless it says the same itself.',
      width,
      { tone: 'dim' },
    ),
  ];
}

function pick(context: ContextDetail, name: string): unknown {
  return Object.entries(context).find(([key]) => key === name)?.[1];
}
