import { callTool, fail, type Script, type ScriptedMove, say } from '@agent-runtime/adapters';
import type { Connector, JsonObject, LlmRequest, Receipt } from '@agent-runtime/domain';
import { fault } from './settle/outside.fixture.ts';
import { Dice, type Mood } from './simulation-moves.fixture.ts';

/** One payload on its way out. */
export interface Leaving {
  readonly effectId: string;
  readonly part: number;
  readonly payload: JsonObject;
  readonly address: string;
}

export interface OutsideHooks {
  /** Before the outside judges a payload. */
  readonly onLeave: (one: Leaving) => Promise<void>;
  /** When it took one. */
  readonly onArrive: (one: Leaving) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly mood: () => Mood;
}

/** The chat platform as one process sees it: it does as the mood of the moment says. */
export function moodyConnector(hooks: OutsideHooks): Connector {
  return {
    name: 'chat',
    account: 'test',
    delivery: 'push',
    dropsRepeats: false,
    render: (draft) =>
      draft.text
        .split('\n\n')
        .filter(Boolean)
        .map((text) => ({ text })),
    deliver: async (payload, to, signal) => {
      const one = { effectId: to.effectId, part: to.part, payload, address: to.sink.address };
      await hooks.onLeave(one);
      const mood = hooks.mood();
      if (mood === 'slow') await hooks.sleep(2_000, signal);
      await refusedBy(mood, signal);
      hooks.onArrive(one);
      if (mood === 'breaks after') throw fault('uncertain');
      return { externalId: `${to.effectId}/${to.part}` };
    },
    reconcile: async () => ({ kind: 'unknown' }),
    start: async () => {},
    stop: async () => {},
  };
}

async function refusedBy(mood: Mood, signal: AbortSignal): Promise<void> {
  if (mood === 'down') throw fault('unavailable');
  if (mood === 'busy') throw fault('exhausted', 5_000);
  if (mood === 'refuses') throw fault('rejected');
  if (mood === 'breaks before') throw fault('uncertain');
  if (mood === 'hangs') await ended(signal);
}

function ended(signal: AbortSignal): Promise<Receipt> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(fault('cancelled'));
    signal.addEventListener('abort', () => reject(fault('cancelled')));
  });
}

const NOTES = ['notes/a.md', 'notes/b.md', 'AGENTS.md', 'SOUL.md', 'contexts/ops/memory.md'] as const;

/** A model that does something of everything, drawn from its seed; `isTame` makes it answer at once. */
export function moodyModel(
  seed: number,
  isTame: () => boolean,
  onCall: (request: LlmRequest) => Promise<void>,
): Script {
  const dice = new Dice(seed ^ 0x5eed);
  let said = 0;
  return async function* (call) {
    await onCall(call.request);
    said += 1;
    if (isTame()) return yield* say(`ok ${said}`);
    const turns = call.request.messages.filter((message) => message.role === 'assistant').length;
    yield* replyOf(dice, said, turns);
  };
}

function replyOf(dice: Dice, said: number, turns: number): readonly ScriptedMove[] {
  const roll = dice.next();
  if (roll < 0.06) return [...say('half'), ...fail(dice.of(['unavailable', 'exhausted', 'rejected']))];
  if (roll < 0.09) return fail('exhausted', 'later', 2_000);
  if (roll < 0.12) return [...say('half'), { kind: 'hang' }];
  if (roll < 0.2) return [{ kind: 'wait', ms: 2_000 }, ...say(`late ${said}`)];
  if (roll < 0.22) return [];
  if (roll < 0.45 || turns > 6) return say(dice.chance(0.3) ? `one ${said}\n\ntwo` : `answer ${said}`);
  const calls = [...toolCall(dice, said, 'a'), ...(dice.chance(0.25) ? toolCall(dice, said, 'b') : [])];
  return dice.chance(0.05) ? [...calls, ...fail('unavailable', 'cut')] : calls;
}

function toolCall(dice: Dice, said: number, id: string): readonly ScriptedMove[] {
  const parts = dice.of(['We are open.', 'We are open.\n\nCome in.']);
  switch (dice.below(8)) {
    case 0:
      return callTool('md_read', { path: dice.of(NOTES) }, id);
    case 1:
      return callTool('qmd_search', { query: 'hours' }, id);
    case 2:
    case 3: {
      const mode = dice.of(['create', 'replace', 'append']);
      return callTool('md_write', { path: dice.of(NOTES), mode, text: `note ${said}` }, id);
    }
    case 4:
      return callTool('no_such_tool', { path: 1 }, id);
    default:
      return callTool('post_message', { channel: 'news-channel', text: `${parts} ${said}` }, id);
  }
}
