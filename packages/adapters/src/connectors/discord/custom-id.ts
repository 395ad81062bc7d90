import { cutText, type DraftButton } from '@agent-runtime/domain';

/** Discord's limit. */
const MAX_CHARS = 100;
const MAX_TITLE_CHARS = 45;

/** What a button or form carries: its random id, and how to ask for words. */
export type CustomId =
  | { readonly kind: 'press'; readonly id: string }
  | { readonly kind: 'form'; readonly id: string; readonly form: Form }
  | { readonly kind: 'submit'; readonly id: string };

export type Form = NonNullable<DraftButton['form']>;

/**
 * `b<id>` a button · `fr<id>` or `fe<id>` a button that asks for a reason or for a new text first, with `~title~field` as far as it
 * fits · `m<id>` that form. The words are decoration: the id alone is looked up.
 */
export function customIdOf({ id, form }: DraftButton): string {
  if (form === undefined) return `b${id}`;
  const bare = `f${form.about === 'edit' ? 'e' : 'r'}${id}`;
  const whole = `${bare}~${plain(form.title)}~${plain(form.field)}`;
  return whole.length <= MAX_CHARS ? whole : bare;
}

export function submitIdOf(id: string): string {
  return `m${id}`;
}

/** @returns undefined for what none of ours could be */
export function readCustomId(text: string): CustomId | undefined {
  const [head = '', title = '', field = ''] = text.split('~');
  if (head.startsWith('b') && head.length > 1) return { kind: 'press', id: text.slice(1) };
  if (head.startsWith('m') && head.length > 1) return { kind: 'submit', id: text.slice(1) };
  const about = head.startsWith('fe') ? 'edit' : head.startsWith('fr') ? 'reason' : undefined;
  if (about === undefined || head.length < 3) return undefined;
  return {
    kind: 'form',
    id: head.slice(2),
    form: {
      title: title || (about === 'edit' ? 'Edit' : 'Reason'),
      field: field || (about === 'edit' ? 'New text' : 'Why?'),
      about,
    },
  };
}

function plain(text: string): string {
  return cutText(text.replaceAll('~', '-'), MAX_TITLE_CHARS);
}
