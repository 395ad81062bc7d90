import { describe, expect, test } from 'vitest';
import { SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();

describe('secrets', SCREEN_TEST, () => {
  test('a value is dots on the screen and whole on the way', async () => {
    at.open('secrets');
    await at.terminal.until('No secrets are kept.');
    await at.terminal.press('s');
    await at.terminal.type('LLM_API_KEY');
    await at.terminal.press('enter');
    await at.terminal.until('Value of LLM_API_KEY');
    expect(at.terminal.text()).not.toContain('•');
    await at.terminal.type('hunter2');
    await at.terminal.until('•••••••');
    await at.terminal.press('enter');
    await at.terminal.until('LLM_API_KEY is kept.');
    expect(at.asked('secret.set')).toEqual([{ name: 'LLM_API_KEY', value: 'hunter2' }]);
    expect(at.terminal.raw()).not.toContain('hunter2');
    await at.terminal.clock.advance(1_000);
    await at.terminal.until('vault');
    await at.terminal.press('x', 'y');
    await at.terminal.until('LLM_API_KEY is forgotten.');
  });
});
