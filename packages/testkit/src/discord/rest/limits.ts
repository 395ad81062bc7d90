import { type Fields, MESSAGE_FLAGS } from '../world/wire.ts';
import type { Problem } from './refusal.ts';
import { charactersOf } from './schema.ts';

// Limits that the platform's documentation states; the specification has some of them wider or not at all.
const CONTENT = 2000;
const EMBEDS = 10;
const EMBED_TOTAL = 6000;
const ROWS = 5;
const PER_ROW = 5;
const CUSTOM_ID = 100;
const LINK_BUTTON = 5;

/** What is wrong with the body of a message (new or edited), besides what the specification says. */
export function checkMessage(body: Fields): readonly Problem[] {
  return [
    ...tooLong(body.content, CONTENT, ['content']),
    ...checkEmbeds(listOf(body.embeds)),
    ...checkComponents(body),
    ...checkMentions(body.allowed_mentions),
  ];
}

/** Nothing to be seen: no text, embed, file, component, sticker or poll. */
export function isEmpty(body: Fields, fileCount: number): boolean {
  const isText = typeof body.content === 'string' && body.content.trim() !== '';
  const lists = [body.embeds, body.components, body.sticker_ids];
  return (
    !isText && fileCount === 0 && body.poll === undefined && lists.every((list) => listOf(list).length === 0)
  );
}

function checkEmbeds(embeds: readonly Fields[]): Problem[] {
  const found = embeds.flatMap((embed, index) => {
    const at = ['embeds', String(index)];
    const fields = listOf(embed.fields);
    return [
      ...tooLong(embed.title, 256, [...at, 'title']),
      ...tooLong(embed.description, 4096, [...at, 'description']),
      ...tooMany(fields, 25, [...at, 'fields']),
      ...tooLong(record(embed.footer).text, 2048, [...at, 'footer', 'text']),
      ...tooLong(record(embed.author).name, 256, [...at, 'author', 'name']),
      ...fields.flatMap((field, number) => [
        ...bounded(field.name, 256, [...at, 'fields', String(number), 'name']),
        ...bounded(field.value, 1024, [...at, 'fields', String(number), 'value']),
      ]),
    ];
  });
  const total = embeds.reduce((sum, embed) => sum + embedSize(embed), 0);
  if (total > EMBED_TOTAL) {
    found.push({
      at: ['embeds'],
      code: 'MAX_EMBED_SIZE_EXCEEDED',
      message: `Embed size exceeds ${EMBED_TOTAL}`,
    });
  }
  return [...tooMany(embeds, EMBEDS, ['embeds']), ...found];
}

function embedSize(embed: Fields): number {
  const texts = [
    embed.title,
    embed.description,
    record(embed.footer).text,
    record(embed.author).name,
    ...listOf(embed.fields).flatMap(({ name, value }) => [name, value]),
  ];
  return texts.reduce<number>((sum, text) => sum + (typeof text === 'string' ? charactersOf(text) : 0), 0);
}

function checkComponents(body: Fields): Problem[] {
  const rows = listOf(body.components);
  const isV2 = (Number(body.flags ?? 0) & MESSAGE_FLAGS.componentsV2) !== 0;
  const found: Problem[] = [];
  if (isV2 && (typeof body.content === 'string' || listOf(body.embeds).length > 0)) {
    found.push(
      bad(['content'], 'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2', 'Not with components V2'),
    );
  }
  if (!isV2) found.push(...tooMany(rows, ROWS, ['components']));
  const seen = new Set<unknown>();
  rows.forEach((row, index) => {
    const at = ['components', String(index)];
    const parts = listOf(row.components);
    if (!isV2 && row.type !== 1)
      found.push(bad([...at, 'type'], 'UNION_TYPE_CHOICES', 'Rows only, without V2'));
    found.push(...tooMany(parts, PER_ROW, [...at, 'components']));
    parts.forEach((part, number) => {
      found.push(...checkPart(part, [...at, 'components', String(number)], seen));
    });
  });
  return found;
}

function checkPart(part: Fields, at: readonly string[], seen: Set<unknown>): Problem[] {
  const found = [
    ...tooLong(part.custom_id, CUSTOM_ID, [...at, 'custom_id']),
    ...tooLong(part.label, 80, [...at, 'label']),
  ];
  if (part.custom_id !== undefined && seen.has(part.custom_id)) {
    found.push(
      bad([...at, 'custom_id'], 'COMPONENT_CUSTOM_ID_DUPLICATED', 'Component custom id cannot be duplicated'),
    );
  }
  seen.add(part.custom_id);
  const needed = part.type === 2 && part.style === LINK_BUTTON ? 'url' : 'custom_id';
  if (part.type === 2 && part[needed] === undefined) {
    found.push(bad([...at, needed], 'BASE_TYPE_REQUIRED', 'This field is required'));
  }
  return found;
}

function checkMentions(value: unknown): Problem[] {
  const allowed = record(value);
  const parse: readonly unknown[] = Array.isArray(allowed.parse) ? allowed.parse : [];
  return ['users', 'roles']
    .filter((kind) => parse.includes(kind) && Array.isArray(allowed[kind]) && allowed[kind].length > 0)
    .map((kind) =>
      bad(
        ['allowed_mentions', kind],
        'MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE',
        `Not together with parse: ${kind}`,
      ),
    );
}

function bounded(value: unknown, max: number, at: readonly string[]): Problem[] {
  if (typeof value !== 'string' || value.trim() === '')
    return [bad(at, 'BASE_TYPE_REQUIRED', 'This field is required')];
  return tooLong(value, max, at);
}

function tooLong(value: unknown, max: number, at: readonly string[]): Problem[] {
  return typeof value === 'string' && value.length > max && charactersOf(value) > max
    ? [bad(at, 'BASE_TYPE_MAX_LENGTH', `Must be ${max} or fewer in length.`)]
    : [];
}

function tooMany(list: readonly unknown[], max: number, at: readonly string[]): Problem[] {
  return list.length > max ? [bad(at, 'BASE_TYPE_MAX_LENGTH', `Must be ${max} or fewer in length.`)] : [];
}

function bad(at: readonly string[], code: string, message: string): Problem {
  return { at, code, message };
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(record) : [];
}

function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}; // safe: an object
}
