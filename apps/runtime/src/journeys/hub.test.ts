import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LlmServer, llm, startLlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ended, type Home, newHome } from './journey.fixture.ts';

const CODE = /(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}/;
const CANARY = 'The shop is closed on Monday, canary 5170.';
const LIMIT_MS = 60_000;

interface Hub {
  readonly id: string;
  readonly state: string;
  readonly context: string;
  readonly cleared_for: readonly string[];
}

describe('the admin hub', { timeout: 300_000 }, () => {
  let home: Home;
  let server: LlmServer;
  let said = 0;
  beforeAll(async () => {
    server = await startLlmServer();
    home = newHome({ AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl, AGENT_RUNTIME_LLM_MODEL: 'emulated' });
    await home.start();
    for (const channel of ['team', 'desk'])
      await done(
        'context',
        'bind',
        'memory:demo',
        channel,
        '--workspace',
        'community',
        '--id',
        channel,
        '--closed',
      );
    await done('workspace', 'create', 'beta');
  }, 300_000);
  afterAll(async () => {
    await home.remove();
    await server.close();
  });

  /** Somebody says something in a channel. @returns the next text that arrives there */
  const say = async (text: string, channel: string, sender: string): Promise<string> => {
    const before = home.chat.textsIn(channel).length;
    said += 1;
    const channel_kind = channel === 'talk' ? 'direct' : 'channel';
    const line = { id: `h${said}`, channel, channel_kind, sender, text, name: 'Olga' };
    writeFileSync(join(home.folder, 'chat', 'inbox.jsonl'), `${JSON.stringify(line)}\n`, { flag: 'a' });
    await until(() => home.chat.textsIn(channel).length > before, `an answer to ${text}`, LIMIT_MS);
    return home.chat.textsIn(channel)[before] ?? '';
  };
  const done = async (...words: readonly string[]): Promise<Ended> => {
    const ended = await home.cli([...words, '--json']);
    expect({ words, code: ended.code, err: ended.err, out: ended.out }).toMatchObject({ code: 0 });
    return ended;
  };
  const heard = (channel: string, words: string): Promise<void> =>
    until(
      () => home.chat.textsIn(channel).some((text) => text.includes(words)),
      `${words} in ${channel}`,
      LIMIT_MS,
    );
  /** Asks in the channel `team`; the model proposes a post. @returns the approval that it waits for */
  const propose = async (): Promise<string> => {
    const call = JSON.stringify({ connector: 'memory', channel: 'general', text: CANARY });
    server.next(
      [...llm.toolCalls([{ id: 'p1', name: 'post_message', arguments: call }]), ...llm.done('tool_calls')],
      [...llm.text('I have proposed it.'), ...llm.done()],
    );
    await say('Please tell everybody.', 'team', 'u-olga');
    const list = await done('approval', 'list');
    return list.json<{ items: readonly { readonly id: string }[] }>().items[0]?.id ?? 'none';
  };

  test('is asked for in chat by staff, signed at the command line, and told what it is cleared for', async () => {
    const code = CODE.exec(await say('pair', 'talk', 'u-olga'))?.[0] ?? 'none';
    await done(
      'pair',
      'approve',
      code,
      '--user',
      'olga',
      '--create-user',
      '--role',
      'operator',
      '--scope',
      'ws:community',
    );
    expect(await say('/hub', 'desk', 'u-stranger')).toContain('Only staff of this place can ask for it.');
    const asked = await say('/hub', 'desk', 'u-olga');
    const id = /ahub_\w+/.exec(asked)?.[0] ?? 'none';
    expect(asked).toContain(`agent-runtime hub approve ${id} --workspace community`);
    expect(await say('/admin-channel enable', 'desk', 'u-olga')).toBe(asked);
    expect((await home.cli(['hub', 'approve', id])).code).toBe(2);

    await done('hub', 'approve', id, '--workspace', 'beta');
    await heard('desk', 'This is the admin hub of memory now, cleared for beta.');
    const bare = await propose();
    await heard('desk', `${bare} waits for an answer`);
    await heard('team', CANARY);
    expect(home.chat.textsIn('desk').join()).not.toContain('canary');

    const again = /ahub_\w+/.exec(await say('/hub', 'desk', 'u-olga'))?.[0] ?? 'none';
    await done('hub', 'approve', again, '--workspace', 'beta', '--workspace', 'community');
    const shown = await propose();
    await heard('desk', `${shown} waits for an answer`);
    await heard('desk', `> ${CANARY}`);
  });

  test('moves by a signed act alone, and ends by one', async () => {
    expect(await say('/admin_channel disable', 'desk', 'u-olga')).toContain('agent-runtime hub rm memory');
    const id = /ahub_\w+/.exec(await say('/hub', 'team', 'u-olga'))?.[0] ?? 'none';
    const moved = await done('hub', 'approve', id, '--workspace', 'community');
    expect(moved.json()).toMatchObject({ context: 'team', moved_from: 'desk' });
    await heard('desk', 'This is not the admin hub of memory any more.');
    const { items } = (await done('hub', 'list')).json<{ items: readonly Hub[] }>();
    expect(items).toMatchObject([{ id, state: 'active', context: 'team', cleared_for: ['community'] }]);
    await done('hub', 'rm', 'memory');
    expect((await done('hub', 'list')).json()).toEqual({ items: [] });
    expect((await home.cli(['hub', 'rm', 'memory', '--json'])).code).toBe(5);
    expect((await done('audit', 'verify')).json()).toMatchObject({ ok: true, problems: [] });
  });
});
