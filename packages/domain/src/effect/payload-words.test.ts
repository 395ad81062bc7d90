import { describe, expect, it } from 'vitest';
import { payloadWords, wordsOfPayloads } from './payload-words.ts';

describe('the words of a payload', () => {
  it('are all that a reader of the message reads, whatever the platform calls them', () => {
    expect(payloadWords({ text: 'plain' })).toBe('plain');
    expect(payloadWords({ method: 'sendMessage', body: { chat_id: 7, text: 'tele' } })).toBe('tele');
    expect(payloadWords({ method: 'createMessage', body: { content: 'disc' } })).toBe('disc');
    expect(payloadWords({ body: { caption: 'look' }, file: { name: 'a.md', content: 'inside' } })).toBe(
      'look\ninside',
    );
    const embed = {
      title: 'T',
      description: 'D',
      fields: [{ name: 'N', value: 'V' }],
      footer: { text: 'F' },
    };
    // Words beside the embed hide none of it.
    expect(payloadWords({ body: { content: 'C', embeds: [embed, { description: 'E' }] } })).toBe(
      'C\nT\nD\nN\nV\nF\nE',
    );
  });

  it('are none where there are none, and broken ones break nothing', () => {
    for (const payload of [
      {},
      { text: 5 },
      { text: '' },
      { body: null },
      { body: [] },
      { body: 'x' },
      { body: { text: 5, embeds: [null, 'x', { fields: [null], footer: 1 }] }, file: 'x' },
    ])
      expect(payloadWords(payload)).toBe('');
  });

  it('of several parts come one after the other', () => {
    expect(wordsOfPayloads([{ text: 'one' }, {}, { body: { text: 'two' } }])).toBe('one\ntwo');
  });
});
