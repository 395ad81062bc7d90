import type { Message } from '../context/index.ts';
import { type Clearance, canFlow, INTEGRITY, join, type Label, makeLabel } from '../label/index.ts';
import { estimateTokens, type LlmMessage } from '../model/index.ts';
import { fitTurns, type RunTurn } from './fit.ts';
import { CONSTANT_RULES, DEFAULT_SYSTEM } from './rules.ts';

/** A file or entry that wants to be in the prompt, with its own label. */
export interface PromptText {
  readonly name: string;
  readonly text: string;
  readonly label: Label;
}

export interface PromptInput {
  /** SYSTEM.md replaces the default; absent or not staff-owned: the default stays. */
  readonly system?: PromptText | undefined;
  /** APPEND_SYSTEM.md, AGENTS.md, SOUL.md, prompts of workspace and context, in this order. */
  readonly guidance: readonly PromptText[];
  /** Relevant memory entries, most relevant first. */
  readonly memory: readonly PromptText[];
  /** Skills by name and description. */
  readonly skills: readonly PromptText[];
  /** Earlier messages of the conversation, oldest first; the newest `HISTORY_MESSAGES` are used. */
  readonly history: readonly Message[];
  /** The message to answer. */
  readonly current: Message;
  /** What happened in this run so far, oldest first. */
  readonly turns: readonly RunTurn[];
  /** Who reads here: nothing that they may not see enters. */
  readonly clearance: Clearance;
  readonly budgetTokens: number;
  /** Shows an instant to the people of the workspace, e.g. "2026-11-21 14:03". */
  readonly formatTime: (atMs: number) => string;
}

export interface AssembledPrompt {
  readonly messages: readonly LlmMessage[];
  /** Join of everything that entered. */
  readonly label: Label;
  readonly tokens: number;
  /** Names of what did not fit or may not be shown here; counts only, never text. */
  readonly left: { readonly notCleared: number; readonly notTrusted: number; readonly overBudget: number };
}

/** Messages of the conversation that a prompt shows at most. */
export const HISTORY_MESSAGES = 30;
/** Shares of the budget, so that one part can never push out another. */
const MEMORY_SHARE = 0.15;
const SKILL_SHARE = 0.05;
const HISTORY_SHARE = 0.4;

/**
 * Builds the prompt of one model call.
 * Only staff-owned bytes and the constant rules enter the system role; everything else is user-role data inside <data> blocks.
 * The constant rules and the current message are always there.
 * @returns messages, the join of their labels, and an upper estimate of tokens; pure
 */
export function assemblePrompt(input: PromptInput): AssembledPrompt {
  const count = { notCleared: 0, notTrusted: 0, overBudget: 0 };
  const labels: Label[] = [input.current.label];
  const admit = <T extends { readonly label: Label }>(items: readonly T[]): readonly T[] =>
    items.filter((item) => {
      const fits = canFlow(item.label, input.clearance);
      if (!fits) count.notCleared += 1;
      return fits;
    });

  const system = systemText(input, admit, labels, count);
  const current: LlmMessage = { role: 'user', text: messageText(input.current, input.formatTime) };
  let rest = input.budgetTokens - estimateTokens(system) - estimateTokens(current.text);

  const memory = takeWithin(admit(input.memory), Math.min(rest, input.budgetTokens * MEMORY_SHARE), count);
  rest -= memory.tokens;
  const skills = takeWithin(admit(input.skills), Math.min(rest, input.budgetTokens * SKILL_SHARE), count);
  rest -= skills.tokens;
  const history = takeHistory(
    admit(input.history.filter((message) => message.isPromptable)),
    input,
    Math.min(rest, input.budgetTokens * HISTORY_SHARE),
    count,
  );
  rest -= history.tokens;
  const turns = fitTurns(input.turns, Math.max(0, rest));
  count.overBudget += turns.dropped;

  for (const item of [...memory.items, ...skills.items, ...history.items]) labels.push(item.label);
  for (const turn of turns.turns) labels.push(turn.label);
  const messages: LlmMessage[] = [{ role: 'system', text: system }];
  const data = [dataBlock('memory', memory.items), dataBlock('skills', skills.items)].filter(
    (block) => block !== '',
  );
  if (data.length > 0) messages.push({ role: 'user', text: data.join('\n') });
  messages.push(
    ...history.items.map((message) => toLlm(message, input.formatTime)),
    current,
    ...turns.turns.flatMap((turn) => turn.messages),
  );
  return {
    messages,
    label: join(...labels),
    tokens: messages.reduce((sum, message) => sum + tokensOf(message), 0),
    left: count,
  };
}

