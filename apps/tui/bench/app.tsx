import { render } from 'ink';
import { Root } from '../src/app/app.tsx';
import { fakeClient } from '../src/app/fake-client.fixture.ts';
import { approvalFixture } from '../src/app/fake-data.fixture.ts';
import { appOf } from '../src/app/open.tsx';

// The screens on the fake runtime, for a person to look at and for bench/main.ts to measure.
// BENCH_APPROVALS, BENCH_EVENTS_PER_S, BENCH_FLOOD (events sent as fast as they are taken), BENCH_SCREEN.
const approvals = Number(process.env.BENCH_APPROVALS ?? 20);
const perSecond = Number(process.env.BENCH_EVENTS_PER_S ?? 1);
const flood = Number(process.env.BENCH_FLOOD ?? 0);

const client = fakeClient({
  approvals: Array.from({ length: approvals }, (_, n) =>
    approvalFixture(approvals - n, {
      tier: n % 50 === 0 ? 'high' : 'medium',
      summary: `question ${label(n)} post to #news`,
    }),
  ),
});
let events = 0;
const emit = (): void => {
  events += 1;
  client.emit({
    topic: 'approvals',
    kind: 'approval.pending',
    data: { id: `appr_${label(events)}`, state: 'pending', tier: 'low' },
  });
};
setInterval(emit, 1_000 / perSecond);

let firstFrame: { readonly wallMs: number; readonly cpuMs: number } | undefined;
const instance = render(
  <Root
    {...appOf({
      connect: async () => client,
      witnesses: undefined,
      clock: {
        nowMs: () => Date.now(),
        sleep: (ms, signal) =>
          new Promise((resolve) => {
            const end = (): void => {
              clearTimeout(timer);
              signal?.removeEventListener('abort', end);
              resolve();
            };
            const timer = setTimeout(end, ms);
            signal?.addEventListener('abort', end);
          }),
      },
      newKey: () => crypto.randomUUID(),
      theme: { useColor: true, isReader: false },
      ...(process.env.BENCH_SCREEN === undefined ? {} : { start: { id: process.env.BENCH_SCREEN } }),
    })}
  />,
  {
    alternateScreen: true,
    interactive: true,
    maxFps: 60,
    incrementalRendering: true,
    onRender: () => {
      const { user, system } = process.cpuUsage();
      firstFrame ??= { wallMs: performance.now(), cpuMs: (user + system) / 1_000 };
    },
  },
);

if (flood > 0) {
  while (events < flood) {
    for (let n = 0; n < 10; n += 1) emit();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
await instance.waitUntilExit();
globalThis.gc?.();
const { rss } = process.memoryUsage();
process.stdout.write(
  `BENCH ${JSON.stringify({ ...firstFrame, events, rssMiB: Math.round(rss / 1_048_576) })}\n`,
);
process.exit(0);

function label(n: number): string {
  return String(n).padStart(5, '0');
}
