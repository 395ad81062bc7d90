import type { AuditEvent } from './chain.ts';
import { textIn } from './key-book.ts';

/** How sure it is that a person said something: by a good signature, by one whose key the log does not hold, by a word in a chat. */
export type Surety = 'signed' | 'unchecked' | 'chat';

/** A question to people that is not over. */
interface Question {
  readonly approval: string;
  readonly digest: string;
  readonly tier: string;
  readonly needed: number;
  /** The standing approval that answered it. */
  readonly standing?: string | undefined;
  readonly grants: ReadonlyMap<string, Surety>;
}

/**
 * Open questions by the order of the log, and whether what was performed had its answers. Memory: one entry for each question that is
 * not over and each standing approval that was not revoked.
 */
export interface QuestionBook {
  /** A person's yes that was found to be one. @returns what is wrong with it */
  grant(event: AuditEvent, surety: Surety): string | undefined;
  /** A standing approval that a good signature gave. */
  stand(id: string): void;
  /** Takes any other record in. @returns `unchecked` when it stands or falls with a signature that cannot be checked */
  note(event: AuditEvent): { readonly fault: string } | 'unchecked' | undefined;
}

export function questionBook(): QuestionBook {
  const questions = new Map<string, Question>();
  const standings = new Set<string>();
  return {
    grant: (event, surety) => {
      const effect = textIn(event, 'effect') ?? '';
      const question = questions.get(effect);
      if (question === undefined || question.approval !== event.subject)
        return 'answers a question that was not asked';
      if (question.tier !== event.data.tier) return 'speaks of another tier than the question';
      if (question.tier === 'high' && surety === 'chat')
        return 'approves what is of tier high without a signature';
      questions.set(effect, {
        ...question,
        grants: new Map([...question.grants, [event.actor, surety]]),
      });
      return undefined;
    },
    stand: (id) => void standings.add(id),
    note: (event) => {
      const effect = textIn(event, 'effect') ?? '';
      switch (event.action) {
        case 'effect.propose':
          questions.set(event.subject, questionIn(event, 'approval', 'digest'));
          return undefined;
        case 'approval.edit':
          questions.delete(effect);
          questions.set(textIn(event, 'newEffect') ?? '', questionIn(event, 'newApproval', 'newDigest'));
          return undefined;
        case 'approval.mint': {
          const standing = textIn(event, 'standing') ?? '';
          const question = questions.get(effect);
          if (question?.approval !== event.subject) return { fault: 'answers a question that was not asked' };
          questions.set(effect, { ...question, standing });
          return standings.has(standing)
            ? undefined
            : { fault: 'uses a standing approval that nobody signed' };
        }
        case 'approval.revoke':
          standings.delete(event.subject);
          return undefined;
        case 'approval.deny':
        case 'approval.withdraw':
        case 'approval.expire':
          questions.delete(effect);
          return undefined;
        case 'effect.done':
        case 'effect.reject':
        case 'effect.lose':
        case 'effect.refuse':
        case 'effect.void':
          questions.delete(event.subject);
          return undefined;
        case 'effect.perform':
          return judgePerform(event, questions.get(event.subject));
        default:
          return undefined;
      }
    },
  };
}

function questionIn(event: AuditEvent, approval: string, digest: string): Question {
  const { tier, needed } = event.data;
  return {
    approval: textIn(event, approval) ?? '',
    digest: textIn(event, digest) ?? '',
    // What does not say its tier is taken for the highest, and what does not say how many for one: a record of an older form.
    tier: typeof tier === 'string' ? tier : 'high',
    needed: typeof needed === 'number' ? needed : 1,
    grants: new Map(),
  };
}

/** Answers need no approval; whatever was asked needs its own, for exactly these bytes. */
function judgePerform(
  event: AuditEvent,
  question: Question | undefined,
): { readonly fault: string } | 'unchecked' | undefined {
  if (question === undefined)
    return event.data.class === 'E0' && event.data.decision !== 'ask'
      ? undefined
      : { fault: 'performs what nobody was asked about' };
  if (question.approval !== event.data.approval || question.digest !== event.data.digest)
    return { fault: 'performs other bytes than those that were asked about' };
  if (question.standing !== undefined) return undefined;
  const sureties = [...question.grants.values()];
  const isHigh = question.tier === 'high';
  const counted = sureties.filter((surety) => surety === 'signed' || (!isHigh && surety === 'chat')).length;
  if (counted >= question.needed) return undefined;
  if (sureties.length >= question.needed) return 'unchecked';
  return {
    fault: `performs what needed ${question.needed} approvals of tier ${question.tier}, and ${counted} stand before it`,
  };
}