function systemText(
  input: PromptInput,
  admit: <T extends { readonly label: Label }>(items: readonly T[]) => readonly T[],
  labels: Label[],
  count: { notTrusted: number },
): string {
  const parts: string[] = [];
  const trusted = (item: PromptText): boolean => {
    const isStaff = item.label.integrity >= INTEGRITY.staff;
    if (!isStaff) count.notTrusted += 1;
    return isStaff;
  };
  const opening = input.system === undefined ? [] : admit([input.system]).filter(trusted);
  const guidance = admit(input.guidance).filter(trusted);
  parts.push(opening[0]?.text.trim() ?? DEFAULT_SYSTEM);
  for (const item of guidance) parts.push(`# ${item.name}\n${item.text.trim()}`);
  parts.push(CONSTANT_RULES);
  for (const item of [...opening, ...guidance])
    labels.push(makeLabel(item.label.integrity, item.label.audience));
  return parts.join('\n\n');
}

function takeWithin(
  items: readonly PromptText[],
  budget: number,
  count: { overBudget: number },
): { items: readonly PromptText[]; tokens: number } {
  const taken: PromptText[] = [];
  let tokens = 0;
  for (const item of items) {
    const cost = estimateTokens(item.text) + 6;
    if (tokens + cost > budget) count.overBudget += 1;
    else {
      taken.push(item);
      tokens += cost;
    }
  }
  return { items: taken, tokens };
}

function takeHistory(
  messages: readonly Message[],
  input: PromptInput,
  budget: number,
  count: { overBudget: number },
): { items: readonly Message[]; tokens: number } {
  const recent = messages.filter((message) => message.seq < input.current.seq).slice(-HISTORY_MESSAGES);
  let tokens = 0;
  let from = recent.length;
  for (let i = recent.length - 1; i >= 0; i -= 1) {
    const message = recent[i];
    if (message === undefined) break;
    const cost = estimateTokens(messageText(message, input.formatTime)) + 4;
    if (tokens + cost > budget) break;
    tokens += cost;
    from = i;
  }
  count.overBudget += from;
  return { items: recent.slice(from), tokens };
}

function toLlm(message: Message, formatTime: (atMs: number) => string): LlmMessage {
  return message.direction === 'out' && message.sender === 'assistant'
    ? { role: 'assistant', text: message.text, toolCalls: [] }
    : { role: 'user', text: messageText(message, formatTime) };
}

/** `[2026-11-21 14:03 Ada] text`; the name is folded to one line, so that it cannot pose as another message. */
function messageText(message: Message, formatTime: (atMs: number) => string): string {
  const name = message.senderName.replace(/[\r\n[\]<>]+/g, ' ').slice(0, 60);
  return `[${formatTime(message.at)} ${name}] ${message.text}`;
}

function dataBlock(name: string, items: readonly PromptText[]): string {
  if (items.length === 0) return '';
  const lines = items.map((item) => `- ${escapeData(item.text.trim())}`);
  return `<data name="${name}">\n${lines.join('\n')}\n</data>`;
}

/** A text cannot close the block that it stands in. */
function escapeData(text: string): string {
  return text.replace(/<(\/?)data/gi, '‹$1data');
}

export function tokensOf(message: LlmMessage): number {
  const calls =
    message.role === 'assistant'
      ? message.toolCalls.reduce((sum, call) => sum + estimateTokens(call.name + call.argumentsJson) + 8, 0)
      : 0;
  return estimateTokens(message.text) + calls + 4;
}
