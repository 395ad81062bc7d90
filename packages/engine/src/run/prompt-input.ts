import {
  AppError,
  type AssembledPrompt,
  assemblePrompt,
  clearanceOf,
  HISTORY_MESSAGES,
  INTEGRITY,
  type Message,
  type PromptText,
  urlsIn,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import type { RunMeans } from './means.ts';
import { relevantMemory } from './memory.ts';
import type { RunPlace, RunProgress } from './session.ts';
import { isSteering } from './steering.ts';

/** Staff-owned files that steer every prompt of a workspace, in the order in which they stand. */
const GUIDANCE = ['APPEND_SYSTEM.md', 'AGENTS.md', 'SOUL.md'] as const;

/** A prompt with what the run must remember of it. */
export interface BuiltPrompt extends AssembledPrompt {
  /** Newest message that it holds. */
  readonly seenSeq: number;
  /** Links in staff's guidance. */
  readonly urls: readonly string[];
}

/**
 * Builds the prompt of the next model call from what is there now: an edit of a guidance file counts from the next call on.
 * @param asked skills are listed once per run, for each is a file to read
 */
export async function buildPrompt(
  deps: EngineDeps,
  place: RunPlace,
  progress: RunProgress,
  asked: { readonly skills: readonly PromptText[]; readonly timeFormat: RunMeans['timeFormat'] },
): Promise<BuiltPrompt> {
  const { context, settings, input } = place;
  const guidancePaths = [...GUIDANCE, ...settings.prompts, `contexts/${context.id}/context.md`];
  const system = await readGuidance(deps, place, 'SYSTEM.md');
  const found = await Promise.all(guidancePaths.map((path) => readGuidance(deps, place, path)));
  const guidance = found.filter((file) => file !== undefined);
  const messages = await conversationMessages(deps, place);
  const steered = messages.filter((message) => isSteering(message, place));
  const prompt = assemblePrompt({
    system,
    guidance,
    memory: await relevantMemory(deps, place),
    skills: asked.skills,
    history: await earlierTalk(deps, place, messages),
    // What was answered while this message waited has a later number, and yet came before its turn.
    current: {
      ...withSteering(input, steered),
      seq: Math.max(...messages.map(({ seq }) => seq), input.seq) + 1,
    },
    turns: progress.turns,
    clearance: clearanceOf(context),
    budgetTokens: Math.min(
      deps.config.promptTokens,
      settings.models.maxPromptTokens ?? deps.config.promptTokens,
    ),
    formatTime: asked.timeFormat(settings.timeZone),
  });
  const trusted = [...(system === undefined ? [] : [system]), ...guidance].filter(
    (file) => file.label.integrity >= INTEGRITY.staff,
  );
  return {
    ...prompt,
    seenSeq: Math.max(input.seq, ...steered.map((message) => message.seq)),
    urls: trusted.flatMap((file) => urlsIn(file.text)).slice(0, MAX_URLS),
  };
}

const MAX_URLS = 200;

/**
 * What was said before the turn of this message: earlier messages, each followed by its answer, also by one that came when this message
 * was waiting already. Messages that wait behind it are not part of it.
 */
async function earlierTalk(
  deps: EngineDeps,
  place: RunPlace,
  messages: readonly Message[],
): Promise<readonly Message[]> {
  const runs = messages.flatMap((message) =>
    message.direction === 'out' && message.run !== undefined ? [message.run] : [],
  );
  const { read } = deps.store;
  const answered = runs.length === 0 ? [] : await read.find('run', { id: { in: runs } });
  const questions = new Map(answered.map((run) => [run.id, run.input]));
  const seqs = new Map([place.input, ...messages].map((message) => [message.id, message.seq]));
  // A question too old to be shown still says where its answer belongs.
  const old = answered.map(({ input }) => input).filter((id) => !seqs.has(id));
  if (old.length > 0)
    for (const { id, seq } of await read.find('context_message', { id: { in: old } })) seqs.set(id, seq);
  const placeOf = (message: Message): number => {
    const question = message.run === undefined ? undefined : questions.get(message.run);
    return (question === undefined ? undefined : seqs.get(question)) ?? message.seq;
  };
  return messages
    .filter((message) => message.id !== place.input.id && placeOf(message) < place.input.seq)
    .map((message) => ({ message, at: placeOf(message) }))
    .sort((a, b) => a.at - b.at || a.message.seq - b.message.seq)
    .map(({ message }) => message);
}

/** Words that the sender of a running task added to it; they stand with the question, newest last. */
function withSteering(input: Message, steered: readonly Message[]): Message {
  if (steered.length === 0) return input;
  return {
    ...input,
    text: [input.text, ...steered.map((message) => `[added later] ${message.text}`)].join('\n\n'),
  };
}

/**
 * What was said before the question, as far as prompts may hold it, and what belongs to runs since: late answers, and words that were
 * added. What others say meanwhile, or what is only logged, takes no place of it.
 */
async function conversationMessages(deps: EngineDeps, place: RunPlace): Promise<readonly Message[]> {
  const { read } = deps.store;
  const conversation = place.conversation.id;
  const { seq } = place.input;
  const newest = { orderBy: 'seq', direction: 'desc', limit: HISTORY_MESSAGES + SPARE_MESSAGES } as const;
  const earlier = { conversation, isPromptable: true, seq: { lt: seq } };
  const later = { conversation, run: { isNull: false }, seq: { gt: seq } };
  const [before, since] = await Promise.all([
    read.find('context_message', earlier, newest),
    read.find('context_message', later, newest),
  ]);
  return [...since, ...before].reverse();
}

/** Some of what is found may not be shown to the readers of the place. */
const SPARE_MESSAGES = 20;

/** A missing guidance file is normal; one that the guards refuse is logged and left out. */
async function readGuidance(
  deps: EngineDeps,
  place: RunPlace,
  path: string,
): Promise<PromptText | undefined> {
  try {
    const file = await deps.files.readControl(place.context.workspace, path);
    if (file === undefined) return undefined;
    const text = withoutFrontMatter(file.text).trim();
    return text === '' ? undefined : { name: path, text, label: file.label };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.kind === 'bug') throw thrown;
    deps.log.warn({ room: 'run', path, code: thrown.code }, 'a guidance file was left out');
    return undefined;
  }
}

/** Skills by name and first words; their steps are read when one is used. */
export async function skillList(deps: EngineDeps, place: RunPlace): Promise<readonly PromptText[]> {
  const files = await deps.files.list(place.context.workspace, 'skills');
  const paths = files.filter(({ path }) => /^skills\/[^/]+\.md$/.test(path)).slice(0, MAX_SKILLS);
  const skills: PromptText[] = [];
  for (const { path } of paths) {
    const file = await readGuidance(deps, place, path);
    if (file === undefined) continue;
    const name = path.slice('skills/'.length, -'.md'.length);
    skills.push({ name, text: `${name} (${path}): ${firstWords(file.text)}`, label: file.label });
  }
  return skills;
}

const MAX_SKILLS = 50;

function firstWords(text: string): string {
  const line = text.split('\n').find((one) => one.trim() !== '' && !one.startsWith('#'));
  return (line ?? '').trim().slice(0, 160);
}

/** What stands after a leading `---` block. */
export function withoutFrontMatter(text: string): string {
  const match = /^---\r?\n[\s\S]*?\r?\n---[ \t]*(?:\r?\n|$)/.exec(text);
  return match === null ? text : text.slice(match[0].length);
}
