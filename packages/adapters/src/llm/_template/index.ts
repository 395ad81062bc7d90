// Owns: an example of a provider, kept compiling and tested, to be copied.
// Never: runs in production.
// Callers: its tests; people who write a provider.
// Invariants: passes the same tests as every provider.
export { type TemplateOptions, templateProvider } from './template.ts';
