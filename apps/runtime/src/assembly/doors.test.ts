import { expect, test } from 'vitest';
import { DOORS, doorConnectors } from './doors.ts';

test('both doors are connectors from which answers are fetched', () => {
  const doors = doorConnectors().map(({ name, account, delivery }) => ({ name, account, delivery }));
  expect(doors).toEqual([
    { name: DOORS.http.connector, account: DOORS.http.account, delivery: 'pull' },
    { name: DOORS.cli.connector, account: DOORS.cli.account, delivery: 'pull' },
  ]);
});
