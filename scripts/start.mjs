// `npm start`: the runtime with embedded defaults; a new instance is made first when there is none. On a terminal the screens open
// over it. What all that means is decided in apps/runtime and apps/tui.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { becomePinnedNode, environment, pinnedNode, runtimeFlags } from './pinned-node.mjs';
import { root } from './setup.mjs';

const words = process.argv.slice(2);
const runtimeArgs = [...runtimeFlags(), `${root}apps/runtime/bin/runtime.mjs`, 'up', '--setup', ...words];
const screensArgs = [`${root}apps/tui/bin/agent-runtime.mjs`];
/** Lines of the runtime that are kept for later while the screens cover the terminal. */
const KEPT_LINES = 1_000;
/** Last line of what the runtime says when its doors are open. */
const READY = 'Ctrl-C stops it.';

const wantsScreens =
  process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb' && words.length === 0;
if (wantsScreens) await withScreens();
else becomePinnedNode(runtimeArgs);

async function withScreens() {
  const env = { AGENT_RUNTIME_LOG_FORMAT: 'pretty', ...environment() };
  const runtime = spawn(pinnedNode, [...runtimeArgs, '--terminal'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
  const ended = new Promise((resolve) => runtime.once('exit', (code) => resolve(code ?? 1)));
  // Ctrl-C of the terminal reaches the runtime by itself, and a second one would mean "stop at once".
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => runtime.kill('SIGTERM'));

  const said = speaker();
  const isReady = new Promise((resolve) => {
    for (const stream of [runtime.stdout, runtime.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        said.hear(text);
        if (said.all.includes(READY)) resolve(true);
      });
  });
  if (await Promise.race([isReady, ended.then(() => false)])) {
    // The screens would cover what is shown only once.
    if (said.all.includes('RECOVERY KEY')) await pressEnter(ended);
    said.hold();
    await openScreens(runtime);
    said.release();
    if (runtime.exitCode === null && runtime.signalCode === null)
      process.stdout.write(
        '\nThe screens are closed; agent-runtime is still up. Open them again: npx agent-runtime. Ctrl-C stops it.\n',
      );
  }
  process.exit(await ended);
}

/** What the runtime says: shown, or kept for later. */
function speaker() {
  let isHeld = false;
  let kept = [];
  const speaking = {
    /** Everything until the screens opened. */
    all: '',
    hear(text) {
      if (!isHeld) {
        if (speaking.all.length < 100_000) speaking.all += text;
        process.stdout.write(text);
        return;
      }
      kept.push(...text.split(/(?<=\n)/));
      kept = kept.slice(-KEPT_LINES);
    },
    hold() {
      isHeld = true;
    },
    release() {
      isHeld = false;
      process.stdout.write(kept.join(''));
      kept = [];
    },
  };
  return speaking;
}

async function pressEnter(ended) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answered = terminal.question(
    'Press Enter when the recovery key is on paper; the screens open then. ',
  );
  await Promise.race([answered.catch(() => undefined), ended]);
  terminal.close();
}

/** The screens as a program of their own on this terminal. They close when the runtime ends. */
function openScreens(runtime) {
  const screens = spawn(pinnedNode, screensArgs, { stdio: 'inherit', env: environment() });
  const close = () => screens.kill('SIGTERM');
  runtime.once('exit', close);
  return new Promise((resolve) => {
    screens.once('error', resolve);
    screens.once('exit', () => {
      runtime.off('exit', close);
      resolve();
    });
  });
}
