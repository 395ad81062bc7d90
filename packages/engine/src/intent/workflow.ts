import {
  AppError,
  decide,
  effectiveSettings,
  type Intent,
  type IntentId,
  isFinalRun,
  type JsonObject,
  type Principal,
  type StoreReader,
  type StoreTx,
  type Workflow,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { policyRules } from '../effect/rules.ts';
import { sayUnderstood } from './acknowledge.ts';
import { sayQuestion } from './ask.ts';
import { lapse } from './end.ts';
import { labelOfSentence, modelSentence, type Understandable } from './model-sentence.ts';
import { understood } from './sentence.ts';

/**
 * One call of a small model, then the words. Whatever goes wrong with the model, the rules have a sentence.
 * @param active requesters of what runs now, so that a revocation or panic stops it at once
 * @param onReply wakes the outbox
 */
export function makeIntentWorkflow(
  deps: EngineDeps,
  active: Map<string, Principal>,
  onReply: () => void,
): Workflow {
  return {
    run: async (input, work) => {
      const wish = await load(deps.store.read, idOf(input));
      active.set(work.id, wish.intent.requester);
      try {
        await work.step(
          'sentence',
          (signal) => sentence(deps, wish, signal),
          async (tx, said) => {
            await say(deps, tx, wish.intent.id, said);
            return { isModel: said !== undefined };
          },
          { action: 'intent.say', actor: 'appliance', subject: wish.intent.id, ...placeOf(wish.intent) },
        );
      } finally {
        active.delete(work.id);
        onReply();
      }
    },
    onFailed: async (input) => {
      const { intent } = await load(deps.store.read, idOf(input));
      const audit = { action: 'intent.say', actor: 'appliance', subject: intent.id, ...placeOf(intent) };
      await deps.store.commit(audit, (tx) => say(deps, tx, intent.id, undefined));
      onReply();
    },
  };
}

async function sentence(
  deps: EngineDeps,
  wish: Understandable,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { requester } = wish.intent;
  const rules = await policyRules(deps, deps.store.read, wish.context.id);
  const asks = decide(
    { action: 'task.create', principal: requester, door: 'chat', isAddressed: true },
    rules,
  );
  // Nobody whose rights are gone has a model called for them; under panic none is.
  if (asks.kind !== 'permit') throw stopped();
  try {
    const said = await modelSentence(deps, wish, signal);
    if (signal.aborted) throw stopped();
    return said;
  } catch (thrown) {
    if (signal.aborted || (thrown instanceof AppError && thrown.code.startsWith('database.'))) throw thrown;
    return undefined;
  }
}

/** Says it where it is still news: a task that is over, or a wish that something was added to, needs no words about it. */
async function say(deps: EngineDeps, tx: StoreTx, id: IntentId, said: string | undefined): Promise<void> {
  await tx.finishWork(id, 'done');
  const { intent, settings } = await load(tx, id);
  const rules = await policyRules(deps, tx, intent.context);
  const asks = decide(
    { action: 'task.create', principal: intent.requester, door: 'chat', isAddressed: true },
    rules,
  );
  if (asks.kind !== 'permit') return lapse(tx, intent, 'who said it may not ask here now');
  const words = said ?? understood(intent.kind, intent.text);
  const spoken = { ...intent, label: said === undefined ? intent.label : labelOfSentence(intent) };
  const message = await tx.get('context_message', { id: intent.message });
  if (intent.state === 'asked') await askOrLapse(deps, tx, { intent: spoken, message, settings, words });
  if (intent.state !== 'begun' || intent.task === undefined || intent.run === undefined) return;
  const run = await tx.get('run', { id: intent.run });
  if (run === undefined || isFinalRun(run.state)) return;
  await sayUnderstood(deps, tx, { intent: spoken, task: intent.task, message, words });
}

/** A question that nobody can be shown waits for nobody. */
async function askOrLapse(
  deps: EngineDeps,
  tx: StoreTx,
  said: Parameters<typeof sayQuestion>[2],
): Promise<void> {
  try {
    await sayQuestion(deps, tx, said);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'intent.card.denied') throw thrown;
    await lapse(tx, said.intent, thrown.code);
  }
}

async function load(reader: StoreReader, id: IntentId): Promise<Understandable> {
  const intent = await reader.get('task_intent', { id });
  const context = intent && (await reader.get('context', { id: intent.context }));
  const workspace = intent && (await reader.get('workspace', { id: intent.workspace }));
  if (intent === undefined || context === undefined || workspace === undefined)
    throw new AppError({ code: 'intent.id.missing', kind: 'missing', message: `There is no ${id}.` });
  return { intent, context, settings: effectiveSettings(workspace, context) };
}

function placeOf({ workspace, context }: Intent): Pick<Intent, 'workspace' | 'context'> {
  return { workspace, context };
}

function stopped(): AppError {
  return new AppError({ code: 'intent.say.cancelled', kind: 'cancelled', message: 'Stopped.' });
}

function idOf(input: JsonObject): IntentId {
  return String(input.intent) as IntentId; // safe: workOf wrote it
}
