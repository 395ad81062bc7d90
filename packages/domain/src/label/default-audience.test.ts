import { expect, it } from 'vitest';
import { defaultAudienceOf } from './file-label.ts';

it('files of a context belong to it, everything else to the workspace', () => {
  expect(defaultAudienceOf('garden', 'contexts/general/memory.md')).toEqual(['ctx:garden/general']);
  expect(defaultAudienceOf('garden', 'notes/contexts/general/memory.md')).toEqual(['ws:garden']);
  expect(defaultAudienceOf('garden', 'memory.md')).toEqual(['ws:garden']);
});
