// Copy this folder, rename, change what differs, add one line to ../index.ts. Run the tests after each step.
// The example speaks to an invented chat: GET /updates?after=N gives events, POST /messages takes one message.
import type { Clock, Connector, InboundEvent, JsonObject, Receipt, Reconciled } from '@agent-runtime/domain';
import { z } from 'zod';
import { deliveryError } from '../errors.ts';
import { splitText } from '../split.ts';

export interface TemplateOptions {
  readonly baseUrl: string;
  readonly account: string;
  /** Read at each call. */
  readonly token: () => string;
  /** Handed in, so that tests need no network. */
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly pollMs?: number | undefined;
}

const LIMIT_CHARS = 2_000;

export function templateConnector(options: TemplateOptions): Connector {
  let stop: () => Promise<void> = async () => {};
  return {
    name: 'template',
    account: options.account,
    delivery: 'push',
    // The invented chat drops a repeat of one key. Say false when yours does not: a lost outcome is then never tried again by itself.
    dropsRepeats: true,
    // Pure: no clock, no ids, no network. What is made here is what people approve and what is sent.
    render: (draft, { address }) =>
      splitText(draft.text, LIMIT_CHARS).map((text, index) => ({
        channel: address,
        text,
        ...(index === 0 && draft.replyTo !== undefined ? { reply_to: draft.replyTo } : {}),
      })),
    deliver: (payload, to, signal) => post(options, payload, keyOf(to), signal),
    reconcile: (_payload, to, signal) => look(options, keyOf(to), signal),
    start: async (accept) => {
      await stop();
      stop = poll(options, accept);
    },
    stop: () => stop(),
  };
}

/** The same effect and part give the same key, always: that is what the receiver drops repeats by. */
function keyOf(to: { readonly effectId: string; readonly part: number }): string {
  return `${to.effectId}.${to.part}`;
}

const sent = z.object({ id: z.string() });

async function post(
  options: TemplateOptions,
  payload: JsonObject,
  key: string,
  signal: AbortSignal,
): Promise<Receipt> {
  if (signal.aborted) throw deliveryError('unavailable', 'Stopped before anything was sent.');
  const body = JSON.stringify(payload);
  const response = await call(options, '/messages', {
    method: 'POST',
    body,
    headers: { 'idempotency-key': key },
    signal,
  });
  if (response.status === 429)
    throw deliveryError('exhausted', undefined, Number(response.headers.get('retry-after') ?? 1) * 1000);
  // The invented chat promises that nothing happened when it says 503; of other trouble nobody knows.
  if (response.status === 503) throw deliveryError('unavailable');
  if (response.status >= 500) throw deliveryError('uncertain');
  if (!response.ok) throw deliveryError('rejected');
  const parsed = sent.safeParse(await response.json().catch(() => undefined));
  // It said yes, and then not which message: it may be there.
  if (!parsed.success) throw deliveryError('uncertain');
  return { externalId: parsed.data.id };
}

async function look(options: TemplateOptions, key: string, signal: AbortSignal): Promise<Reconciled> {
  const response = await call(options, `/messages/by-key/${key}`, { signal });
  if (response.status === 404) return { kind: 'not-sent' };
  const parsed = sent.safeParse(await response.json().catch(() => undefined));
  return parsed.success ? { kind: 'sent', receipt: { externalId: parsed.data.id } } : { kind: 'unknown' };
}

/** @throws AppError connectors.delivery.uncertain when the line broke: the bytes may have gone out */
async function call(options: TemplateOptions, path: string, init: RequestInit): Promise<Response> {
  try {
    const headers = { ...init.headers, authorization: `Bearer ${options.token()}` };
    return await options.fetch(`${options.baseUrl}${path}`, { ...init, headers });
  } catch {
    throw deliveryError('uncertain');
  }
}

const updates = z.array(
  z.object({
    number: z.int(),
    channel: z.string(),
    sender: z.string(),
    name: z.string(),
    text: z.string(),
    at: z.number(),
  }),
);

/** Asks for what is new. The number goes up only after everything before it was accepted. */
function poll(
  options: TemplateOptions,
  accept: (event: InboundEvent) => Promise<unknown>,
): () => Promise<void> {
  const control = new AbortController();
  const { signal } = control;
  const run = async (): Promise<void> => {
    let after = 0;
    while (!signal.aborted) {
      after = await round(options, accept, after, signal).catch(() => after);
      await options.clock.sleep(options.pollMs ?? 1_000, signal);
    }
  };
  const ended = run();
  return async () => {
    control.abort();
    await ended;
  };
}

async function round(
  options: TemplateOptions,
  accept: (event: InboundEvent) => Promise<unknown>,
  after: number,
  signal: AbortSignal,
): Promise<number> {
  const response = await call(options, `/updates?after=${after}`, { signal });
  let accepted = after;
  for (const update of updates.parse(await response.json())) {
    if (signal.aborted) return accepted;
    const isAccepted = await accept(toEvent(options, update)).then(
      () => true,
      () => false,
    );
    if (!isAccepted) return accepted;
    accepted = update.number;
  }
  return accepted;
}

function toEvent(options: TemplateOptions, update: z.infer<typeof updates>[number]): InboundEvent {
  return {
    source: `template:${options.account}`,
    externalId: `${update.number}`,
    kind: 'message',
    channel: { id: update.channel, kind: 'channel', title: update.channel },
    // The id is what counts; a name may be anything.
    sender: { id: update.sender, displayName: update.name, isBot: false },
    text: update.text,
    isAddressed: true,
    isRelayed: false,
    sentAt: update.at,
  };
}
