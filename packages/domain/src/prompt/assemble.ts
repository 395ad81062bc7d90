import { oneLine } from '../base/index.ts';
import type { Message } from '../context/index.ts';
import { type Clearance, canFlow, INTEGRITY, join, type Label } from '../label/index.ts';
import { cutToTokens, estimateTokens, type LlmMessage } from '../model/index.ts';
import { fitTurns, type RunTurn, tokensOf, turnTokens } from './fit.ts';
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
/** Below this no prompt can be built; a smaller budget counts as this one. Tokens. */
export const MIN_PROMPT_TOKENS = 800;
/** Shares of the budget, so that one part can never push out another. */
const SYSTEM_SHARE = 0.5;
const CURRENT_SHARE = 0.3;
const MEMORY_SHARE = 0.15;
const SKILL_SHARE = 0.05;
const HISTORY_SHARE = 0.4;
/** Of what rules and question leave, kept for the newest turn: without it the model would ask for the same again. */
const TURN_SHARE = 0.6;

type Counts = { -readonly [Key in keyof AssembledPrompt['left']]: number };

/**
 * Builds the prompt of one model call.
 * Only staff-owned bytes and the constant rules enter the system role; everything else is user-role data inside <data> blocks.
 * The constant rules and the current message are always there; a message that is too long is cut and says so, guidance that does
 * not fit is left out whole and counted.
 * @returns messages, the join of their labels, and an estimate of tokens that is at most the budget; pure
 */
export function assemblePrompt(input: PromptInput): AssembledPrompt {
  const count: Counts = { notCleared: 0, notTrusted: 0, overBudget: 0 };
  const budget = Math.max(MIN_PROMPT_TOKENS, Math.floor(input.budgetTokens));
  const system = takeSystem(input, budget * SYSTEM_SHARE, count);
  const current: LlmMessage = { role: 'user', text: currentText(input, budget * CURRENT_SHARE) };
  const rest = budget - tokensOf(system.message) - tokensOf(current);
  const data = takeData(input, { budget, rest: rest - reserveOf(input.turns.at(-1), rest) }, count);
  const turns = fitTurns(input.turns, Math.max(0, rest - data.tokens));
  count.overBudget += turns.dropped;
  const messages = [
    system.message,
    ...data.blocks,
    ...data.history.map((message) => toLlm(message, input.formatTime)),
    current,
    ...turns.turns.flatMap((turn) => turn.messages),
  ];
  return {
    messages,
    label: join(
      input.current.label,
      ...[...system.items, ...data.items, ...data.history, ...turns.turns].map((item) => item.label),
    ),
    tokens: messages.reduce((sum, message) => sum + tokensOf(message), 0),
    left: count,
  };
}

function reserveOf(newest: RunTurn | undefined, rest: number): number {
  return newest === undefined ? 0 : Math.min(turnTokens(newest), Math.floor(rest * TURN_SHARE));
}

/** Nothing that the readers of this place may not see enters. */
function admit<T extends { readonly label: Label }>(
  input: PromptInput,
  items: readonly T[],
  count: Counts,
): readonly T[] {
  const fitting = items.filter((item) => canFlow(item.label, input.clearance));
  count.notCleared += items.length - fitting.length;
  return fitting;
}

/** Opening, guidance, rules. The rules stand last and always; only staff-owned texts stand before them. */
function takeSystem(
  input: PromptInput,
  budget: number,
  count: Counts,
): { readonly message: LlmMessage; readonly items: readonly PromptText[] } {
  const trusted = (items: readonly PromptText[]): readonly PromptText[] => {
    const staff = items.filter((item) => item.label.integrity >= INTEGRITY.staff);
    count.notTrusted += items.length - staff.length;
    return staff;
  };
  const own = trusted(admit(input, input.system === undefined ? [] : [input.system], count));
  const guidance = trusted(admit(input, input.guidance, count));
  const taken: PromptText[] = [];
  const render = (): string =>
    [
      ...(taken.some((item) => own.includes(item)) ? [] : [DEFAULT_SYSTEM]),
      ...taken.map((item) =>
        own.includes(item) ? item.text.trim() : `# ${titleOf(item)}\n${item.text.trim()}`,
      ),
      CONSTANT_RULES,
    ].join('\n\n');
  for (const item of [...own, ...guidance]) {
    taken.push(item);
    if (estimateTokens(render()) + 4 <= budget) continue;
    taken.pop();
    count.overBudget += 1;
  }
  return { message: { role: 'system', text: render() }, items: taken };
}

/** Names of files are chosen by people of any trust; one that is more than a path stays out of the system role. */
function titleOf(item: PromptText): string {
  return /^[A-Za-z0-9][A-Za-z0-9_./-]{0,99}$/.test(item.name) ? item.name : 'guidance';
}

