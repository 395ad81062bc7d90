import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callFingerprint, isStuck, MAX_SAME_CALLS } from './progress.ts';
import {
  isFinalRun,
  moveRun,
  nextRunState,
  RUN_STATES,
  type Run,
  type RunEvent,
  type RunState,
} from './task.ts';

const EVENTS: readonly RunEvent[] = ['start', 'abort', 'stopped', 'succeed', 'fail'];

describe('the run machine', () => {
  // Written out again: the table of the source is not its own witness.
  const MOVES: readonly (readonly [RunState, RunEvent, RunState])[] = [
    ['queued', 'start', 'running'],
    ['queued', 'abort', 'aborted'],
    ['queued', 'fail', 'failed'],
    ['running', 'start', 'running'],
    ['running', 'abort', 'aborting'],
    ['running', 'succeed', 'succeeded'],
    ['running', 'fail', 'failed'],
    ['aborting', 'abort', 'aborting'],
    ['aborting', 'stopped', 'aborted'],
    ['aborting', 'fail', 'aborted'],
    ['aborting', 'succeed', 'aborted'],
  ];

  it('moves exactly as written, and refuses every other event', () => {
    for (const state of RUN_STATES) {
      for (const event of EVENTS) {
        const expected = MOVES.find(([from, what]) => from === state && what === event)?.[2];
        expect(nextRunState(state, event), `${state} ${event}`).toBe(expected);
        const move = (): RunState => moveRun({ id: 'run_00000000' as Run['id'], state }, event); // safe: of the right form
        if (expected === undefined)
          expect(move).toThrow(expect.objectContaining({ code: 'task.run.conflict' }));
        else expect(move()).toBe(expected);
      }
    }
  });

  it('ends in exactly one final state and stays there; once aborting it never succeeds', () => {
    expect(RUN_STATES.filter(isFinalRun)).toEqual(['aborted', 'succeeded', 'failed']);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS)), (events) => {
        let state: RunState = 'queued';
        let wasAborting = false;
        for (const event of events) {
          const next = nextRunState(state, event);
          if (isFinalRun(state)) expect(next).toBeUndefined();
          state = next ?? state;
          wasAborting ||= state === 'aborting';
        }
        if (wasAborting) expect(['aborting', 'aborted']).toContain(state);
      }),
    );
  });

  it('words of the object prototype are no events', () => {
    expect(nextRunState('queued', 'constructor' as RunEvent)).toBeUndefined(); // safe: deliberately unknown
  });
});

describe('going in circles', () => {
  const call = callFingerprint({ name: 'md_read', argumentsJson: '{"path":"a.md"}' });
  const entry = (result: string) => ({ call, result: callFingerprint({ name: 'r', argumentsJson: result }) });

  it('is the same call with the same result three times', () => {
    expect(isStuck([])).toBe(false);
    for (let n = 1; n <= 5; n += 1)
      expect(isStuck(Array.from({ length: n }, () => entry('x')))).toBe(n >= MAX_SAME_CALLS);
  });

  it('is not: other arguments, or a result that changes', () => {
    expect(isStuck([entry('x'), entry('y'), entry('z')])).toBe(false);
    const other = { ...entry('x'), call: callFingerprint({ name: 'md_read', argumentsJson: '{}' }) };
    expect(isStuck([entry('x'), entry('x'), other])).toBe(false);
    expect(isStuck([entry('x'), entry('x'), entry('x'), other])).toBe(false);
  });

  it('any text of a model has a fingerprint', () => {
    expect(callFingerprint({ name: 'a', argumentsJson: '\ud800' })).toMatch(/^sha256:/);
  });
});
