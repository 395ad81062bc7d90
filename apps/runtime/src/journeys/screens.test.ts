import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LlmServer, llm, startLlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, newHome, ROOT, type Running } from './journey.fixture.ts';

const NO_TMUX =
  spawnSync('tmux', ['-V']).status === 0 ? undefined : 'tmux is not installed (scripts/ci-packages.sh)';
const suite = NO_TMUX === undefined ? 'the screens in a real terminal' : `the screens [skipped: ${NO_TMUX}]`;
const WAIT_MS = 60_000;
const CODE = /(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}/;
/** `UPDATE_SCREENS=1` writes what is seen; docs/screens shows it to readers. */
const SAVED = join(ROOT, 'docs/screens');

/** A terminal of 80x24 with the screens in it. */
interface Terminal {
  text(): string;
  /** Presses keys by tmux's names, e.g. `Enter`, `Escape`, `a`. */
  press(...keys: readonly string[]): void;
  type(text: string): void;
  /** Waits until the screen shows it. */
  shows(text: string | RegExp): Promise<void>;
  close(): void;
}

function openTerminal(home: Home, name: string): Terminal {
  const socket = join(home.folder, 'tmux.sock');
  const tmux = (...words: readonly string[]): string =>
    execFileSync('tmux', ['-S', socket, ...words], { encoding: 'utf8' });
  // CI as some machines set it for everything: the screens draw there too.
  const env = Object.entries({ ...home.env, TERM: 'screen-256color', CI: 'true' }).flatMap(([key, value]) => [
    '-e',
    `${key}=${value}`,
  ]);
  const program = `${process.execPath} ${join(ROOT, 'apps/tui/bin/agent-runtime.mjs')}`;
  tmux('new-session', '-d', '-s', name, '-x', '80', '-y', '24', ...env, program);
  const text = (): string => tmux('capture-pane', '-t', name, '-p');
  return {
    text,
    press: (...keys) => void tmux('send-keys', '-t', name, ...keys),
    type: (words) => void tmux('send-keys', '-t', name, '-l', words),
    shows: (what) =>
      until(
        () => (typeof what === 'string' ? text().includes(what) : what.test(text())),
        `the screen shows ${String(what)}`,
        WAIT_MS,
      ).catch((thrown: unknown) => {
        throw new Error(`${String(thrown)}\n${text()}`);
      }),
    close: () => {
      spawnSync('tmux', ['-S', socket, 'kill-server']);
    },
  };
}

