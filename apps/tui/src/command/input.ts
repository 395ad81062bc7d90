import { AppError } from '@agent-runtime/domain';
import { type CommandRun, listOption, textOption } from '../cli/command.ts';

/** A mistake in what was typed. */
export function mistyped(message: string): AppError {
  return new AppError({ code: 'tui.usage.invalid', kind: 'invalid', message });
}

/** A number option. @throws AppError tui.usage.invalid */
export function numberOption(run: CommandRun, name: string, flag: string): number | undefined {
  const text = textOption(run, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw mistyped(`${flag} takes a number, not "${text}".`);
}

/** An option that must be there. @throws AppError tui.usage.invalid */
export function requiredOption(run: CommandRun, name: string, flag: string): string {
  const text = textOption(run, name);
  if (text !== undefined && text !== '') return text;
  throw mistyped(`${flag} is needed. Add --help to see an example.`);
}

/** One of a closed list. @throws AppError tui.usage.invalid */
export function choiceOption<T extends string>(
  run: CommandRun,
  name: string,
  flag: string,
  choices: readonly T[],
): T | undefined {
  const text = textOption(run, name);
  if (text === undefined) return undefined;
  const choice = choices.find((one) => one === text);
  if (choice !== undefined) return choice;
  throw mistyped(`${flag} takes one of ${choices.join(', ')}, not "${text}".`);
}

/** An end in any form that Date reads, as an instant in UTC. @throws AppError tui.usage.invalid */
export function instantOption(run: CommandRun, name: string, flag: string): string | undefined {
  const text = textOption(run, name);
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at))
    throw mistyped(`${flag} takes an instant such as 2027-01-01T00:00:00Z, not "${text}".`);
  return new Date(at).toISOString();
}

/** `workspace` and `limit` of lists. */
export function placeOf(run: CommandRun): { workspace?: string; limit?: number } {
  const workspace = textOption(run, 'workspace');
  const limit = numberOption(run, 'limit', '--limit');
  return { ...(workspace === undefined ? {} : { workspace }), ...(limit === undefined ? {} : { limit }) };
}

/** Settings that contexts and workspaces share. `--inherit a,b` takes them away. */
export function settingsOf(run: CommandRun) {
  const inherited = new Set(listOption(run, 'inherit') ?? []);
  const known = [
    'guests',
    'tools',
    'models',
    'temperature',
    'max-output-tokens',
    'max-queued',
    'run-deadline-ms',
    'tokens-per-day',
    'tokens-per-sender-per-day',
    'output',
    'acknowledge',
    'messages-per-minute',
    'max-prompt-chars',
  ];
  const strange = [...inherited].find((name) => !known.includes(name));
  if (strange !== undefined) throw mistyped(`--inherit takes ${known.join(', ')}, not "${strange}".`);
  const pick = <T>(name: string, value: T | undefined): T | null | undefined =>
    inherited.has(name) ? null : value;
  return {
    guests: pick('guests', choiceOption(run, 'guests', '--guests', ['off', 'ask'] as const)),
    tools: pick('tools', listOption(run, 'tools')),
    models: pick('models', listOption(run, 'models')),
    temperature: pick('temperature', numberOption(run, 'temperature', '--temperature')),
    max_output_tokens: pick('max-output-tokens', numberOption(run, 'maxOutputTokens', '--max-output-tokens')),
    max_queued: pick('max-queued', numberOption(run, 'maxQueued', '--max-queued')),
    run_deadline_ms: pick('run-deadline-ms', numberOption(run, 'runDeadlineMs', '--run-deadline-ms')),
    tokens_per_day: pick('tokens-per-day', numberOption(run, 'tokensPerDay', '--tokens-per-day')),
    tokens_per_sender_per_day: pick(
      'tokens-per-sender-per-day',
      numberOption(run, 'tokensPerSenderPerDay', '--tokens-per-sender-per-day'),
    ),
    output: pick('output', choiceOption(run, 'output', '--output', ['all', 'answers'] as const)),
    acknowledge: pick(
      'acknowledge',
      choiceOption(run, 'acknowledge', '--acknowledge', ['off', 'tasks', 'confirm'] as const),
    ),
    messages_per_minute: pick(
      'messages-per-minute',
      numberOption(run, 'messagesPerMinute', '--messages-per-minute'),
    ),
    max_prompt_chars: pick('max-prompt-chars', numberOption(run, 'maxPromptChars', '--max-prompt-chars')),
  };
}

/** The object without undefined members, as the wire wants it. */
export function given<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T; // safe: only optional members can be undefined
}
