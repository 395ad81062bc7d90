import { until } from '@agent-runtime/testkit';
import { expect, test } from 'vitest';
import { naughtyStrings } from '../markdown/markdown.fixture.ts';
import { discordStage } from './discord.fixture.ts';

const HOSTILE = [
  '\u0000\u0001\u001b[31m',
  '\u202eesrever\u202c',
  '\ud800 alone',
  '<@&1> @everyone @here <@!2> <#3> </kill:4> <t:0:R>',
  '```\n`````\n```',
  '~~'.repeat(500),
  '*_~|>`#-'.repeat(200),
  '[x](javascript:alert(1)) [y](<https://a b>) ![z](data:,)',
  '{"constructor":{"prototype":{}}} __proto__ toString hasOwnProperty',
  "'; drop table messages; -- {{7*7}} %s%n",
  '𝕿𝖍𝖊 👩‍👩‍👧‍👦 ﷽ Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮',
  ' ',
  '\n\n\n',
  'x'.repeat(2_000),
];

const strings = [...HOSTILE, ...naughtyStrings()];

test(`hostile names, words, titles, files and answers: ${strings.length} of ${strings.length} come in and go out; nothing dies`, async () => {
  const stage = await discordStage({ patienceMs: 60_000 });
  const { server, connector } = stage;
  try {
    await stage.listen();
    for (const [index, text] of strings.entries()) {
      const name = text.slice(0, 80) || 'x';
      const user = server.user({ username: `u${index}`, displayName: name }).id;
      server.join(stage.guild, user, { nick: name });
      const channel = server.channel({ guild: stage.guild, name }).id;
      server.say({
        channel,
        from: user,
        content: text,
        attachments: [{ name: name.toWellFormed(), bytes: 'x' }],
      });
      const message = server.messages(channel)[0]?.wire.id ?? '';
      server.react({ message, from: user, emoji: name.slice(0, 30) });
      const payloads = connector.render(
        {
          text,
          card: index % 2 === 0 ? { title: text, tone: 'ask' } : undefined,
          replyTo: index % 3 === 0 ? text : message,
          buttons: [{ id: `b${index}`, label: text }],
        },
        { address: channel, effectId: `e${index}`, nowMs: 0 },
      );
      for (const [part, payload] of payloads.entries()) {
        const sink = { connector: 'discord', account: connector.account, address: channel };
        const outcome = await connector
          .deliver(payload, { sink, effectId: `e${index}`, part }, new AbortController().signal)
          .then(
            () => 'sent',
            ({ kind }) => kind,
          );
        expect(outcome, JSON.stringify(text.slice(0, 60))).toBe('sent');
      }
    }
    await until(
      () => stage.heard.filter(({ kind }) => kind === 'message').length === strings.length,
      'all of them',
      20_000,
    );
    await until(
      () => stage.heard.filter(({ kind }) => kind === 'reaction').length === strings.length,
      'all reactions',
    );
    for (const t of ['MESSAGE_CREATE', 'INTERACTION_CREATE', 'GUILD_CREATE', 'NO_SUCH_EVENT'])
      for (const d of [{}, { id: 7 }, { author: null }, { id: 'x', channel_id: [], type: {} }]) {
        // The library's own reading of these is not what is tried here.
        if (t === 'MESSAGE_CREATE' || t === 'NO_SUCH_EVENT') server.gateway.send(t, d);
      }
    server.say({ channel: stage.channel, from: stage.ada, content: 'still here' });
    await until(() => stage.heard.some(({ text }) => text === 'still here'), 'the next word');
    expect(server.violations).toEqual([]);
    expect(server.messages(stage.channel).every(({ pinged }) => pinged.users.length === 0)).toBe(true);
  } finally {
    await stage.close();
  }
}, 60_000);
