import { AppError } from '@agent-runtime/domain';

/** A question that lies over the lower part of the screen until it is answered. */
export type Dialog = { readonly id: number } & Question;

type Question =
  | {
      readonly kind: 'text';
      readonly title: string;
      readonly hint?: string | undefined;
      readonly initial: string;
      /** Every character is shown as a dot, and the text is kept nowhere. */
      readonly isSecret: boolean;
      readonly isMultiline: boolean;
      answer(text: string | undefined): void;
    }
  | {
      readonly kind: 'confirm';
      readonly title: string;
      readonly lines: readonly string[];
      /** What a yes does, in words. */
      readonly yes: string;
      answer(isYes: boolean): void;
    }
  | {
      readonly kind: 'choose';
      readonly title: string;
      readonly options: readonly Choice[];
      readonly initial: string | undefined;
      answer(value: string | undefined): void;
    };

export interface Choice {
  readonly value: string;
  readonly about?: string | undefined;
}

/** Questions to the person. Each resolves with the answer, or with undefined (or false) when they went back. */
export interface Ask {
  text(question: {
    readonly title: string;
    readonly hint?: string | undefined;
    readonly initial?: string;
    readonly isSecret?: boolean;
    readonly isMultiline?: boolean;
  }): Promise<string | undefined>;
  confirm(question: {
    readonly title: string;
    readonly lines?: readonly string[];
    readonly yes: string;
  }): Promise<boolean>;
  choose<T extends string>(question: {
    readonly title: string;
    readonly options: readonly (Choice & { readonly value: T })[];
    readonly initial?: T | undefined;
  }): Promise<T | undefined>;
}

/** @param show puts a dialog on the screen, or takes it away */
export function makeAsk(show: (dialog: Dialog | undefined) => void): Ask {
  let last = 0;
  const open = <T>(build: (answer: (value: T) => void) => Question): Promise<T> =>
    new Promise((resolve) => {
      last += 1;
      let isAnswered = false;
      const answer = (value: T): void => {
        // A second key before it is off the screen must not take away the question that came after it.
        if (isAnswered) return;
        isAnswered = true;
        show(undefined);
        resolve(value);
      };
      show({ id: last, ...build(answer) });
    });
  return {
    text: ({ title, hint, initial = '', isSecret = false, isMultiline = false }) =>
      open((answer) => ({ kind: 'text', title, hint, initial, isSecret, isMultiline, answer })),
    confirm: ({ title, lines = [], yes }) =>
      open((answer) => ({ kind: 'confirm', title, lines, yes, answer })),
    choose: async <T extends string>({
      title,
      options,
      initial,
    }: {
      readonly title: string;
      readonly options: readonly (Choice & { readonly value: T })[];
      readonly initial?: T | undefined;
    }) => {
      const value = await open<string | undefined>((answer) => ({
        kind: 'choose',
        title,
        options,
        initial,
        answer,
      }));
      return options.find((one) => one.value === value)?.value;
    },
  };
}

/** A mistake in what was typed into a screen. */
export function mistake(message: string): AppError {
  return new AppError({ code: 'tui.input.invalid', kind: 'invalid', message });
}
