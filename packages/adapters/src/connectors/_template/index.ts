// Owns: an example of a connector, kept compiling and tested, to be copied.
// Never: runs in production.
// Callers: its tests; people who write a connector.
// Invariants: passes the same tests as every connector.
export { type TemplateOptions, templateConnector } from './template.ts';
