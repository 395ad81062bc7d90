import { AppError, type Logger } from '@agent-runtime/domain';
import { makeAdminApp, makeEnrolment, serveAdminSocket } from '../admin/index.ts';
import type { Appliance } from '../assembly/appliance.ts';
import { writeProxyFiles } from '../authority/proxy-files.ts';
import { makePublicApp } from '../public/app.ts';
import { liveTexts } from '../stream/live-text.ts';
import { type Listener, serveHttp, serveTls, type TlsOptions } from '../system/listener.ts';
import type { World } from './world.ts';

/** The open doors of a running appliance. */
export interface Serving {
  readonly publicUrl: string;
  readonly socketPath: string;
  /** The admin API over TLS; undefined when it is off or its port is taken. */
  readonly adminUrl: string | undefined;
  readonly metricsUrl: string | undefined;
  /** Says that it is stopping, so that nobody sends new work. */
  refuse(): void;
  /** Ends streams and listeners. */
  close(): Promise<void>;
}

const HEARTBEAT_MS = 15_000;
const LISTENER_CLOSE_MS = 1_000;

/** Opens the doors: public HTTP, the admin socket, metrics. @throws AppError runtime.listen.*, admin.socket.* */
export async function serve(world: World, appliance: Appliance, log: Logger): Promise<Serving> {
  const { config } = world;
  const { deps, engine } = appliance;
  let isStopping = false;
  const texts = liveTexts(deps.live);
  const app = makePublicApp({
    engine,
    read: deps.store.read,
    steps: appliance.steps,
    live: deps.live,
    texts,
    clock: deps.clock,
    ids: deps.ids,
    log: deps.log,
    metrics: deps.metrics,
    perMinute: config.RATE_PER_MINUTE,
    reasons: () => [...(isStopping ? ['it is stopping'] : []), ...appliance.chatReasons()],
    heartbeatMs: HEARTBEAT_MS,
    enrolment: makeEnrolment(appliance.admin),
    telegramHook: appliance.telegramHook,
  });
  const opened: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    app.closeStreams();
    texts.close();
    await Promise.all(opened.map((end) => end()));
  };
  try {
    const listener = await serveHttp(app.fetch, config.PUBLIC_LISTEN, 'AGENT_RUNTIME_PUBLIC_LISTEN');
    opened.push(() => listener.close(LISTENER_CLOSE_MS));
    const socket = await serveAdminSocket({
      app: makeAdminApp({ parts: appliance.admin, transport: { kind: 'socket' } }),
      dataDir: config.dataDir,
      runtimeDir: world.runtimeDir,
    });
    opened.push(() => socket.close());
    const admin = await serveAdmin(world, appliance, log);
    if (admin !== undefined) opened.push(() => admin.close(0));
    const metrics = await serveMetrics(world, appliance, log);
    if (metrics !== undefined) opened.push(() => metrics.close(0));
    return {
      publicUrl: listener.url,
      socketPath: socket.path,
      adminUrl: admin === undefined ? undefined : appliance.adminPlace.url,
      metricsUrl: metrics?.url,
      refuse: () => {
        isStopping = true;
      },
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/**
 * The admin API over TLS: to people's clients, or to Caddy alone, which has shown us its own certificate.
 * A taken port does not stop the start: the socket serves the same API, and another instance on this machine is no fault.
 */
async function serveAdmin(world: World, appliance: Appliance, log: Logger): Promise<Listener | undefined> {
  const { config } = world;
  const { adminPlace } = appliance;
  if (config.ADMIN_LISTEN === undefined) return undefined;
  const authority = await appliance.authority();
  const tls = (): TlsOptions => ({ ...authority.server(), clientCaPem: authority.rootPems().join('') });
  const hop = config.ADMIN_TLS;
  const app = makeAdminApp({
    parts: appliance.admin,
    transport: { kind: 'network', hop, authority: () => hostOf(adminPlace.url), ca: authority },
  });
  try {
    const listener = await serveTls(
      (request, env) => app.fetch(request, env),
      tls(),
      config.ADMIN_LISTEN,
      'AGENT_RUNTIME_ADMIN_LISTEN',
    );
    adminPlace.url ??= listener.url;
    authority.follow('the admin listener', () => listener.change(tls()));
    if (hop === 'proxy')
      authority.follow(`the files of Caddy in ${config.proxyDir}`, () =>
        writeProxyFiles(config.proxyDir, authority),
      );
    return listener;
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'runtime.listen.conflict') throw thrown;
    log.warn(
      { room: 'admin', code: thrown.code },
      `The admin API is on the local socket only. ${thrown.message}`,
    );
    return undefined;
  }
}

function hostOf(url: string | undefined): string {
  return url === undefined ? '' : new URL(url).host;
}

/** Metrics are a comfort: a port that is taken (another instance, Prometheus itself) must not stop the start. */
async function serveMetrics(world: World, appliance: Appliance, log: Logger): Promise<Listener | undefined> {
  const { METRICS_LISTEN: place } = world.config;
  const { metricsText } = appliance;
  if (place === undefined || metricsText === undefined) return undefined;
  try {
    return await serveHttp(metricsFetch(metricsText), place, 'AGENT_RUNTIME_METRICS_LISTEN');
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    log.warn({ room: 'runtime', code: thrown.code }, `Metrics are off. ${thrown.message}`);
    return undefined;
  }
}

function metricsFetch(metricsText: NonNullable<Appliance['metricsText']>) {
  return async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (pathname !== '/metrics' || request.method !== 'GET') return new Response(null, { status: 404 });
    const { text, contentType } = await metricsText();
    return new Response(text, { headers: { 'Content-Type': contentType, 'Cache-Control': 'no-store' } });
  };
}
