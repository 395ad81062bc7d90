import type { Status } from '@agent-runtime/domain';
import { AppError } from '@agent-runtime/domain';
import type { ReactNode } from 'react';
import type { Action, Area } from '../../app/action.ts';
import { Body } from '../../app/body.tsx';
import { type App, useApp } from '../../app/context.ts';
import { textLines } from '../../app/facts.ts';
import { type Line, line } from '../../app/line.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import type { ScreenSpec } from '../../app/screen.ts';

/** The big switch, and the gate after a restore. */
export const PANIC: ScreenSpec = {
  id: 'panic',
  title: 'Panic',
  key: '0',
  about: 'stop everything; open the gate after a restore',
  help: [
    'On stops every run and voids every effect that waits or was approved and not sent. Off needs your signature, and nothing old is sent then.',
  ],
  View: Panic,
};

function Panic(): ReactNode {
  const app = useApp();
  const loaded = useLoad('panic', (client) => client.call('status.read', {}), ['health']);
  return (
    <Page
      title={loaded.value === undefined ? undefined : loaded.value.panic.on ? 'ON' : 'off'}
      actions={loaded.value === undefined ? [ON(app)] : actionsFor(app, loaded.value)}
    >
      {(area) => (
        <Body loaded={loaded} area={area}>
          {(status, room) => <Pager area={room} lines={stateLines(status, room)} />}
        </Body>
      )}
    </Page>
  );
}

function stateLines({ panic, gate }: Status, { width }: Area): readonly Line[] {
  return [
    [],
    ...(panic.on ? banner('P A N I C   I S   O N', width) : [line('   Panic is off.', 'good')]),
    [],
    ...textLines(
      panic.on
        ? `Since ${panic.at?.slice(0, 19).replace('T', ' ') ?? 'unknown'} UTC by ${panic.by ?? 'unknown'}. Nothing starts and nothing leaves. Effects that waited are void.`
        : 'Runs work, and what is allowed or approved leaves. p stops all of it at once.',
      width,
      { indent: '   ' },
    ),
    [],
    ...(gate.closed
      ? banner('T H E   G A T E   I S   C L O S E D', width)
      : [line('   The gate is open.', 'good')]),
    ...(gate.closed
      ? [
          [],
          ...textLines(
            `${gate.reason ?? 'After a restore.'} Review keys (8), tokens and uncertain effects (3), then open it with t.`,
            width,
            { indent: '   ' },
          ),
        ]
      : []),
  ];
}

function banner(text: string, width: number): readonly Line[] {
  const rule = `   ${'█'.repeat(Math.min(width - 6, text.length + 6))}`;
  return [line(rule, 'bad'), line(`      ${text}`, 'bad'), line(rule, 'bad')];
}

const ON = (app: App): Action => ({
  key: 'p',
  name: 'panic on',
  about: 'stop everything now',
  run: () => turnOn(app),
});

function actionsFor(app: App, { panic, gate }: Status): readonly Action[] {
  return [
    panic.on
      ? { key: 'o', name: 'panic off', about: 'work again; signed with your key', run: () => turnOff(app) }
      : ON(app),
    ...(gate.closed
      ? [
          {
            key: 't',
            name: 'open the gate',
            about: 'reviewed: effects may leave again',
            run: () => openGate(app),
          },
        ]
      : []),
  ];
}

async function turnOn(app: App): Promise<void> {
  const lines = ['Every run is stopped. Every effect that waits or was not sent yet is void for ever.'];
  if (!(await app.ask.confirm({ title: 'Panic', lines, yes: 'STOP EVERYTHING' }))) return;
  await app.run('Stopping everything', async () => {
    const client = await app.services.connect();
    try {
      await client.call('panic.on', {});
    } catch (thrown) {
      // Whoever is at the machine may stop it, also when their key no longer counts.
      if (!(thrown instanceof AppError && thrown.kind === 'unauthenticated')) throw thrown;
      await client.callUnsigned('panic.on', {});
    }
    return 'Panic is on. Nothing starts and nothing leaves.';
  });
}

async function turnOff(app: App): Promise<void> {
  if (
    !(await app.ask.confirm({
      title: 'Panic off',
      lines: ['New work starts again. Nothing old is sent.'],
      yes: 'sign: work again',
    }))
  )
    return;
  await app.run('Signing', async () => {
    await (await app.services.connect()).call('panic.off', {});
    return 'Panic is off. Look at uncertain effects in the tasks (3).';
  });
}

async function openGate(app: App): Promise<void> {
  if (
    !(await app.ask.confirm({
      title: 'Open the gate',
      lines: ['Effects may leave again.'],
      yes: 'I have reviewed it: open',
    }))
  )
    return;
  await app.run('Signing', async () => {
    await (await app.services.connect()).call('gate.open', {});
    return 'The gate is open.';
  });
}
