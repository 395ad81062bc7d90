/** The voice of the demo: numbered steps, quoted output, and checks that end it when they fail. */
const state = { steps: 0, startedAt: performance.now() };

export function step(title: string): void {
  state.steps += 1;
  process.stdout.write(`\n${state.steps}. ${title}\n`);
}

export function say(text: string): void {
  process.stdout.write(`   ${text}\n`);
}

/** Shows at most `lines` lines of an output. */
export function quote(text: string, lines: number): void {
  const all = text.trimEnd().split('\n');
  for (const line of all.slice(0, lines)) process.stdout.write(`   | ${line.slice(0, 110)}\n`);
  if (all.length > lines) process.stdout.write('   | …\n');
}

/** @throws Error when it does not hold: the demo then ends with exit code 1 */
export function check(what: string, holds: boolean): void {
  process.stdout.write(`   ${holds ? 'ok  ' : 'FAIL'} ${what}\n`);
  if (!holds) throw new Error(`the demo failed: ${what}`);
}

export function end(): void {
  const seconds = ((performance.now() - state.startedAt) / 1000).toFixed(0);
  process.stdout.write(`\nAll steps held, in ${seconds} s. Nothing of it is kept. Next: npm start\n`);
}
