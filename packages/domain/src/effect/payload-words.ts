import type { Json, JsonObject } from '../base/index.ts';

/**
 * The words of one wire payload, as people are asked about them: everything that a reader of the message would read, in order. Payloads of
 * chats are `{method, body, file?}`, those of the memory chat and of files have their `text` on top.
 * @returns the texts joined by line breaks; empty when the payload has none
 */
export function payloadWords(payload: JsonObject): string {
  const body = objectOf(payload.body);
  const file = objectOf(payload.file);
  return [
    payload.text,
    body.text,
    body.content,
    ...listOf(body.embeds).flatMap(embedWords),
    body.caption,
    file.content,
  ]
    .filter((words) => typeof words === 'string' && words !== '')
    .join('\n');
}

/** The words of a whole effect, one part after the other. */
export function wordsOfPayloads(payloads: readonly JsonObject[]): string {
  return payloads
    .map(payloadWords)
    .filter((words) => words !== '')
    .join('\n');
}

function embedWords(embed: Json): readonly (Json | undefined)[] {
  const { title, description, fields, footer } = objectOf(embed);
  return [
    title,
    description,
    ...listOf(fields).flatMap((field) => [objectOf(field).name, objectOf(field).value]),
    objectOf(footer).text,
  ];
}

function objectOf(value: Json | undefined): JsonObject {
  // safe: what is an object and no list is one of JSON
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function listOf(value: Json | undefined): readonly Json[] {
  // safe: a list of JSON
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