const CUT = '\n[cut: the message is longer than can be read at once]';

function currentText(input: PromptInput, budget: number): string {
  const whole = messageText(input.current, input.formatTime);
  if (estimateTokens(whole) + 4 <= budget) return whole;
  return cutToTokens(whole, Math.floor(budget) - 4 - estimateTokens(CUT)) + CUT;
}

interface Data {
  readonly blocks: readonly LlmMessage[];
  readonly items: readonly PromptText[];
  readonly history: readonly Message[];
  readonly tokens: number;
}

/** Memory, skills and history, each within its share and all of them within what is there. */
function takeData(
  input: PromptInput,
  limits: { readonly budget: number; readonly rest: number },
  count: Counts,
): Data {
  let { rest } = limits;
  const share = (part: number): number => Math.min(rest, limits.budget * part);
  const memory = takeWithin(admit(input, input.memory, count), share(MEMORY_SHARE), count);
  rest -= memory.tokens;
  const skills = takeWithin(admit(input, input.skills, count), share(SKILL_SHARE), count);
  rest -= skills.tokens;
  const said = input.history.filter((message) => message.isPromptable);
  const history = takeHistory(admit(input, said, count), input, share(HISTORY_SHARE), count);
  rest -= history.tokens;
  const text = [dataBlock('memory', memory.items), dataBlock('skills', skills.items)]
    .filter((block) => block !== '')
    .join('\n');
  return {
    blocks: text === '' ? [] : [{ role: 'user', text }],
    items: [...memory.items, ...skills.items],
    history: history.items,
    tokens: limits.rest - rest,
  };
}

/** The frame of a block and the envelope of the message that holds it, tokens. */
const BLOCK_TOKENS = 20;

function takeWithin(
  items: readonly PromptText[],
  budget: number,
  count: Counts,
): { readonly items: readonly PromptText[]; readonly tokens: number } {
  const taken: PromptText[] = [];
  let tokens = BLOCK_TOKENS;
  for (const item of items) {
    const cost = estimateTokens(dataLine(item));
    if (tokens + cost > budget) count.overBudget += 1;
    else {
      taken.push(item);
      tokens += cost;
    }
  }
  return { items: taken, tokens: taken.length === 0 ? 0 : tokens };
}

function takeHistory(
  messages: readonly Message[],
  input: PromptInput,
  budget: number,
  count: Counts,
): { readonly items: readonly Message[]; readonly tokens: number } {
  const recent = messages.filter((message) => message.seq < input.current.seq).slice(-HISTORY_MESSAGES);
  let tokens = 0;
  let from = recent.length;
  for (let i = recent.length - 1; i >= 0; i -= 1) {
    const message = recent[i];
    if (message === undefined) break;
    const cost = tokensOf(toLlm(message, input.formatTime));
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

/**
 * `[2026-11-21 14:03 Ada] text`. The name is folded to one line without brackets, and a line of the text that begins like a header
 * gets a backslash, so that neither can pose as another message.
 */
function messageText(message: Message, formatTime: (atMs: number) => string): string {
  const name = oneLine(message.senderName, 60).replace(/[[\]<>]/g, ' ');
  const text = message.text.replace(/(?<=[\n\r\v\f\u0085\u2028\u2029]\s*)\[/g, '\\[');
  return [`[${formatTime(message.at)} ${name}] ${escapeData(text)}`, ...attachedLines(message)].join('\n');
}

const MOST_ATTACHED = 10;

/**
 * Kind and size alone: both are of a closed type, so they say nothing in somebody's words. Name and contents are from outside and stay
 * out, so the message keeps its label.
 */
function attachedLines({ attachments = [] }: Message): readonly string[] {
  const shown = attachments.slice(0, MOST_ATTACHED).map(({ kind, bytes }) => {
    const size = bytes === undefined ? '' : `, ${sizeText(bytes)}`;
    return `[attached: ${kind}${size}; its contents cannot be read yet]`;
  });
  const more = attachments.length - shown.length;
  return more === 0 ? shown : [...shown, `[attached: ${more} more]`];
}

function sizeText(bytes: number): string {
  const kilobytes = Math.max(1, Math.round(bytes / 1_000));
  return kilobytes < 1_000 ? `${kilobytes} kB` : `${(kilobytes / 1_000).toFixed(1)} MB`;
}

function dataBlock(name: string, items: readonly PromptText[]): string {
  if (items.length === 0) return '';
  return `<data name="${name}">\n${items.map(dataLine).join('\n')}\n</data>`;
}

function dataLine(item: PromptText): string {
  return `- ${escapeData(item.text.trim())}`;
}

/** A text can neither close the block that it stands in nor open one. */
function escapeData(text: string): string {
  return text.replace(/<(?=\s*\/?\s*data)/gi, '‹');
}
