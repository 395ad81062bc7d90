import { render } from 'ink';
import type { AdminClient } from '../client/client.ts';
import { pairingOver } from '../client/pairing.ts';
import type { WitnessStore } from '../client/witness-store.ts';
import { SCREENS } from '../screens/registry.ts';
import { type AppInput, Root } from './app.tsx';
import { makeSession, type ScreenClock } from './session.ts';
import type { Theme } from './theme.ts';

/** What the screens get from outside. */
export interface ScreensInput {
  /** The admin API; asked for again after a failure, else once. */
  connect(): Promise<AdminClient>;
  /** What this machine remembers of the log, checked before each signature. */
  readonly witnesses: (() => Promise<WitnessStore>) | undefined;
  readonly clock: ScreenClock;
  /** Random name, never used twice. */
  newKey(): string;
  readonly theme: Theme;
  readonly start?: AppInput['start'];
}

/** Opens the screens on this terminal. @returns exit code, when the person has left */
export async function openScreens(input: ScreensInput): Promise<number> {
  const instance = render(<Root {...appOf(input)} />, {
    alternateScreen: !input.theme.isReader,
    incrementalRendering: true,
    // Both ends are a terminal, else no screens are opened; Ink alone would draw nothing where the environment says CI.
    interactive: true,
    isScreenReaderEnabled: input.theme.isReader,
    maxFps: 60,
  });
  await instance.waitUntilExit();
  return 0;
}

/** The app on one client that all screens share. */
export function appOf(input: ScreensInput): AppInput {
  let client: Promise<AdminClient> | undefined;
  const connect = (): Promise<AdminClient> => {
    client ??= input.connect().catch((thrown: unknown) => {
      client = undefined;
      throw thrown;
    });
    return client;
  };
  return {
    services: { connect, pairing: pairingOver(connect), witnesses: input.witnesses, newKey: input.newKey },
    session: makeSession({ connect, clock: input.clock, wire: () => import('./wire.ts') }),
    clock: input.clock,
    theme: input.theme,
    screens: SCREENS,
    ...(input.start === undefined ? {} : { start: input.start }),
  };
}
