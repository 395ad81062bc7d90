import type { Approval, Tier, Vote } from '../approval/index.ts';
import type { Context, Door, EffectiveSettings } from '../context/index.ts';
import type { Effect, EffectClass } from '../effect/index.ts';
import type { Hub } from '../hub/index.ts';
import type { Grant, Principal, Scope } from '../identity/index.ts';
import type { Label } from '../label/index.ts';
import type { ToolSpec, ToolTarget } from '../tool/index.ts';
import type { AdminVerb } from './admin.ts';

/** The state of the world that a decision looks at; read fresh for each one. */
export interface PolicyRules {
  readonly nowMs: number;
  readonly isPanicOn: boolean;
  /** After a restore or rollback until a signed request opens it. */
  readonly isGateClosed: boolean;
  readonly grants: readonly Grant[];
  /** Where it happens; undefined denies everything but admin requests. */
  readonly context: Context | undefined;
  readonly settings: EffectiveSettings | undefined;
  /** Policy may raise the tier of a kind of effect, never lower it. */
  readonly tierFloors?: Readonly<Record<string, Tier>> | undefined;
  /** Approvals that one person may give by chat in a day; `CHAT_GRANTS_PER_DAY` unless said. */
  readonly chatGrantsPerDay?: number | undefined;
  /**
   * People other than the asker who could approve at all, so that a single admin stays able to work. An upper bound: those who hold
   * the role that a question needs are counted from the grants again.
   */
  readonly eligibleApprovers: number;
}

/** Facts about who an external effect reaches; computed from the store, never from the model's words. */
export interface ReachFacts {
  /** Someone who was never written to from here. */
  readonly hasNewRecipient: boolean;
  /** Only participants of the thread that it answers. */
  readonly isReplyToParticipants: boolean;
  /** A channel bound to the same workspace. */
  readonly isKnownChannel: boolean;
  /** Everyone it reaches is a source of its content. */
  readonly isBackToSource: boolean;
  readonly hasAttachment: boolean;
}

/** Why a URL may be fetched. */
export type UrlTrust = 'typed-by-requester' | 'operator' | 'linked-on-allowed-page' | 'none';

/** Kinds of what arrives at a chat, as connectors name them. */
export type EventKind = 'message' | 'edit' | 'button' | 'command' | 'reaction' | 'member' | 'moved';

export type PolicyRequest =
  | {
      /** The first question about everything that arrives, whatever its kind: what may it come to? */
      readonly action: 'ingest.take';
      readonly kind: EventKind;
      readonly principal: Principal;
      readonly door: Door;
      readonly isBot: boolean;
      /** Forwards, quotes, via-bot messages. */
      readonly isRelayed: boolean;
    }
  | {
      readonly action: 'task.create';
      readonly principal: Principal;
      readonly door: Door;
      /** A mention, a reply to us, a direct message, or a door that only talks to us. */
      readonly isAddressed: boolean;
    }
  | {
      readonly action: 'tool.call';
      readonly principal: Principal;
      readonly tool: ToolSpec | undefined;
      readonly target: ToolTarget | undefined;
      /** Join of the run's label and the arguments'. */
      readonly label: Label | undefined;
      /** For messages out of the origin. */
      readonly reach?: ReachFacts | undefined;
      readonly urlTrust?: UrlTrust | undefined;
      /** For code: undefined counts as with network. */
      readonly hasNetwork?: boolean | undefined;
      /** Links of fetched pages that this task has followed so far; undefined: they are asked. */
      readonly linksFollowedOfTask?: number | undefined;
      readonly pendingOfTask: number;
      /** This task already met a denial of this kind of effect. */
      readonly wasKindDenied: boolean;
    }
  | {
      /** Asked again at settle, with fresh rules. */
      readonly action: 'effect.perform';
      readonly effect: Effect;
      readonly approval: Approval | undefined;
      /** Does the tool (or E0 door) that made it still stand in the context? */
      readonly isToolGranted: boolean;
      /** The admin hub of the connector, for a card or a mirrored text. */
      readonly hub?: Hub | undefined;
      /** Of a mirrored text: does whose talk it is still agree that the hub shows it? */
      readonly isMirrorAgreed?: boolean | undefined;
    }
  | { readonly action: 'effect.show'; readonly class: EffectClass; readonly label: Label | undefined }
  | {
      readonly action: 'approval.grant' | 'approval.deny' | 'approval.release';
      readonly principal: Principal;
      readonly approval: Approval;
      readonly effectClass: EffectClass;
      readonly via: Vote['via'];
      /** Approvals this person gave by chat today. */
      readonly chatGrantsToday: number;
    }
  | { readonly action: 'approval.withdraw'; readonly principal: Principal; readonly approval: Approval }
  | {
      readonly action: 'run.abort' | 'run.retry' | 'run.steer';
      readonly principal: Principal;
      readonly requester: Principal;
    }
  | { readonly action: 'run.read'; readonly principal: Principal; readonly requester: Principal }
  | { readonly action: 'workspace.read'; readonly principal: Principal }
  | {
      readonly action: 'admin';
      readonly verb: AdminVerb;
      readonly principal: Principal;
      readonly via: 'signed' | 'socket' | 'network' | 'chat' | 'model';
      readonly target: Scope;
    };
