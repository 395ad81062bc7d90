import type { Draft, JsonObject } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { frameBody, renderDraft } from './render.ts';

const render = (draft: Draft, address = '-1001'): readonly JsonObject[] => renderDraft(draft, address);
const plain = { link_preview_options: { is_disabled: true } };

describe('drafts', () => {
  test('a text becomes a message without a preview', () => {
    expect(render({ text: 'Hello **you**' })).toEqual([
      {
        method: 'sendMessage',
        body: {
          chat_id: -1001,
          text: 'Hello you',
          entities: [{ type: 'bold', offset: 6, length: 3 }],
          ...plain,
        },
      },
    ]);
    expect(render({ text: '' })).toEqual([
      { method: 'sendMessage', body: { chat_id: -1001, text: '…', ...plain } },
    ]);
  });

  test('a topic has its thread; the answered message may be gone', () => {
    expect(render({ text: 'a', replyTo: '12' }, '-1001/77')[0]?.body).toEqual({
      chat_id: -1001,
      message_thread_id: 77,
      text: 'a',
      reply_parameters: { message_id: 12, allow_sending_without_reply: true },
      ...plain,
    });
    expect(render({ text: 'a', replyTo: 'i:4' })[0]?.body).not.toHaveProperty('reply_parameters');
  });

  test('only the first part answers, only the last has buttons, two in a row', () => {
    const buttons = ['1', '2', '3'].map((id) => ({ id, label: `B${id}` }));
    const parts = render({ text: 'word '.repeat(2_000), replyTo: '12', live: 'run_1', buttons });
    expect(parts).toHaveLength(3);
    expect(parts.map(({ live }) => live)).toEqual(['run_1', undefined, undefined]);
    const bodies = parts.map(({ body }) => body as JsonObject); // safe: what render makes
    expect(bodies.map((body) => 'reply_parameters' in body)).toEqual([true, false, false]);
    expect(bodies.map((body) => 'reply_markup' in body)).toEqual([false, false, true]);
    const key = (id: string) => ({ text: `B${id}`, callback_data: id });
    expect(bodies.at(-1)?.reply_markup).toEqual({ inline_keyboard: [[key('1'), key('2')], [key('3')]] });
  });

  test('buttons have tones, whole labels, and ids that fit', () => {
    const long = `${'\u{1f331}'.repeat(40)}`;
    const [part] = render({
      text: 'a',
      buttons: [
        { id: 'a', label: long, tone: 'good', form: { title: 't', field: 'f', about: 'reason' } },
        { id: 'b', label: ' ', tone: 'bad' },
      ],
    });
    expect(part?.body).toMatchObject({
      reply_markup: {
        inline_keyboard: [
          [
            { text: '\u{1f331}'.repeat(32), callback_data: 'a', style: 'success' },
            { text: '…', callback_data: 'b', style: 'danger' },
          ],
        ],
      },
    });
    expect(() => render({ text: 'a', buttons: [{ id: '\u{1f331}'.repeat(17), label: 'x' }] })).toThrow(
      /1 to 64 bytes/,
    );
  });

  test('a card begins with its title in bold, which is no Markdown', () => {
    const [part] = render({ text: '*body*', card: { title: 'Ask **now**\nand [x](http://e)', tone: 'ask' } });
    const title = 'Ask **now** and [x](http://e)';
    expect(part?.body).toMatchObject({
      text: `${title}\n\nbody`,
      entities: [
        { type: 'bold', offset: 0, length: title.length },
        { type: 'italic', offset: title.length + 2, length: 4 },
      ],
    });
    expect(render({ text: ' ', card: { title: 'Only', tone: 'plain' } })[0]?.body).toMatchObject({
      text: 'Only',
    });
    for (const { body } of render({
      text: 'word '.repeat(2_000),
      card: { title: 'x'.repeat(900), tone: 'bad' },
    }))
      expect((body as { text: string }).text.length).toBeLessThanOrEqual(4_096); // safe: what render makes
  });

  test('an edit replaces the message; without buttons the old ones go', () => {
    expect(
      render({ text: 'b', edits: '9', replyTo: '3', live: 'run_1', asksReply: true }, '-1001/77'),
    ).toEqual([{ method: 'editMessageText', body: { chat_id: -1001, message_id: 9, text: 'b', ...plain } }]);
    expect(render({ text: 'b', edits: '9', buttons: [{ id: 'x', label: 'X' }] })[0]?.body).toMatchObject({
      reply_markup: { inline_keyboard: [[{ text: 'X', callback_data: 'x' }]] },
    });
  });

  test('too many parts are the first one and the whole as a file, which has the buttons', () => {
    const text = 'word '.repeat(9_000);
    const parts = renderDraft(
      { text, replyTo: '3', live: 'r', buttons: [{ id: 'b', label: 'B' }] },
      '-1001/77',
      4,
    );
    expect(parts.map(({ method, live }) => [method, live])).toEqual([
      ['sendMessage', 'r'],
      ['sendDocument', undefined],
    ]);
    expect(parts[1]).toMatchObject({
      body: {
        chat_id: -1001,
        message_thread_id: 77,
        caption: 'The whole answer.',
        reply_markup: { inline_keyboard: [[{ text: 'B' }]] },
      },
      file: { name: 'answer.md', content: text },
    });
    expect(renderDraft({ text }, '-1001', 20).length).toBeGreaterThan(10);
  });

  test('an invitation to answer', () => {
    expect(render({ text: 'a', asksReply: true })[0]?.body).toMatchObject({
      reply_markup: { force_reply: true, selective: true },
    });
  });
});

describe('frames', () => {
  const frame = { address: '-1001/77', key: 'run_1', text: '' };
  test('words so far, and a line about what is done', () => {
    expect(frameBody({ ...frame, replyTo: '4' })).toEqual({
      target: {
        chat_id: -1001,
        message_thread_id: 77,
        reply_parameters: { message_id: 4, allow_sending_without_reply: true },
      },
      words: { text: '…', ...plain },
    });
    expect(frameBody({ ...frame, text: '**a**', progress: 'reads\nnotes' }).words).toEqual({
      text: 'a\n\nreads notes',
      entities: [
        { type: 'bold', offset: 0, length: 1 },
        { type: 'italic', offset: 3, length: 11 },
      ],
      ...plain,
    });
  });

  test('a long text is cut to what one message holds', () => {
    const { text } = frameBody({ ...frame, text: 'word '.repeat(3_000), progress: 'p'.repeat(900) })
      .words as { text: string }; // safe: made so
    expect(text.length).toBeLessThanOrEqual(4_096);
    expect(text).toContain(' …\n\npp');
  });
});
