import {
  AppError,
  type Clock,
  type HttpToken,
  type Ids,
  type PostEvent,
  type PostEventReply,
  parseWire,
  postEventSchema,
} from '@agent-runtime/domain';
import type { Arrival, Engine } from '@agent-runtime/engine';
import { readJson } from './body.ts';

export interface EventPostDeps {
  readonly engine: Pick<Engine, 'accept'>;
  readonly ids: Ids;
  readonly clock: Clock;
}

/**
 * `POST /v1/events`: hands one message to the one door. Resolves when it is durable.
 * @throws AppError public.body.invalid, contract.value.invalid, and whatever `engine.accept` refuses with
 */
export async function postEvent(
  deps: EventPostDeps,
  token: HttpToken,
  request: Request,
): Promise<PostEventReply> {
  const body = parseWire(postEventSchema, await readJson(request), 'body');
  const accepted = await deps.engine.accept(toArrival(deps, token, body));
  if (accepted.run === undefined || accepted.task === undefined) {
    throw new AppError({
      code: 'public.event.denied',
      kind: 'denied',
      message: accepted.reply ?? 'This message started no work.',
    });
  }
  return { run_id: accepted.run, task_id: accepted.task };
}

/**
 * The event as the engine knows it. Every key that the caller chose is put under its token, so that two tokens never share a
 * conversation, a user or a request, whatever they send.
 */
export function toArrival(
  deps: Pick<EventPostDeps, 'ids' | 'clock'>,
  token: HttpToken,
  body: PostEvent,
): Arrival {
  return {
    event: {
      source: `http:${token.id}`,
      // The colon keeps a made id from ever being a caller's key.
      externalId:
        body.idempotency_key === undefined ? `made:${deps.ids.make('event')}` : `key:${body.idempotency_key}`,
      kind: 'message',
      channel: { id: token.context, kind: 'http', title: token.name },
      sender: { id: `${token.id}:${body.user_key}`, displayName: body.user_key, isBot: false },
      text: body.text,
      isAddressed: true,
      isRelayed: false,
      sentAt: deps.clock.nowMs(),
    },
    door: 'http',
    conversationKey: `${token.id}:${body.conversation_key}`,
    authenticated: {
      principal: { kind: 'token', token: token.id, owner: token.owner, workspace: token.workspace },
      context: token.context,
    },
  };
}
