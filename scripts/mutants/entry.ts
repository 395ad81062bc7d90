import { test } from 'vitest';

// What vitest starts in the worker; the work itself is done by the runner, after this.
test('the worker is up', () => undefined);
