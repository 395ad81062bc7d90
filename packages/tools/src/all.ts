import type { ToolSpec } from '@agent-runtime/domain';
import { mdGlob } from './md-glob/spec.ts';
import { mdGrep } from './md-grep/spec.ts';
import { mdList } from './md-list/spec.ts';
import { mdRead } from './md-read/spec.ts';
import { mdWrite } from './md-write/spec.ts';
import { postMessage } from './post-message/spec.ts';
import { qmdSearch } from './qmd-search/spec.ts';

/** Every tool of the appliance, one line each. A context's `tools` choose from these. */
export const allTools: readonly ToolSpec[] = [
  qmdSearch,
  mdRead,
  mdList,
  mdGlob,
  mdGrep,
  mdWrite,
  postMessage,
];
