// Owns: filling a new instance; settings of workspaces and contexts as Markdown, and taking edits of them into the rows.
// Never: makes a master key; gives rights to anybody but the first person of a new instance.
// Callers: the runtime's setup, start and sync loop; the admin plane through the ConfigFiles port.
// Invariants: never writes over what is there; a settings file counts only when staff owns it and it parses.
export { contextFile, makeConfigFiles } from './config-files.ts';
export {
  type ContextFile,
  contextText,
  parseContextFile,
  parseWorkspaceFile,
  settingsOf,
  type WorkspaceFile,
  workspaceSettingsOf,
  workspaceText,
} from './config-text.ts';
export { type SetupInput, type SetupResult, setupData } from './setup-data.ts';
export { type SyncInput, syncConfig } from './sync-config.ts';
