import { type Logger, toAppError } from '@agent-runtime/domain';
import { type Appliance, openAppliance } from '../assembly/appliance.ts';
import { configSecrets, type SecretRedactor, secretRedactor } from '../assembly/secrets.ts';
import { systemLogger } from '../system/logger.ts';
import { assertReady, instanceState } from './instance.ts';
import { readMasterKey } from './master-key.ts';
import { type Serving, serve } from './serve.ts';
import type { World } from './world.ts';

/** Time for running work to end after the first signal, ms; what is left is resumed at the next start. */
const DRAIN_MS = 7_000;
/** After this the process ends whatever still hangs. */
const LAST_CALL_MS = 10_000;
const HARD_STOP_EXIT = 70;

/**
 * `up`: serves until a signal.
 * @param how.mayMakeNew sets a new instance up first when there is none (`npm start`)
 * @returns 0 after a clean stop
 */
export async function up(world: World, how: { readonly mayMakeNew: boolean }): Promise<number> {
  const { config } = world;
  const redactor = secretRedactor(configSecrets(config));
  const log = systemLogger({ level: config.LOG_LEVEL, format: world.logFormat }, redactor, {
    write: world.err,
  });
  world.onUncaught((thrown) => {
    const error = toAppError(thrown, world.ids.make('event'));
    log.error({ room: 'runtime', error }, 'this process is broken and stops; start it again');
    world.exit(HARD_STOP_EXIT);
  });
  for (const name of config.unknown)
    log.warn({ room: 'runtime', name }, `${name} means nothing to this version and is ignored`);
  if (how.mayMakeNew && instanceState(config) === 'new') {
    const { makeInstance } = await import('./setup.ts');
    await makeInstance(world, log, redactor);
  }
  assertReady(config);
  return run(world, log, redactor);
}

async function run(world: World, log: Logger, redactor: SecretRedactor): Promise<number> {
  const appliance = await openAppliance(world, readMasterKey(world.config), log, redactor);
  let serving: Serving | undefined;
  try {
    serving = await serve(world, appliance, log);
    announce(world, appliance, serving, log);
    const signal = await world.stopped;
    log.info({ room: 'runtime', signal }, 'stopping: running work may end');
  } finally {
    await stop(world, appliance, serving, log);
  }
  log.info({ room: 'runtime' }, 'stopped');
  return 0;
}

/** Ends in the order in which things depend on each other; each step even when the one before it failed. */
async function stop(
  world: World,
  appliance: Appliance,
  serving: Serving | undefined,
  log: Logger,
): Promise<void> {
  const ended = new AbortController();
  void world.clock.sleep(LAST_CALL_MS, ended.signal).then(() => {
    if (ended.signal.aborted) return;
    log.error({ room: 'runtime' }, 'something did not end in time; this process stops all the same');
    world.exit(HARD_STOP_EXIT);
  });
  const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['new work', async () => serving?.refuse()],
    ['running work', () => appliance.drain(DRAIN_MS)],
    ['listeners', async () => serving?.close()],
    ['the store', () => appliance.close()],
  ];
  for (const [name, act] of steps) {
    try {
      await act();
    } catch (thrown) {
      log.error({ room: 'runtime', error: thrown }, `${name} did not end well`);
    }
  }
  ended.abort();
}

function announce(world: World, appliance: Appliance, serving: Serving, log: Logger): void {
  const { config } = world;
  if (appliance.rollback !== undefined) {
    log.warn({ room: 'gate' }, 'the gate is closed: nothing runs until an admin opens it');
  }
  if (world.isJson) {
    const ready = {
      ready: true,
      public: serving.publicUrl,
      admin: serving.socketPath,
      ...(serving.adminUrl === undefined ? {} : { admin_url: serving.adminUrl }),
      ...(serving.metricsUrl === undefined ? {} : { metrics: serving.metricsUrl }),
      data: config.dataDir,
      model: appliance.modelSummary,
    };
    world.out(`${JSON.stringify(ready)}\n`);
    return;
  }
  const rollback =
    appliance.rollback === undefined
      ? ''
      : `\nATTENTION: ${appliance.rollback}\nThe gate is closed. Look with \`npx agent-runtime gate status\`, then \`npx agent-runtime gate open\`.\n`;
  world.out(`${rollback}
agent-runtime is up.
  HTTP    ${serving.publicUrl}
${serving.adminUrl === undefined ? '' : `  Admin   ${serving.adminUrl} (client certificates only)\n`}  Socket  ${serving.socketPath}
${serving.metricsUrl === undefined ? '' : `  Metrics ${serving.metricsUrl}/metrics\n`}  Model   ${appliance.modelSummary}
  Data    ${config.dataDir}

Ask the first question in another terminal, in this folder:
  npx agent-runtime ask "How do I get a refund?"
Ctrl-C stops it.
`);
}
