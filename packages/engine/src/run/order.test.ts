import type { UserId } from '@agent-runtime/domain';
import { expect, test } from 'vitest';
import { signed } from '../settle/world.fixture.ts';
import { useStage } from './run.fixture.ts';

const stage = useStage();
const STRANGER = 'user_00000000000000000009' as UserId; // safe: alphabet of ids

test('an order that is refused is a fact in the log', async () => {
  const { run } = await stage.tell('think');
  const over = await stage.settled(run);
  await expect(stage.engine.retry(over.task, signed(STRANGER))).rejects.toMatchObject({
    code: 'run.order.denied',
  });
  const [event] = await stage.deps.audit.tail(1, { action: 'run.refuse' });
  expect(event).toMatchObject({
    subject: over.id,
    actor: STRANGER,
    data: { asked: 'run.retry', via: 'signed', reasons: ['policy.role'] },
  });
});
