import type { Answer, DiscordCall, Violation } from './call.ts';
import { commandRoutes } from './command-routes.ts';
import { interactionRoutes } from './interaction-routes.ts';
import { messageRoutes } from './message-routes.ts';
import { channelRoutes, peopleRoutes } from './people-routes.ts';
import { type Problem, Refusal, refusals } from './refusal.ts';
import { type RestContext, type RouteMatch, type Routes, router } from './router.ts';
import type { Spec } from './spec.ts';
import { webhookRoutes } from './webhook-routes.ts';

const ROUTES: Routes = {
  ...peopleRoutes,
  ...channelRoutes,
  ...messageRoutes,
  ...commandRoutes,
  ...interactionRoutes,
  ...webhookRoutes,
};

/** @returns the handler of a method and path, if the emulator has one */
export const findRoute = router(ROUTES);

export interface AnswererOptions {
  readonly context: RestContext;
  readonly token: () => string;
  readonly spec: Spec | undefined;
  /** Also checks the emulator's answers: for tests of the emulator, too dear for benchmarks. */
  readonly checksAnswers: boolean;
}

/** A call with the handler that it found. */
export interface Recorded {
  readonly call: DiscordCall;
  readonly found: RouteMatch | undefined;
  /** The bytes were no body at all. */
  readonly unreadable: Refusal | undefined;
}

/** Answers calls in the order of the real platform: who is it, is there such a path, is the body right, may it be done. */
export interface Answerer {
  readonly violations: readonly Violation[];
  readonly badAnswers: readonly Violation[];
  answerOf(recorded: Recorded): Answer;
}

export function answerer(options: AnswererOptions): Answerer {
  const { context, spec } = options;
  const violations: Violation[] = [];
  const badAnswers: Violation[] = [];

  const violate = (call: DiscordCall, problems: readonly Problem[]): never => {
    violations.push({ call, problems });
    throw refusals.badBody(problems);
  };

  const process = (call: DiscordCall, found: RouteMatch | undefined): Answer => {
    if (!isOpen(call) && call.headers.authorization !== `Bot ${options.token()}`)
      throw refusals.unauthorized();
    if (found === undefined) return violate(call, [noPath(call, spec)]);
    const problems = spec?.checkBody(call.method, call.route, call.body) ?? [];
    if (problems.length > 0) violate(call, problems);
    try {
      return found.handler(call, context);
    } catch (error) {
      // What the platform calls malformed is the caller's fault; that something is gone or was answered is not.
      if (error instanceof Refusal && MALFORMED.includes(error.body.code)) {
        const message = JSON.stringify(error.body.errors ?? error.message);
        violations.push({ call, problems: [{ at: [], code: 'LIMIT', message }] });
      }
      throw error;
    }
  };

  const answerOf = ({ call, found, unreadable }: Recorded): Answer => {
    try {
      if (unreadable !== undefined) violate(call, [{ at: [], code: 'JSON', message: unreadable.message }]);
      const answer = process(call, found);
      const problems = options.checksAnswers
        ? (spec?.checkAnswer(call.method, call.route, answer.body) ?? [])
        : [];
      if (problems.length > 0) badAnswers.push({ call, problems });
      return answer;
    } catch (error) {
      if (error instanceof Refusal) return { status: error.status, body: error.body };
      // A fault of the emulator itself: the caller gets an answer, and the test that looks finds the reason.
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      badAnswers.push({ call, problems: [{ at: [], code: 'BUG', message }] });
      return { status: 500, body: { message, code: 0 } };
    }
  };

  return { violations, badAnswers, answerOf };
}

/** Empty message, body too large, bad form. */
const MALFORMED: readonly unknown[] = [50006, 40005, 50035];

function noPath({ method, path }: DiscordCall, spec: Spec | undefined): Problem {
  const why = spec?.isPath(method, path) === true ? 'exists, but is not emulated' : 'does not exist';
  return { at: [], code: 'PATH', message: `${method} ${path} ${why}` };
}

/** Calls that carry their right in the path. */
function isOpen({ route }: DiscordCall): boolean {
  return (
    route === '/gateway' || route.startsWith('/interactions/') || route.startsWith('/webhooks/{webhook_id}/{')
  );
}
