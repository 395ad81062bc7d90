// Owns: connections to SQLite, the translation of its errors, the queue that makes one transaction of many commits.
// Never: knows a table of the appliance, an audit event or a rule.
// Callers: the other rooms of the store.
// Invariants: one writer; bodies run one after another; nobody is told of success before COMMIT returned.
export * from './commit-queue.ts';
export * from './connection.ts';
export * from './sqlite-error.ts';
export * from './statement.ts';
