import type { Params } from './coerce.ts';
import { badRequest } from './refusal.ts';

const MAX_ANSWER = 200;

/** Answers a press; each may be answered once. @throws Refusal 400 for a press that never was, or was answered */
export function answerCallback(open: Set<string>, params: Params): true {
  if (String(params.text ?? '').length > MAX_ANSWER) throw badRequest('MESSAGE_TOO_LONG');
  if (!open.delete(String(params.callback_query_id))) {
    throw badRequest('query is too old and response timeout expired or query ID is invalid');
  }
  return true;
}
