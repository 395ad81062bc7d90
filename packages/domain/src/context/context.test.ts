import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Context,
  type ContextSettings,
  clearanceOf,
  DEFAULT_QUEUE,
  DEFAULT_TOOLS,
  effectiveSettings,
  isSameBinding,
  NO_MODEL,
  type Workspace,
  type WorkspaceSettings,
} from './context.ts';
import { type Conversation, isRotationDue } from './conversation.ts';

const settingsOf = (
  base: WorkspaceSettings,
  own: ContextSettings,
  openness: Context['openness'] = 'closed',
) =>
  effectiveSettings(
    { id: 'garden', settings: base } as Workspace,
    { id: 'general', workspace: 'garden', openness, settings: own } as Context,
  ); // safe: slugs; only these are looked at

describe('inheritance', () => {
  it('without a word of anybody: the defaults', () => {
    expect(settingsOf({}, {})).toEqual({
      title: 'general',
      guests: 'off',
      tools: [...DEFAULT_TOOLS],
      models: { allowed: [] },
      queue: DEFAULT_QUEUE,
      budget: { tokensPerDay: undefined, tokensPerSenderPerDay: undefined },
      prompts: [],
      concurrency: 5,
      acknowledge: 'tasks',
      messagesPerMinute: 30,
      output: 'all',
      approversForHigh: 1,
      timeZone: 'UTC',
    });
    expect(DEFAULT_QUEUE.idleRotationMs).toBe(8 * 3_600_000);
    expect(DEFAULT_TOOLS.join(' ')).toBe('md_read md_list md_glob md_grep md_write qmd_search post_message');
  });

  it('the context speaks first, then its workspace', () => {
    const base: WorkspaceSettings = {
      title: 'W',
      guests: 'ask',
      prompt: 'prompts/w.md',
      models: { temperature: 0.1, maxOutputTokens: 10 },
      queue: { maxQueued: 1, maxSteps: 2 },
      concurrency: 2,
      approversForHigh: 3,
      timeZone: 'Europe/Berlin',
    };
    const own: ContextSettings = {
      title: 'C',
      guests: 'off',
      prompt: 'prompts/c.md',
      models: { temperature: 0.9 },
      queue: { maxSteps: 7 },
    };
    expect(settingsOf(base, own)).toMatchObject({
      title: 'C',
      guests: 'off',
      prompts: ['prompts/w.md', 'prompts/c.md'],
      models: { temperature: 0.9, maxOutputTokens: 10 },
      queue: { ...DEFAULT_QUEUE, maxQueued: 1, maxSteps: 7 },
      concurrency: 2,
      approversForHigh: 3,
      timeZone: 'Europe/Berlin',
    });
    expect(settingsOf(base, {})).toMatchObject({ title: 'W', guests: 'ask', models: { temperature: 0.1 } });
    expect(
      settingsOf(base, {
        title: undefined,
        models: { temperature: undefined },
        queue: { maxSteps: undefined } as never,
      }),
    ).toMatchObject({ title: 'W', models: { temperature: 0.1 }, queue: { maxSteps: 2 } }); // safe: undefined is what a parser may leave
  });

  it('guests may ask in open contexts unless somebody says otherwise', () => {
    expect(settingsOf({}, {}, 'open').guests).toBe('ask');
    expect(settingsOf({}, {}, 'closed').guests).toBe('off');
    expect(settingsOf({ guests: 'off' }, {}, 'open').guests).toBe('off');
    expect(settingsOf({}, { guests: 'off' }, 'open').guests).toBe('off');
  });

  const names = fc.subarray(['md_read', 'md_list', 'x', 'y', '*']);
  it('a context never widens the tools of its workspace', () => {
    fc.assert(
      fc.property(fc.option(names, { nil: undefined }), fc.option(names, { nil: undefined }), (base, own) => {
        const { tools } = settingsOf({ tools: base }, { tools: own });
        const has = base ?? [...DEFAULT_TOOLS];
        if (!has.includes('*')) for (const name of tools) expect(has).toContain(name);
        if (own !== undefined && !own.includes('*')) for (const name of tools) expect(own).toContain(name);
        if (own === undefined) expect(tools).toEqual(has);
      }),
    );
    expect(settingsOf({ tools: ['x', 'y'] }, { tools: ['y', 'z'] }).tools).toEqual(['y']);
    expect(settingsOf({ tools: ['x'] }, { tools: [] }).tools).toEqual([]);
    expect(settingsOf({ tools: ['*'] }, { tools: ['z'] }).tools).toEqual(['z']);
    expect(settingsOf({ tools: ['x'] }, { tools: ['*'] }).tools).toEqual(['x']);
  });

  it('nor its models: nothing left means none, not any', () => {
    const allowed = (base: readonly string[] | undefined, own: readonly string[] | undefined) =>
      settingsOf(
        { models: base === undefined ? undefined : { allowed: base } },
        { models: own === undefined ? undefined : { allowed: own } },
      ).models.allowed;
    expect(allowed(['a', 'b'], ['b', 'c'])).toEqual(['b']);
    expect(allowed(['a'], ['c'])).toEqual([NO_MODEL]);
    expect(allowed(['a'], [])).toEqual(['a']);
    expect(allowed(['a'], undefined)).toEqual(['a']);
    expect(allowed([], ['c'])).toEqual(['c']);
    expect(allowed(undefined, ['c'])).toEqual(['c']);
    expect(allowed(['*'], ['c'])).toEqual(['c']);
    expect(allowed(['a'], ['*'])).toEqual(['a']);
    expect(allowed(undefined, undefined)).toEqual([]);
  });

  it('nor its caps: the lower one holds', () => {
    const cap = fc.option(fc.nat(), { nil: undefined });
    fc.assert(
      fc.property(cap, cap, (base, own) => {
        const { budget } = settingsOf(
          { budget: { tokensPerDay: base, tokensPerSenderPerDay: own } },
          { budget: { tokensPerDay: own, tokensPerSenderPerDay: base } },
        );
        const both = [base, own].filter((value) => value !== undefined);
        const expected = both.length === 0 ? undefined : Math.min(...both);
        expect(budget).toEqual({ tokensPerDay: expected, tokensPerSenderPerDay: expected });
      }),
    );
  });
});

