import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, type Draft } from '@agent-runtime/domain';
import { afterEach, expect, test } from 'vitest';
import { type Stage, stages } from './telegram.fixture.ts';

const { open, close } = stages();
afterEach(close);

const OWN: readonly string[] = [
  '',
  ' ',
  '\n\n\t',
  '\0',
  '\ud800',
  'a\udfffb',
  '\u202eevil\u202c',
  '\u200b\u2060\ufeff',
  'z\u0335\u0321a\u0336l\u0337g\u0338o'.repeat(40),
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}'.repeat(60),
  '\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd',
  '@emulated_bot',
  '/task@emulated_bot rm -rf /',
  '/cmd@other_bot',
  '<b>bold</i><script>alert(1)</script>&lt;&#58;',
  '**_`[unclosed](http://',
  '[x](javascript:alert(1)) [y](tg://user?id=1) ![z](data:text/html,x)',
  '```\nnever closed',
  `${'> '.repeat(200)}deep`,
  `${'- '.repeat(300)}list`,
  `${'*a_ '.repeat(1_500)}`,
  '|a|b|\n|-|-|\n|'.repeat(50),
  '{"ok":true,"result":{"message_id":1}}',
  '\u0024{jndi:ldap://x} %s%n %00 ../../etc/passwd',
  '__proto__',
  'constructor',
  '-1001/77',
  'mv:1:2',
  'x'.repeat(4_097),
  '\u{1f331}'.repeat(5_000),
  'word '.repeat(6_000),
];

/** The lists of a collection that the caller has, as `npm run corpora` names it. */
function given(): readonly string[] {
  const file = join(process.env.AGENT_RUNTIME_CORPORA ?? '', 'naughty-strings', 'blns.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
}

const CORPUS = [...OWN, ...given()];

/** Telegram itself takes no longer ones, and no empty ones. */
const sayable = (text: string): string => (text.trim() === '' ? 'x' : text.slice(0, 4_000));

test(`names, titles, topics, files and texts come in: ${CORPUS.length} of ${CORPUS.length}`, {
  timeout: 120_000,
}, async () => {
  const one = await open();
  await one.connector.start(one.accept);
  for (const [index, text] of CORPUS.entries()) {
    const from = one.server.cast.user({ first_name: text, last_name: text, username: text });
    const forum = one.server.cast.chat({ type: 'supergroup', title: text, isForum: true, members: [from] });
    const topic = one.server.people.openTopic(forum, text, from);
    one.server.people.say({ chat: forum, from, topic, text: sayable(text) });
    one.server.people.say({
      chat: forum,
      from,
      text: text.slice(0, 900),
      document: { bytes: 'x', file_name: text, mime_type: text },
    });
    if (index % 20 === 19) await one.pass(() => one.server.updates.pending.length === 0, 'all is taken', 20);
  }
  await one.pass(() => one.server.updates.pending.length === 0, 'all is taken', 20);
  // A text of nothing that can be seen is nothing said; its file is.
  const files = one.heard.filter(({ attachments }) => attachments !== undefined);
  expect(files).toHaveLength(CORPUS.length);
  for (const { text, sender, channel, externalId, attachments = [] } of one.heard) {
    for (const words of [
      text,
      sender.displayName,
      channel.title,
      externalId,
      ...attachments.map(({ name = '' }) => name),
    ])
      expect(words.isWellFormed()).toBe(true);
    for (const name of [sender.displayName, channel.title]) {
      expect(name.length).toBeLessThanOrEqual(200);
      expect(name).not.toBe('');
    }
    for (const id of [externalId, channel.id, sender.id]) expect(id.length).toBeLessThanOrEqual(300);
  }
  expect(one.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

/** @returns how it ended: delivered, or why it was refused */
async function sent(one: Stage, draft: Draft): Promise<string> {
  const address = String(one.group.id);
  try {
    for (const payload of one.connector.render(draft, { address, effectId: 'e', nowMs: 1 }))
      await one.deliver(payload, { address });
    return 'delivered';
  } catch (thrown) {
    return thrown instanceof AppError ? `${thrown.kind}: ${thrown.message}` : `crashed: ${String(thrown)}`;
  }
}

test(`texts, cards, labels and progress go out: ${CORPUS.length} of ${CORPUS.length}`, {
  timeout: 120_000,
}, async () => {
  const one = await open({ perSecond: Number.POSITIVE_INFINITY });
  const ends = new Map<string, string>();
  for (const text of CORPUS) {
    const words = text.toWellFormed();
    ends.set(`text ${words}`, await sent(one, { text: words }));
    const card = { title: words, tone: 'ask' } as const;
    ends.set(`card ${words}`, await sent(one, { text: words, card, buttons: [{ id: 'b', label: words }] }));
    await one.connector.live?.show(
      { address: String(one.group.id), key: words, text: words, progress: words },
      new AbortController().signal,
    );
  }
  expect([...ends].filter(([, end]) => end !== 'delivered')).toEqual([]);
  expect(one.server.violations).toEqual([]);
  expect(one.server.calls.filter(({ status }) => status !== 200)).toEqual([]);
});