describe.skipIf(NO_TMUX !== undefined)(suite, { timeout: 300_000 }, () => {
  let home: Home;
  let runtime: Running;
  let model: LlmServer;
  let terminal: Terminal;
  beforeAll(async () => {
    model = await startLlmServer();
    home = newHome({
      AGENT_RUNTIME_ADMIN_LISTEN: '127.0.0.1:0',
      AGENT_RUNTIME_LLM_BASE_URL: model.baseUrl,
      AGENT_RUNTIME_LLM_MODEL: 'emulated',
    });
    mkdirSync(join(home.folder, 'chat'), { recursive: true });
    runtime = await home.start();
    terminal = openTerminal(home, 'ar');
  }, 120_000);
  afterAll(async () => {
    terminal?.close();
    await home?.remove();
    await model?.close();
  });

  const say = async (text: string): Promise<string> => {
    const before = home.chat.textsIn('talk-1').length;
    const line = { id: `s${before}-${text}`, channel: 'talk-1', channel_kind: 'direct', sender: 'u-1', text };
    appendFileSync(join(home.folder, 'chat', 'inbox.jsonl'), `${JSON.stringify(line)}\n`);
    await until(() => home.chat.textsIn('talk-1').length > before, `an answer to ${text}`, WAIT_MS);
    return home.chat.textsIn('talk-1')[before] ?? '';
  };
  const propose = async (text: string): Promise<string> => {
    const call = JSON.stringify({ connector: 'memory', channel: 'general', text });
    model.next(
      [...llm.toolCalls([{ id: 'p1', name: 'post_message', arguments: call }]), ...llm.done('tool_calls')],
      [...llm.text('I have proposed it.'), ...llm.done()],
    );
    const [approval = ''] = (await home.ask(`Tell everybody: ${text}`)).pending_approvals ?? [];
    return approval;
  };

  test('open enrolled by themselves, over TLS', async () => {
    await terminal.shows('● online');
    await terminal.shows('Nothing needs you.');
    // One key by the socket, and the connection of the screens is one of the TLS listener.
    const { items } = (await home.cli(['cert', 'list', '--json'])).json<{ items: unknown[] }>();
    expect(items.length).toBeGreaterThanOrEqual(1);
    const port = Number(new URL(String(runtime.ready.admin_url)).port);
    const established = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 01 `;
    expect(readFileSync('/proc/net/tcp', 'utf8')).toContain(established);
    // Every line fits, whatever stands in it.
    for (const line of terminal.text().split('\n')) expect([...line].length).toBeLessThanOrEqual(80);
  });

  test('pair a stranger by the code that the chat gave', async () => {
    const code = CODE.exec(await say('pair'))?.[0] ?? 'none';
    terminal.press('5');
    await terminal.shows('1 waiting');
    terminal.press('p');
    await terminal.shows('Pairing code');
    terminal.type(code);
    terminal.press('Enter');
    await terminal.shows('Who is memory u-1');
    terminal.press('Enter');
    await terminal.shows('Short name');
    terminal.type('zoe');
    terminal.press('Enter');
    await terminal.shows('Role of zoe');
    terminal.press('Enter');
    await terminal.shows('Where is zoe member');
    terminal.press('Enter');
    await terminal.shows('Until when');
    terminal.press('Enter');
    await terminal.shows('becomes zoe (new)');
    terminal.press('y');
    await until(() => home.chat.textsIn('talk-1').at(-1) === 'You are paired as zoe.', 'the notice', WAIT_MS);
    await terminal.shows('memory u-1 is zoe.');
  });

  test('show the exact bytes; what is approved leaves, what is denied does not', async () => {
    terminal.press('2');
    await terminal.shows('0 waiting');
    await propose('Closed on Monday.');
    await terminal.shows('1 waiting');
    terminal.press('Enter');
    await terminal.shows('Closed on Monday.');
    save('approval-real-80x24', terminal.text());
    terminal.press('a');
    await terminal.shows('sign and send');
    terminal.press('y');
    await until(() => home.chat.textsIn('general').includes('Closed on Monday.'), 'the post', WAIT_MS);

    terminal.press('2');
    await propose('Open all night.');
    await terminal.shows('1 waiting');
    terminal.press('Enter');
    await terminal.shows('Open all night.');
    terminal.press('d');
    await terminal.shows('Deny: why?');
    terminal.type('not true');
    terminal.press('Enter');
    await until(
      async () => {
        const { items } = (await home.cli(['approval', 'list', '--state', 'denied', '--json'])).json<{
          items: unknown[];
        }>();
        return items.length === 1;
      },
      'the denial',
      WAIT_MS,
    );
    expect(home.chat.textsIn('general')).not.toContain('Open all night.');
  });

  test('stop everything, and start again with a signature', async () => {
    terminal.press('Escape');
    terminal.press('0');
    await terminal.shows('Panic is off.');
    terminal.press('p');
    await terminal.shows('STOP EVERYTHING');
    terminal.press('y');
    await terminal.shows('P A N I C   I S   O N');
    expect((await home.cli(['panic', 'status', '--json'])).json()).toMatchObject({ on: true });
    terminal.press('o');
    await terminal.shows('sign: work again');
    terminal.press('y');
    await until(
      async () => !(await home.cli(['panic', 'status', '--json'])).json<{ on: boolean }>().on,
      'panic is off',
      WAIT_MS,
    );
    await terminal.shows('Panic is off.');
  });

  test('say so when the runtime is gone, and go on when it is back', async () => {
    const { host } = new URL(String(runtime.ready.admin_url));
    await runtime.kill();
    await terminal.shows('offline');
    runtime = await home.start({ AGENT_RUNTIME_ADMIN_LISTEN: host }, ['up', '--json']);
    await terminal.shows('● online');
  });

  test('are shut out at once when their certificate is revoked', async () => {
    const { items } = (await home.cli(['cert', 'list', '--json'])).json<{ items: { id: string }[] }>();
    terminal.press('1');
    await terminal.shows('Overview');
    for (const { id } of items) await home.cli(['cert', 'revoke', id]);
    await terminal.shows(/offline|revoked|Enrol again/i);
  });

  function save(name: string, text: string): void {
    if (process.env.UPDATE_SCREENS === '1') writeFileSync(join(SAVED, `${name}.txt`), text);
  }
});
