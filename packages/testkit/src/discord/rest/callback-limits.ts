import type { Fields } from '../world/wire.ts';
import type { Problem } from './refusal.ts';
import { charactersOf } from './schema.ts';

const CHOICES = 25;
const CHOICE_LENGTH = 100;

/** Suggestions of an autocomplete: at most 25, names and texts of 1 to 100 characters. */
export function checkChoices(data: Fields): readonly Problem[] {
  const choices: readonly Fields[] = Array.isArray(data.choices) ? data.choices : [];
  const found: Problem[] = choices.flatMap((choice, index) => [
    ...length(choice.name, CHOICE_LENGTH, ['data', 'choices', String(index), 'name']),
    ...(typeof choice.value === 'string'
      ? length(choice.value, CHOICE_LENGTH, ['data', 'choices', String(index), 'value'])
      : []),
  ]);
  if (choices.length > CHOICES) {
    found.push({
      at: ['data', 'choices'],
      code: 'BASE_TYPE_MAX_LENGTH',
      message: `Must be ${CHOICES} or fewer`,
    });
  }
  return found;
}

/** A form: title of 1 to 45 characters, a name of 1 to 100, one to five inputs. */
export function checkModal(data: Fields): readonly Problem[] {
  const rows: readonly unknown[] = Array.isArray(data.components) ? data.components : [];
  const found = [
    ...length(data.title, 45, ['data', 'title']),
    ...length(data.custom_id, 100, ['data', 'custom_id']),
  ];
  if (rows.length < 1 || rows.length > 5) {
    found.push({
      at: ['data', 'components'],
      code: 'BASE_TYPE_BAD_LENGTH',
      message: 'Must be between 1 and 5',
    });
  }
  return found;
}

function length(value: unknown, max: number, at: readonly string[]): Problem[] {
  const count = typeof value === 'string' ? charactersOf(value) : 0;
  return count >= 1 && count <= max
    ? []
    : [{ at, code: 'BASE_TYPE_BAD_LENGTH', message: `Must be between 1 and ${max} in length.` }];
}
