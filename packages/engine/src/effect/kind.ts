import {
  type Connector,
  type ContextId,
  classifyPath,
  type Digest,
  type Draft,
  type EffectClass,
  type ToolTarget,
} from '@agent-runtime/domain';

/** Kinds of effects; part of the digest, of standing approvals and of crash point names. */
export const EFFECT_KIND = {
  /** A message to a place that is not the origin. */
  post: 'message.post',
  /** The answer of a run, back to its origin. */
  reply: 'message.reply',
  /** A word of the appliance itself to the origin. */
  notice: 'message.notice',
  /** New content of one workspace file. */
  write: 'file.write',
  /** A word of the appliance to the admin hub, about an open question elsewhere; `HUB_CARD` of the domain. */
  card: 'message.card',
  /** What was said in a direct talk of one of the staff, to the admin hub; `HUB_MIRROR` of the domain. */
  mirror: 'message.mirror',
} as const;

/** Connector name in the sink of a file write. */
export const FILES_SINK = 'files';

/** What is to be done, before it is rendered. */
export type Act =
  | {
      readonly kind: 'message';
      readonly connector: Connector;
      readonly channel: string;
      readonly draft: Draft;
    }
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly text: string;
      /** What must be there when it is written. */
      readonly expected: Digest | 'absent';
    };

/** Kind of the effect that a tool call on this target would propose; undefined when it proposes none. */
export function effectKindOf(target: ToolTarget): string | undefined {
  if (target.kind === 'message') return EFFECT_KIND.post;
  return target.kind === 'file' && target.access === 'write' ? EFFECT_KIND.write : undefined;
}

/** Memory and notes are W1; what steers the assistant or belongs to staff is W2. */
export function classOfWrite(path: string, context: ContextId): EffectClass {
  const kind = classifyPath(path, context);
  return kind === 'control' || kind === 'document' ? 'W2' : 'W1';
}
