import { type Accept, AppError, type Logger } from '@agent-runtime/domain';
import type { Alarms } from './alarms.ts';
import { makeAnswers } from './answers.ts';
import type { TelegramClient } from './client.ts';
import { writeCommands } from './commands.ts';
import { refusalOf, toFault } from './fault.ts';
import { movedEvent } from './inbound.ts';
import { type Intake, makeIntake } from './intake.ts';
import { type Lanes, makeLanes } from './lanes.ts';
import type { TelegramOptions, WebhookTarget } from './options.ts';
import { isOverWithin, type Patience, untilDone } from './patience.ts';
import { pollUpdates } from './poll.ts';
import { makeReader } from './read.ts';
import { makeSpool } from './spool.ts';
import { ownName, watchToken } from './token.ts';
import { setWebhook, watchWebhook, webhookState } from './webhook.ts';

export interface DoorParts {
  readonly account: string;
  /** Undefined: updates are asked for. */
  readonly target: WebhookTarget | undefined;
  readonly alarms: Alarms;
  readonly client: TelegramClient;
  readonly log: Logger;
}

/** The incoming half. */
export interface Door {
  start(accept: Accept): Promise<void>;
  stop(): Promise<void>;
  receive(update: unknown): Promise<void>;
  /** A delivery found out that a group has another id. */
  tellMoved(from: number, to: number): void;
}

/** One time between start and stop. */
interface Session {
  readonly intake: Intake;
  readonly take: (update: unknown) => Promise<boolean>;
  readonly isReady: () => boolean;
  readonly end: () => Promise<void>;
}

/** How long live messages are remembered. */
const LIVE_KEPT_MS = 86_400_000;

export function makeDoor(options: TelegramOptions, parts: DoorParts): Door {
  const self: MutableSelf = { username: undefined };
  let session: Session | undefined;
  // Starts and stops come one after the other, so that there are never two pollers.
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    turn = turn.then(work, work);
    return turn;
  };
  const end = async (): Promise<void> => {
    const ending = session;
    session = undefined;
    await ending?.end();
  };

  return {
    start: (accept) =>
      inTurn(async () => {
        await end();
        parts.client.forgive();
        parts.alarms.clear('stolen');
        session = openSession({ options, parts, accept, self });
      }),
    stop: () => inTurn(end),
    receive: async (update) => {
      const isTaken = session?.isReady() === true && (await session.take(update));
      if (!isTaken) throw notTaken();
    },
    tellMoved: (from, to) => {
      const event = movedEvent(
        { from, to: { id: to, type: 'supergroup' }, atMs: options.clock.nowMs() },
        { id: parts.account, username: self.username ?? parts.account },
      );
      // Telegram tells it as well; when it cannot be stored now, that one brings it again.
      session?.intake.offer([event]).catch(() => {});
    },
  };
}

interface MutableSelf {
  username: string | undefined;
}

interface Opening {
  readonly options: TelegramOptions;
  readonly parts: DoorParts;
  readonly accept: Accept;
  readonly self: MutableSelf;
}

function openSession({ options, parts, accept, self }: Opening): Session {
  const { account, target, client, alarms, log } = parts;
  const { clock } = options;
  const control = new AbortController();
  const patience: Patience = { client, clock, alarms, log, signal: control.signal };
  const answers = makeAnswers(patience);
  const intake = makeIntake({ accept, alarms, log, signal: control.signal, onTaken: answers.onTaken });
  const read = makeReader({ clock, log, known: () => ({ id: account, username: self.username ?? '' }) });
  const spool = makeSpool({ memory: options.memory, clock, log });
  const lanes = makeLanes({ intake, spool, read, clock, signal: control.signal });
  // Calls of the webhook that are not answered yet.
  const calls = new Set<Promise<boolean>>();
  const take = (update: unknown): Promise<boolean> => {
    const call = intake.offer(read([update]).flat()).finally(() => calls.delete(call));
    calls.add(call);
    return call;
  };
  const work = run({ options, target, patience, self, lanes });
  const running = Promise.all([work, watchToken(patience)]).catch((thrown: unknown) => {
    log.error({ error: String(thrown) }, 'The connection to Telegram broke inside.');
    alarms.raise('inside', 'The connection to Telegram broke inside. Restart it; the log has the details.');
  });
  return {
    intake,
    take,
    isReady: () => target !== undefined && self.username !== undefined && !control.signal.aborted,
    end: async () => {
      control.abort();
      await running;
      await Promise.all(calls);
      await lanes.settled();
      await answers.settled();
    },
  };
}

interface Running {
  readonly options: TelegramOptions;
  readonly target: WebhookTarget | undefined;
  readonly patience: Patience;
  readonly self: MutableSelf;
  readonly lanes: Lanes;
}

/** How long what is new waits for what an earlier process left, when that cannot be read at once. */
const RESUME_MS = 500;

async function run(running: Running): Promise<void> {
  const { options, target, patience, self, lanes } = running;
  const username = await untilDone(patience, () => ownName(patience));
  if (username === undefined) return;
  self.username = username;
  await untilDone(patience, async () => {
    // The secret may be another one, so a webhook is set each time; one that must not be is only taken away when it is there.
    if (target !== undefined || (await webhookState(patience)).url !== '') await setWebhook(patience, target);
  });
  const resumed = lanes.resume();
  await isOverWithin(patience.clock, resumed, RESUME_MS);
  await Promise.all([
    resumed,
    target === undefined ? pollUpdates({ ...patience, take: lanes.take }) : undefined,
    watchWebhook(patience, target, () => forget(options)),
    menus(running),
  ]);
}

async function forget({ memory, clock }: TelegramOptions): Promise<void> {
  await memory.prune('live:', clock.nowMs() - LIVE_KEPT_MS);
}

/** Menus are a courtesy: trouble with them is told and forgotten until the next start. */
async function menus({ options, patience }: Running): Promise<void> {
  try {
    await forget(options);
    await writeCommands({ ...patience, memory: options.memory }, options.commands ?? []);
  } catch (thrown) {
    const { code } = toFault(thrown);
    const { status, description } = refusalOf(thrown) ?? {};
    if (!patience.signal.aborted)
      patience.log.warn({ code, status, description }, 'The menu of commands could not be written.');
  }
}

function notTaken(): AppError {
  return new AppError({
    code: 'connectors.webhook.unavailable',
    kind: 'unavailable',
    message: 'This update cannot be taken at present. Send it again later.',
  });
}
