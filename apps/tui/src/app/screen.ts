import type { ReactNode } from 'react';
import type { AdminClient } from '../client/client.ts';
import type { PairingClient } from '../client/pairing.ts';
import type { WitnessStore } from '../client/witness-store.ts';

/** What the screens talk to. */
export interface Services {
  connect(): Promise<AdminClient>;
  readonly pairing: PairingClient;
  /** What this machine remembers of the log; absent only in tests of other things. */
  readonly witnesses?: (() => Promise<WitnessStore>) | undefined;
  /** Random name, never used twice. */
  newKey(): string;
}

/** One screen as data: where it stands in the bar, which key opens it, what draws it. */
export interface ScreenSpec {
  readonly id: string;
  readonly title: string;
  /** A digit or a capital letter; one screen each. */
  readonly key: string;
  /** One sentence for the help and the palette. */
  readonly about: string;
  /** What the help of this screen says beyond its keys, one line each. */
  readonly help: readonly string[];
  readonly View: (props: ScreenProps) => ReactNode;
}

export interface ScreenProps {
  /** What another screen wants to see here, e.g. an id. */
  readonly subject: string | undefined;
}