describe('contexts and conversations', () => {
  it('the clearance of a context follows from what it is', () => {
    const context = {
      id: 'general',
      workspace: 'garden',
      openness: 'open',
      directWith: 'user_ann00000',
    } as Context; // safe: of the right form
    expect(clearanceOf(context)).toEqual({
      kind: 'tags',
      tags: ['ctx:garden/general', 'priv:user_ann00000'],
    });
    expect(clearanceOf({ ...context, openness: 'closed', directWith: undefined })).toEqual({
      kind: 'tags',
      tags: ['ctx:garden/general', 'ws:garden'],
    });
  });

  it('a conversation rotates when it is closed or has rested', () => {
    const conversation = { isOpen: true, lastAt: 1000 } as Conversation; // safe: only these are looked at
    expect(isRotationDue(conversation, 500, 1499)).toBe(false);
    expect(isRotationDue(conversation, 500, 1500)).toBe(true);
    expect(isRotationDue({ ...conversation, isOpen: false }, 500, 1000)).toBe(true);
  });
});

describe('two bindings', () => {
  const one = { connector: 'telegram', account: '1', group: '-100' };

  it('are the same when connector, account and group are', () => {
    expect(isSameBinding(one, { ...one })).toBe(true);
    for (const other of [{ connector: 'discord' }, { account: '2' }, { group: '-200' }]) {
      expect(isSameBinding(one, { ...one, ...other })).toBe(false);
      expect(isSameBinding({ ...one, ...other }, one)).toBe(false);
    }
    expect(isSameBinding(one, { connector: 'discord', account: '2', group: '-100' })).toBe(false);
  });
});
