import type { App } from './context.ts';

/** Something a person can do here: by its key, by its name in the palette; the help lists it. */
export interface Action {
  readonly key: string;
  readonly name: string;
  readonly about: string;
  run(): void | Promise<void>;
}

/** Room for the body of a screen, in columns and lines. */
export interface Area {
  readonly width: number;
  readonly height: number;
}

/** Runs an action; what it throws is shown and kills nothing. */
export function perform(app: App, action: Action): void {
  app.setNote(undefined);
  void Promise.resolve()
    .then(() => action.run())
    .catch((thrown: unknown) => app.fail(thrown));
}
