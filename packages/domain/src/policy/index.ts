// Owns: `decide`: permit, ask or deny, with reasons and obligations, for every act of the appliance.
// Never: reads a store, a clock or a text's meaning; trusts the model's word about anything.
// Callers: the engine before each commit and each perform; the runtime's admin routes.
// Invariants: total; denies on any error, missing label, missing context, unknown tool or action.
export * from './admin.ts';
export { approversWanted, sayFew } from './ask.ts';
export * from './decide.ts';
export { CHAT_GRANTS_PER_DAY } from './decide-approval.ts';
export { MAX_LINKS_PER_TASK } from './decide-tool.ts';
export * from './decision.ts';
export * from './request.ts';
