import { decideAdmin } from './decide-admin.ts';
import { decideAbort, decideApproval, decideWithdraw } from './decide-approval.ts';
import { decidePerform, decideShow } from './decide-effect.ts';
import { decideEvent } from './decide-event.ts';
import { decideRunRead } from './decide-run.ts';
import { decideRead, decideTask } from './decide-task.ts';
import { decideTool } from './decide-tool.ts';
import { type Decision, deny } from './decision.ts';
import type { PolicyRequest, PolicyRules } from './request.ts';

/**
 * The one place where anything is allowed. Pure and total: an unknown action, a missing label, a missing context or an error
 * inside is a deny with its reason.
 */
export function decide(request: PolicyRequest, rules: PolicyRules): Decision {
  try {
    return byAction(request, rules);
  } catch {
    // The words of the error may quote the input, and reasons are shown to people.
    return deny('policy.error', 'Denied because the rule could not be evaluated.');
  }
}

function byAction(request: PolicyRequest, rules: PolicyRules): Decision {
  switch (request.action) {
    case 'ingest.take':
      return decideEvent(request, rules);
    case 'task.create':
      return decideTask(request, rules);
    case 'tool.call':
      return decideTool(request, rules);
    case 'effect.perform':
      return decidePerform(request, rules);
    case 'effect.show':
      return decideShow(request, rules);
    case 'approval.grant':
    case 'approval.deny':
    case 'approval.release':
      return decideApproval(request, rules);
    case 'approval.withdraw':
      return decideWithdraw(request, rules);
    case 'run.abort':
    case 'run.retry':
    case 'run.steer':
      return decideAbort(request, rules);
    case 'run.read':
      return decideRunRead(request, rules);
    case 'workspace.read':
      return decideRead(request, rules);
    case 'admin':
      return decideAdmin(request, rules);
    default: {
      request satisfies never;
      return deny('policy.unknown', 'Denied: nothing is known of this action.');
    }
  }
}
