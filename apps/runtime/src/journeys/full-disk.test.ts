import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type LlmServer, llm, startLlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, newHome, newToken, post, type Running, whenDone } from './journey.fixture.ts';

/** Why no small disk can be made here, undefined when it can. */
function mountTrouble(): string | undefined {
  const probe = newHome();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe.folder], { stdio: 'pipe' });
    execFileSync('umount', [probe.folder], { stdio: 'pipe' });
    return undefined;
  } catch {
    return 'mounting a tmpfs needs root';
  } finally {
    rmSync(probe.folder, { recursive: true, force: true });
  }
}

const TROUBLE = mountTrouble();
const NOTICE = 'The fair begins at noon.';
const SIZE = '12m';

interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

interface Grants {
  readonly items: readonly { readonly id: string; readonly name: string; readonly role: string }[];
}

describe.skipIf(TROUBLE !== undefined)(
  `a full disk${TROUBLE === undefined ? '' : ` (skipped: ${TROUBLE})`}`,
  { timeout: 180_000 },
  () => {
    let home: Home;
    let server: LlmServer;
    let runtime: Running;
    let token: { readonly id: string; readonly secret: string };
    let other: { readonly id: string; readonly secret: string };
    let approval: string;
    let grant: string;
    beforeAll(async () => {
      server = await startLlmServer();
      home = newHome({
        AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl,
        AGENT_RUNTIME_LLM_MODEL: 'emulated',
      });
      mkdirSync(home.dataDir);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=700`, 'tmpfs', home.dataDir]);
      runtime = await home.start();
      token = await newToken(home, 'shop');
      other = await newToken(home, 'other');
      for (const name of ['ada', 'zoe']) {
        await home.cli(['user', 'add', name]);
        await home.cli(['grant', 'add', '--user', name, '--role', 'operator', '--scope', '*']);
      }
      const given = (await home.cli(['grant', 'list', '--user', 'ada', '--json'])).json<Grants>();
      grant = given.items[0]?.id ?? '';
      const call = JSON.stringify({ connector: 'memory', channel: 'general', text: NOTICE });
      server.next(
        [...llm.toolCalls([{ id: 'p1', name: 'post_message', arguments: call }]), ...llm.done('tool_calls')],
        [...llm.text('I have proposed it.'), ...llm.done()],
      );
      [approval = ''] = (await home.ask(`Please tell everybody: ${NOTICE}`)).pending_approvals ?? [];
    }, 180_000);
    afterAll(async () => {
      try {
        await runtime.kill();
      } finally {
        execFileSync('umount', ['-l', home.dataDir]);
        await home.remove();
        await server.close();
      }
    });

    const ballast = () => join(home.dataDir, 'ballast');
    /** Takes every byte that is left, down to the last block. */
    const fill = (): void => {
      const file = openSync(ballast(), 'a');
      for (let sizeBytes = 1 << 20; sizeBytes >= 1; sizeBytes = Math.floor(sizeBytes / 2)) {
        const block = Buffer.alloc(sizeBytes);
        try {
          while (writeSync(file, block) === sizeBytes);
        } catch {
          // This size fits no more; the next half may.
        }
      }
      closeSync(file);
    };
    const free = (): void => rmSync(ballast());
    const posts = (): number => home.chat.textsIn('general').filter((text) => text.includes(NOTICE)).length;
    const rights = async (): Promise<Record<string, readonly string[]>> => {
      const { items } = (await home.cli(['grant', 'list', '--json'])).json<Grants>();
      const of = (name: string) => items.filter((one) => one.name === name).map((one) => one.role);
      return { ada: of('ada'), zoe: of('zoe') };
    };
    const readiness = async (): Promise<{ status: number; body: Readiness }> => {
      const answer = await fetch(`${runtime.url}/readyz`);
      return { status: answer.status, body: (await answer.json()) as Readiness }; // safe: the public contract
    };

    test('new work is refused with what to do, and health is red and says why', async () => {
      fill();
      expect(statSync(ballast()).size).toBeGreaterThan(0);
      // What little was free inside the database's own files is used up first.
      let refused = await post(runtime, token.secret, { text: 'Is anybody there?' });
      for (let n = 0; refused.status === 202 && n < 200; n += 1)
        refused = await post(runtime, token.secret, {
          text: `Is anybody there? ${n} ${'x'.repeat(4_000)}`,
          conversation_key: `f${n}`,
        });
      expect(refused.status).toBe(503);
      expect(await refused.text()).toContain('make room and try again');
      const { status, body } = await readiness();
      expect(status).toBe(503);
      expect(body.reasons.join()).toContain('disk is full');
      expect((await fetch(`${runtime.url}/healthz`)).status).toBe(200);
    });

    test('nothing can be approved, and nothing leaves', async () => {
      const approved = await home.cli(['approval', 'approve', approval]);
      expect(approved.code).toBe(8);
      expect(posts()).toBe(0);
    });

    test('a token that is revoked works no more, and the answer says what could not be written', async () => {
      expect((await post(runtime, other.secret, { text: 'x' })).status).toBe(503);
      const revoked = await home.cli(['token', 'revoke', other.id]);
      expect({ code: revoked.code, err: revoked.err }).toMatchObject({
        code: 8,
        err: expect.stringContaining('until the next start'),
      });
      expect((await post(runtime, other.secret, { text: 'x' })).status).toBe(401);
      expect((await post(runtime, token.secret, { text: 'x' })).status).toBe(503);
    });

    test('a person who leaves and a role that is taken away count no more either', async () => {
      for (const taken of [
        ['grant', 'rm', grant],
        ['user', 'offboard', 'zoe'],
      ])
        expect(await home.cli(taken)).toMatchObject({
          code: 8,
          err: expect.stringContaining('until the next start'),
        });
      expect(await rights()).toEqual({ ada: [], zoe: [] });
    });

    test('with room again it goes on by itself; nothing acknowledged is lost, and the log verifies', async () => {
      free();
      await until(async () => (await readiness()).status === 200, 'it is ready again', 20_000);
      const accepted = await post(runtime, token.secret, { text: 'And now?', conversation_key: 'later' });
      expect(accepted.status).toBe(202);
      const { run_id } = (await accepted.json()) as { run_id: string }; // safe: the public contract
      expect(await whenDone(runtime, token.secret, run_id)).toMatchObject({ status: 'succeeded' });
      expect((await post(runtime, other.secret, { text: 'x' })).status).toBe(401);
      expect((await home.cli(['token', 'revoke', other.id])).code).toBe(0);
      expect((await home.cli(['grant', 'rm', grant])).code).toBe(0);
      expect((await home.cli(['user', 'offboard', 'zoe'])).code).toBe(0);
      expect(await rights()).toEqual({ ada: [], zoe: [] });
      expect((await home.cli(['approval', 'approve', approval])).code).toBe(0);
      await until(() => posts() === 1, 'the post arrived', 20_000);
      expect((await home.cli(['audit', 'verify', '--json'])).json()).toMatchObject({ ok: true });
    });

    test('panic works at once on a full disk, and survives a kill and a start', async () => {
      fill();
      const before = performance.now();
      expect((await home.cli(['panic', 'on'])).code).toBe(0);
      console.info(
        `panic on a full disk: ${Math.round(performance.now() - before)} ms with the command's start`,
      );
      expect((await readiness()).body.reasons).toContain('panic is on');
      await runtime.kill();
      free();
      runtime = await home.start({}, ['up', '--json']);
      expect((await readiness()).body.reasons).toContain('panic is on');
      expect(posts()).toBe(1);
      expect((await home.cli(['panic', 'off'])).code).toBe(0);
      expect((await home.cli(['audit', 'verify', '--json'])).json()).toMatchObject({ ok: true });
    });
  },
);
