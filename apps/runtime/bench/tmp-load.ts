import { startLlmServer } from '@agent-runtime/testkit';
import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { follow, post } from '../src/journeys/journey.fixture.ts';
import { processFacts, spread, timeEach } from './measure.ts';
const server = await startLlmServer();
const child = spawn(process.execPath, [...(process.env.PROF ?? '').split(' ').filter(Boolean), 'apps/runtime/src/main.ts', 'up', '--json'], { env: { ...process.env, AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl, AGENT_RUNTIME_LLM_MODEL: 'x' }, stdio: ['ignore', 'pipe', 'inherit'] });
await once(child.stdout!, 'data');
const url = 'http://127.0.0.1:18081';
const made = JSON.parse(execFileSync(process.execPath, ['apps/tui/src/main.ts', 'token', 'create', 'b' + Date.now(), '--workspace', 'community', '--json'], { encoding: 'utf8' }));
const turn = async (key: string, text: string) => { const r = await post({ url }, made.secret, { conversation_key: key, text }); const { run_id } = (await r.json()) as any; await (await follow({ url }, made.secret, run_id)).closed; };
await timeEach(20, (i) => turn('w', 'warm ' + i));
for (let round = 0; round < Number(process.env.ROUNDS ?? 3); round++) {
  const a = processFacts(child.pid!);
  const s = spread(await timeEach(100, (i) => turn(`c${round}-${i}`, 'q ' + i)));
  const b = processFacts(child.pid!);
  console.log(round, s, 'cpu/turn', (b.cpuMs - a.cpuMs) / 100, 'KiB/turn', (b.writtenBytes - a.writtenBytes) / 102400, 'rss', b.rssMiB);
}
child.kill('SIGTERM'); await once(child, 'exit'); await server.close();
