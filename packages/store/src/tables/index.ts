// Owns: which columns each table has, how a row becomes SQL values and comes back, and what is said of one that cannot.
// Never: runs a statement; makes a table (migrations do).
// Callers: commit, migration's tests, the audit and journal rooms.
// Invariants: one declaration per table, checked against the row's type by the compiler; a column that is not declared cannot be named.
export * from './columns.ts';
export * from './damage.ts';
export * from './declarations.ts';
export * from './row.ts';
