import { describe, expect, test } from 'vitest';
import { renderDiscord } from './discord.ts';
import { renderDiscordOrFile, renderTelegramOrFile } from './render-or-file.ts';
import { renderTelegram } from './telegram.ts';

const paragraphs = (count: number): string =>
  Array.from({ length: count }, (_, at) => `**p${at}** ${'word '.repeat(30)}`).join('\n\n');

describe('an answer that is too long', () => {
  test('up to five parts are all sent', () => {
    const text = paragraphs(20);
    expect(renderTelegram(text, { limit: 700 })).toHaveLength(5);
    expect(renderTelegramOrFile(text, { limit: 700 })).toEqual({
      parts: renderTelegram(text, { limit: 700 }),
    });
    expect(renderDiscordOrFile(text, { limit: 700 })).toEqual({ parts: renderDiscord(text, { limit: 700 }) });
    expect(renderTelegramOrFile('')).toEqual({ parts: [] });
  });

  test('of more, the first is sent and the whole is a file', () => {
    const text = paragraphs(24);
    const file = { name: 'answer.md', content: text };
    expect(renderTelegramOrFile(text, { limit: 700 })).toEqual({
      parts: renderTelegram(text, { limit: 700 }).slice(0, 1),
      file,
    });
    expect(renderDiscordOrFile(text, { limit: 700 })).toEqual({
      parts: renderDiscord(text, { limit: 700 }).slice(0, 1),
      file,
    });
    expect(renderDiscordOrFile(paragraphs(5), { limit: 700, maxParts: 1 }).file?.content).toBe(paragraphs(5));
  });

  test('what is far too long is a file, whatever is seen of it', () => {
    const text = `Look.\n\n${'[a]: https://x.example\n'.repeat(10_000)}[a]`;
    expect(renderTelegramOrFile(text).file?.content).toBe(text);
    expect(renderTelegramOrFile(' '.repeat(1_000_000))).toEqual({
      parts: [],
      file: { name: 'answer.md', content: ' '.repeat(1_000_000) },
    });
  });
});
