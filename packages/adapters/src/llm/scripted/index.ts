// Owns: a provider that says what a script tells it to, for tests and the demo.
// Never: calls a network; decides anything by itself.
// Callers: tests and the demo.
// Invariants: keeps the promise of the port whatever the script does; the same script and requests give the same events.
export * from './script.ts';
export * from './scripted.ts';
