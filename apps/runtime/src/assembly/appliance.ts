import { filesSearch } from '@agent-runtime/adapters';
import type { Logger, Metrics, RunId } from '@agent-runtime/domain';
import {
  commandMenu,
  type Engine,
  type EngineDeps,
  holdRevocations,
  makeEngine,
} from '@agent-runtime/engine';
import type { OpenStore } from '@agent-runtime/store';
import { allTools } from '@agent-runtime/tools';
import type { AdminParts } from '../admin/index.ts';
import type { Authority } from '../authority/authority.ts';
import { authorityFile } from '../authority/authority-file.ts';
import type { World } from '../command/world.ts';
import { journalSteps } from '../stream/journal-steps.ts';
import type { StepFact } from '../stream/run-facts.ts';
import { systemLiveFeed } from '../system/live-feed.ts';
import { listenTo } from './chat.ts';
import { makeChats, type TelegramHook } from './connectors.ts';
import { openDataFolder } from './data-folder.ts';
import { DOORS, doorConnectors } from './doors.ts';
import { engineConfig } from './engine-config.ts';
import { openFiles } from './files.ts';
import { type Loop, repeat } from './loop.ts';
import { makeModels } from './models.ts';
import { joinSecrets, type SecretRedactor } from './secrets.ts';

/** A running appliance without its doors. */
export interface Appliance {
  readonly deps: EngineDeps;
  readonly engine: Engine;
  readonly admin: AdminParts;
  /** The CA, opened (or made) when it is first needed. */
  readonly authority: () => Promise<Authority>;
  /** What the admin listener found out about itself once it listens. */
  readonly adminPlace: { url: string | undefined };
  readonly steps: (run: RunId) => Promise<readonly StepFact[]>;
  readonly metricsText: (() => Promise<{ readonly text: string; readonly contentType: string }>) | undefined;
  readonly modelSummary: string;
  /** Why the data look older than they should; the gate is closed then. */
  readonly rollback: string | undefined;
  readonly telegramHook: TelegramHook | undefined;
  /** Why a chat platform is not served; empty when all are. */
  readonly chatReasons: () => readonly string[];
  /** Takes nothing new and lets running work end, ms. */
  drain(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

/** A signed head at least this often, ms. */
const CHECKPOINT_EVERY_MS = 60_000;
/** Certificates live for weeks; an hour is soon enough. */
const MAINTAIN_CERTIFICATES_MS = 3_600_000;

/**
 * Opens the data folder and joins all rooms around it; work that a dead process left goes on when it returns.
 * @throws AppError lock.*, vault.*, migration.*, database.*, runtime.model.invalid
 */
export async function openAppliance(
  world: World,
  masterKey: Uint8Array,
  log: Logger,
  redactor: SecretRedactor,
): Promise<Appliance> {
  const open = await openDataFolder(world, masterKey, log, redactor);
  try {
    return await join(world, open, log, redactor);
  } catch (thrown) {
    await open.close();
    throw thrown;
  }
}

async function join(
  world: World,
  open: OpenStore,
  log: Logger,
  redactor: SecretRedactor,
): Promise<Appliance> {
  const { config, clock, ids } = world;
  const secrets = await joinSecrets(config, open.vault, redactor);
  const models = makeModels(config, () => secrets.get('LLM_API_KEY'), log);
  const chats = await makeChats({
    config,
    secrets,
    memoryOf: open.connectorMemory,
    commands: commandMenu(),
    clock,
    log,
  });
  const measured = config.METRICS_LISTEN === undefined ? undefined : await loadMetrics();
  const files = openFiles({ open, clock, crash: world.crash, log });
  const held = holdRevocations(open.store);
  const deps: EngineDeps = {
    store: { ...open.store, read: held.read, commit: held.commit },
    journal: open.journal,
    audit: open.audit,
    files: files.files,
    search: filesSearch({ files: files.files }),
    providers: models.providers,
    routes: models.routes,
    tools: allTools,
    connectors: [...doorConnectors(), ...chats.connectors],
    panic: open.panic,
    clock,
    ids,
    log,
    metrics: measured?.metrics ?? NO_METRICS,
    live: systemLiveFeed(),
    crash: world.crash,
    redactor,
    config: engineConfig(config),
    configFiles: files.configFiles,
  };
  const engine = makeEngine(deps);
  const loops: Loop[] = [];
  // Settings before work: an edit made while nothing ran counts for the first turn.
  loops.push(...(await files.start(() => engine.settingsChanged())));
  await engine.start();
  loops.push(
    repeat({ clock, log }, 'signing the audit head', CHECKPOINT_EVERY_MS, () => open.audit.checkpoint()),
  );
  for (const chat of chats.connectors) await listenTo(chat, engine, log);
  let opened: Promise<Authority> | undefined;
  const authority = (): Promise<Authority> => {
    opened ??= openCa(world, open, log).catch((thrown: unknown) => {
      // Whoever asks next tries again.
      opened = undefined;
      throw thrown;
    });
    return opened;
  };
  loops.push(
    repeat({ clock, log }, 'looking after certificates', MAINTAIN_CERTIFICATES_MS, async () =>
      (await opened)?.maintain(),
    ),
  );
  const adminPlace: { url: string | undefined } = { url: config.ADMIN_URL };
  return {
    deps,
    engine,
    admin: {
      ...deps,
      engine,
      held,
      vault: secrets.vault,
      sealer: open.sealer,
      authority: {
        issue: async (request) => (await authority()).issue(request),
        trusted: async (nowMs) => (await authority()).trusted(nowMs),
        rotate: async (how) => (await authority()).rotate(how),
        // Where nobody needed the CA yet, nothing of it can be over.
        alarms: async (people, nowMs) => (opened === undefined ? [] : (await opened).alarms(people, nowMs)),
        adminUrl: () => adminPlace.url,
      },
      auditCheck: open.audit,
      configFiles: files.configFiles,
      about: {
        // The key that signs this folder's log: made with it, kept for its life, and nobody else has it.
        instanceId: open.audit.keyId,
        version: world.version,
        bootId: world.bootId,
        startedAtMs: clock.nowMs(),
      },
      doors: DOORS,
    },
    authority,
    adminPlace,
    steps: journalSteps(open.journal),
    metricsText: measured?.text,
    modelSummary: models.summary,
    rollback: open.rollback?.text,
    telegramHook: chats.telegramHook,
    chatReasons: chats.reasons,
    drain: async (deadlineMs) => {
      // Side by side: a platform that does not answer must not use up the time in which running work may end.
      const stopped = Promise.all(chats.connectors.map((chat) => chat.stop()));
      await Promise.all([engine.drain(deadlineMs), Promise.race([stopped, clock.sleep(deadlineMs)])]);
    },
    close: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
      try {
        await files.flush();
      } finally {
        await open.close();
      }
    },
  };
}

/** Names by which the listener is dialled: its own address, this machine, the service's name among containers. */
const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1', 'runtime'];

async function openCa(world: World, open: OpenStore, log: Logger): Promise<Authority> {
  const { config, clock } = world;
  const { openAuthority } = await import('../authority/authority.ts');
  const named = config.ADMIN_URL === undefined ? [] : [bareHost(new URL(config.ADMIN_URL).hostname)];
  const own =
    config.ADMIN_LISTEN === undefined || isAnyAddress(config.ADMIN_LISTEN.host)
      ? []
      : [config.ADMIN_LISTEN.host];
  const isProxied = config.ADMIN_TLS === 'proxy';
  return openAuthority({
    file: authorityFile(open.paths.authority, open.sealer),
    instanceId: open.audit.keyId,
    clock,
    log,
    hosts: [...LOCAL_NAMES, ...own, ...(isProxied ? [] : named)],
    proxyHosts: isProxied ? [...named, 'localhost', '127.0.0.1'] : undefined,
  });
}

function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** No client dials these. */
function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

const NO_METRICS: Metrics = {
  count: () => undefined,
  gauge: () => undefined,
  observe: () => undefined,
};

/** Loaded only where somebody may ask for them. */
async function loadMetrics(): Promise<{
  readonly metrics: Metrics;
  readonly text: () => Promise<{ readonly text: string; readonly contentType: string }>;
}> {
  const { systemMetrics } = await import('../system/metrics.ts');
  const { metrics, text, contentType } = systemMetrics();
  return { metrics, text: async () => ({ text: await text(), contentType }) };
}
