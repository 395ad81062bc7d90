import type { App } from './context.ts';
import { mistake } from './dialog.ts';

/** One setting that can be changed: how it is asked for and read. */
export interface Setting {
  readonly name: string;
  readonly about: string;
  readonly kind: SettingKind;
  /** May go back to what is inherited. */
  readonly isInherited?: boolean;
}

export type SettingKind =
  | { readonly kind: 'text' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'number' }
  | { readonly kind: 'names' }
  | { readonly kind: 'choice'; readonly values: readonly string[] };

const INHERIT = 'inherit';

/** Asks which setting and which value. @returns the patch of one member; undefined when they went back */
export async function askSetting(
  app: App,
  settings: readonly Setting[],
  present: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const name = await app.ask.choose({
    title: 'Change which setting',
    options: settings.map((one) => ({ value: one.name, about: `${shown(present[one.name])}  ${one.about}` })),
  });
  const setting = settings.find((one) => one.name === name);
  if (setting === undefined) return undefined;
  const typed = await askValue(app, setting, shown(present[setting.name]));
  return typed === undefined ? undefined : { [setting.name]: readValue(setting, typed) };
}

/** A value as a person writes it. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return '-';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

function askValue(app: App, setting: Setting, present: string): Promise<string | undefined> {
  if (setting.kind.kind === 'choice')
    return app.ask.choose({
      title: setting.name,
      options: [
        ...setting.kind.values.map((value) => ({ value })),
        ...(setting.isInherited === true ? [{ value: INHERIT, about: 'as the workspace has it' }] : []),
      ],
      initial: present,
    });
  const hint = [
    setting.about,
    ...(setting.isInherited === true ? [`${INHERIT}: as the workspace has it`] : []),
  ].join('; ');
  return app.ask.text({ title: setting.name, hint, initial: present === '-' ? '' : present });
}

/** @throws AppError tui.input.invalid */
export function readValue(setting: Setting, typed: string): unknown {
  const text = typed.trim();
  if (setting.isInherited === true && text === INHERIT) return null;
  switch (setting.kind.kind) {
    case 'text':
    case 'choice':
      return text;
    case 'names':
      return text
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '');
    case 'whole':
    case 'number': {
      const value = Number(text);
      const isFine =
        text !== '' && Number.isFinite(value) && (setting.kind.kind === 'number' || Number.isInteger(value));
      if (!isFine)
        throw mistake(
          `${setting.name} takes a ${setting.kind.kind === 'whole' ? 'whole number' : 'number'}, not "${text}".`,
        );
      return value;
    }
    default:
      return setting.kind satisfies never;
  }
}

/** Settings that contexts and workspaces share. */
export const SHARED_SETTINGS: readonly Setting[] = [
  {
    name: 'guests',
    about: 'may unpaired people ask here',
    kind: { kind: 'choice', values: ['off', 'ask'] },
    isInherited: true,
  },
  {
    name: 'tools',
    about: 'tools allowed, commas between; * for all',
    kind: { kind: 'names' },
    isInherited: true,
  },
  { name: 'models', about: 'models allowed, best first', kind: { kind: 'names' }, isInherited: true },
  { name: 'temperature', about: '0 to 2', kind: { kind: 'number' }, isInherited: true },
  { name: 'max_output_tokens', about: 'longest answer', kind: { kind: 'whole' }, isInherited: true },
  { name: 'max_queued', about: 'runs that may wait', kind: { kind: 'whole' }, isInherited: true },
  { name: 'run_deadline_ms', about: 'longest run, milliseconds', kind: { kind: 'whole' }, isInherited: true },
  { name: 'tokens_per_day', about: 'budget', kind: { kind: 'whole' }, isInherited: true },
  {
    name: 'tokens_per_sender_per_day',
    about: 'budget of one person',
    kind: { kind: 'whole' },
    isInherited: true,
  },
  {
    name: 'output',
    about: 'answers: no notices and no progress',
    kind: { kind: 'choice', values: ['all', 'answers'] },
    isInherited: true,
  },
  {
    name: 'acknowledge',
    about: 'say first what was understood',
    kind: { kind: 'choice', values: ['off', 'tasks', 'confirm'] },
    isInherited: true,
  },
  {
    name: 'messages_per_minute',
    about: 'questions of one person',
    kind: { kind: 'whole' },
    isInherited: true,
  },
  { name: 'max_prompt_chars', about: 'longest question', kind: { kind: 'whole' }, isInherited: true },
];
